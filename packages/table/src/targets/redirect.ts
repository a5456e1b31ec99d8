import { chainsThat } from '../chains.js';
import { destinationsRewriting } from '../destinations.js';
import { constantly } from '../rewriting.js';
import { type TargetDescriptor, targetValue } from '../target.js';
import type { PortSpan } from '../value.js';
import { printPorts } from '../words/address.js';

/** The destination becomes this machine, and the port the one that is said, or one of those. */
export interface RedirectTarget {
  readonly kind: 'redirect';
  readonly port?: PortSpan;
  /** That is so anyway; it is kept as it was written. */
  readonly random?: true;
}

/** 127.0.0.1 and ::1. */
const LOOPBACK = { destination4: constantly(0x7f00_0001), destination6: constantly(1) };

/** The call goes to the loopback address of its family; rules behind look at that. */
export const redirect: TargetDescriptor<RedirectTarget> = {
  word: 'REDIRECT',
  options: { 'to-ports': { value: 'toPort' }, random: { value: 'none' } },
  absent: chainsThat(({ unwritable }) => unwritable),
  portsOf: ({ port }) => port !== undefined,
  step: () => ({ kind: 'next' }),
  effects: ({ port }) => [
    {
      kind: 'rewrite',
      rewriting: { ...LOOPBACK, ...(port && destinationsRewriting({ port })) },
    },
  ],
  make: (_, values) => {
    const to = targetValue(values, 'to-ports', 'toPort');
    return {
      kind: 'redirect',
      ...(to && { port: { first: to.first, last: to.last } }),
      ...(values.random && { random: true }),
    };
  },
  values: ({ port, random }) => ({
    ...(port && { 'to-ports': { kind: 'toPort', ...port } }),
    ...(random && { random: { kind: 'none' } }),
  }),
  text: ({ port }) => (port ? `REDIRECT to port ${printPorts(port)}` : 'REDIRECT'),
};
