import {
  defineParameter,
  givenValue,
  type MatchDescriptor,
  type MatchOption,
  requireValue,
} from '../match.js';
import type { ValueOf } from '../value.js';

const DEFAULT_RATE: MatchOption = {
  name: 'limit',
  negated: false,
  value: { kind: 'rate', count: 3, seconds: 3600 },
};
/** Tokens of a bucket of which nothing is said. */
export const DEFAULT_BURST = 5n;
/** As in iptables, which counts time in steps of 100 microseconds. */
const MOST_PER_SECOND = 10_000;

/** What a token takes, in nanoseconds, to come back. */
export function costOf({ count, seconds }: ValueOf<'rate'>): bigint {
  return (BigInt(seconds) * 1_000_000_000n) / BigInt(count);
}

/** So many calls in a period, all rules' calls together; more at once after a quiet time. */
export const limit: MatchDescriptor = {
  name: 'limit',
  needsOption: false,
  options: {
    limit: defineParameter('rate'),
    'limit-burst': defineParameter('count', { bounds: [1n, 10_000n] }),
  },
  settle: (options) => {
    const rate = givenValue(options, 'limit', 'rate');
    if (rate && rate.count > MOST_PER_SECOND * rate.seconds) {
      const message = `the rate is too fast: at most ${MOST_PER_SECOND} in a second`;
      return { message, option: 'limit' };
    }
    const burst = givenValue(options, 'limit-burst', 'count')?.count ?? DEFAULT_BURST;
    const kept = options.filter(({ name }) => name !== 'limit-burst' || burst !== DEFAULT_BURST);
    return { options: rate ? kept : [DEFAULT_RATE, ...kept] };
  },
  asks: (options) => {
    const cost = costOf(requireValue(options, 'limit', 'rate'));
    const burst = givenValue(options, 'limit-burst', 'count')?.count ?? DEFAULT_BURST;
    return { question: { kind: 'bucket', cost, burst: Number(burst) }, negated: false };
  },
};
