import { type TargetDescriptor, targetValue } from '../target.js';

export interface LogTarget {
  readonly kind: 'log';
  /** What the line of the event begins with; may be empty. */
  readonly prefix: string;
  /** As in syslog(3): 0, the most urgent, to 7. */
  readonly level: number;
  /** Whether the line names the owner. */
  readonly uid: boolean;
}

/** As in iptables: warning. */
const DEFAULT_LEVEL = 4;

/** As in iptables, in bytes: what its kernel module has room for. */
const MAX_PREFIX = 29n;

export const log: TargetDescriptor<LogTarget> = {
  word: 'LOG',
  options: {
    'log-prefix': { value: 'prefix', bounds: [1n, MAX_PREFIX] },
    'log-level': { value: 'logLevel' },
    'log-uid': { value: 'none' },
  },
  absent: {},
  step: () => ({ kind: 'next' }),
  effects: () => [{ kind: 'log' }],
  make: (_, values) => ({
    kind: 'log',
    prefix: targetValue(values, 'log-prefix', 'prefix')?.prefix ?? '',
    level: targetValue(values, 'log-level', 'logLevel')?.level ?? DEFAULT_LEVEL,
    uid: values['log-uid'] !== undefined,
  }),
  values: ({ prefix, level, uid }) => ({
    ...(prefix !== '' && { 'log-prefix': { kind: 'prefix', prefix } }),
    ...(level !== DEFAULT_LEVEL && { 'log-level': { kind: 'logLevel', level } }),
    ...(uid && { 'log-uid': { kind: 'none' } }),
  }),
  text: ({ prefix }) => (prefix === '' ? 'LOG' : `LOG as ${prefix.trim()}`),
};
