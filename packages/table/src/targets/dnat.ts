import { chainsThat } from '../chains.js';
import type { Family } from '../packet.js';
import { constantly, destinationPart, type Rewriting } from '../rewriting.js';
import { type TargetDescriptor, targetValue } from '../target.js';
import { valueSet } from '../valueset.js';
import { printAddress, printEndpoint } from '../words/address.js';

/** What the destination becomes: an address, a port, or both. */
export interface DnatTarget {
  readonly kind: 'dnat';
  readonly address?: { readonly family: Family; readonly value: bigint };
  readonly port?: number;
  /** Of one address and one port each says nothing; they are kept as they were written. */
  readonly random?: true;
  readonly persistent?: true;
}

function rewritingOf({ address, port }: DnatTarget): Rewriting {
  return {
    ...(address && { [destinationPart(address.family)]: constantly(address.value) }),
    ...(port !== undefined && { destinationPort: constantly(port) }),
  };
}

function textOf({ address, port }: DnatTarget): string {
  if (!address) return `port ${port}`;
  return port === undefined
    ? printAddress(address.family, address.value)
    : printEndpoint(address.family, address.value, port);
}

/** The call goes to another destination; rules behind look at that. */
export const dnat: TargetDescriptor<DnatTarget> = {
  word: 'DNAT',
  options: {
    'to-destination': { value: 'endpoint' },
    random: { value: 'none' },
    persistent: { value: 'none' },
  },
  oneOf: ['to-destination'],
  absent: chainsThat(({ unwritable }) => unwritable),
  portsOf: ({ port }) => port !== undefined,
  familyOf: ({ address }) => address?.family,
  condition: ({ address }) =>
    address ? [[{ field: 'family', set: valueSet(address.family), negated: false }]] : [],
  step: () => ({ kind: 'next' }),
  effects: (target) => [{ kind: 'rewrite', rewriting: rewritingOf(target) }],
  make: (_, values) => {
    const to = targetValue(values, 'to-destination', 'endpoint');
    return {
      kind: 'dnat',
      ...(to?.address && { address: to.address }),
      ...(to?.port !== undefined && { port: to.port }),
      ...(values.random && { random: true }),
      ...(values.persistent && { persistent: true }),
    };
  },
  values: ({ address, port, random, persistent }) => ({
    'to-destination': { kind: 'endpoint', address, port },
    ...(random && { random: { kind: 'none' } }),
    ...(persistent && { persistent: { kind: 'none' } }),
  }),
  text: (target) => `DNAT to ${textOf(target)}`,
};
