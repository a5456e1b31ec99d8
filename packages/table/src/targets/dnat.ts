import { chainsThat } from '../chains.js';
import { type Destinations, destinationsRewriting } from '../destinations.js';
import { type TargetDescriptor, targetValue } from '../target.js';
import { valueSet } from '../valueset.js';
import { printDestinations, printPorts } from '../words/address.js';

/** What the destination becomes: an address, a port, or both. */
export interface DnatTarget extends Destinations {
  readonly kind: 'dnat';
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
  effects: (target) => [{ kind: 'rewrite', rewriting: destinationsRewriting(target) }],
  make: (_, values) => {
    const { address, port } = targetValue(values, 'to-destination', 'endpoint') ?? {};
    return {
      kind: 'dnat',
      ...(address && { address }),
      ...(port && { port }),
      ...(values.random && { random: true }),
      ...(values.persistent && { persistent: true }),
    };
  },
  values: ({ address, port, random, persistent }) => ({
    'to-destination': { kind: 'endpoint', address, port },
    ...(random && { random: { kind: 'none' } }),
    ...(persistent && { persistent: { kind: 'none' } }),
  }),
  text: (target) =>
    target.port && !target.address
      ? `DNAT to port ${printPorts(target.port)}`
      : `DNAT to ${printDestinations(target)}`,
};
