import { type TargetDescriptor, targetValue } from '../target.js';

export interface NflogTarget {
  readonly kind: 'nflog';
  /** What the event is called; may be empty. */
  readonly prefix: string;
  /** The group of those who read such events, 0 to 65535. */
  readonly group: number;
}

/** As in iptables, in bytes. */
const MAX_PREFIX = 127n;

export const nflog: TargetDescriptor<NflogTarget> = {
  word: 'NFLOG',
  options: {
    'nflog-prefix': { value: 'prefix', bounds: [1n, MAX_PREFIX] },
    'nflog-group': { value: 'count', bounds: [0n, 65_535n] },
  },
  absent: {},
  step: () => ({ kind: 'next' }),
  effects: () => [{ kind: 'log' }],
  make: (_, values) => ({
    kind: 'nflog',
    prefix: targetValue(values, 'nflog-prefix', 'prefix')?.prefix ?? '',
    group: Number(targetValue(values, 'nflog-group', 'count')?.count ?? 0n),
  }),
  values: ({ prefix, group }) => ({
    ...(prefix !== '' && { 'nflog-prefix': { kind: 'prefix', prefix } }),
    ...(group !== 0 && { 'nflog-group': { kind: 'count', count: BigInt(group) } }),
  }),
  text: ({ group }) => `NFLOG to group ${group}`,
};
