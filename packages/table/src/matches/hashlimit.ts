import { KEY_FIELDS } from '../bucketkey.js';
import {
  defineParameter,
  givenValue,
  isNegated,
  type MatchDescriptor,
  type MatchOption,
  requireValue,
} from '../match.js';
import { costOf, DEFAULT_BURST } from './limit.js';

/** As in iptables. */
const MOST_PER_SECOND = 1_000_000;
const MOST_BURST = 1_000_000n;
/** Nanoseconds in which the longest bucket fills: times are kept in 64 bits. */
const MOST_TO_FILL = 1n << 62n;
/** Buckets of one test, of each group where it asks for the group. */
export const DEFAULT_BUCKETS = 4096;
export const MOST_BUCKETS = 32_768;

const WHOLE = 128;
const U32 = 2n ** 32n - 1n;

const [UPTO, ABOVE] = ['hashlimit-upto', 'hashlimit-above'];

/** The rate, and whether the rule is for calls above it. */
function rateOf(options: readonly MatchOption[]) {
  const name = givenValue(options, ABOVE, 'rate') ? ABOVE : UPTO;
  const rate = givenValue(options, name, 'rate');
  return { name, rate, isAbove: (name === ABOVE) !== isNegated(options, name) };
}

const countOf = (options: readonly MatchOption[], name: string) =>
  givenValue(options, name, 'count')?.count;

/** As `limit`, with a bucket for each value of what is asked for. */
export const hashlimit: MatchDescriptor = {
  name: 'hashlimit',
  needsOption: true,
  exclusive: [[UPTO, ABOVE]],
  options: {
    [UPTO]: defineParameter('rate', { negatable: true }),
    [ABOVE]: defineParameter('rate', { negatable: true }),
    'hashlimit-burst': defineParameter('count', { bounds: [1n, MOST_BURST] }),
    'hashlimit-mode': defineParameter('keyFields'),
    'hashlimit-name': defineParameter('label'),
    'hashlimit-htable-size': defineParameter('count', { bounds: [0n, U32] }),
    'hashlimit-htable-max': defineParameter('count', { bounds: [0n, BigInt(MOST_BUCKETS)] }),
    'hashlimit-htable-gcinterval': defineParameter('count', { bounds: [1n, U32] }),
    'hashlimit-htable-expire': defineParameter('count', { bounds: [1n, U32] }),
    'hashlimit-srcmask': defineParameter('count', { bounds: [0n, BigInt(WHOLE)] }),
    'hashlimit-dstmask': defineParameter('count', { bounds: [0n, BigInt(WHOLE)] }),
  },
  settle: (options) => {
    const { name, rate, isAbove } = rateOf(options);
    if (!rate) return { message: '`-m hashlimit` needs `--hashlimit-upto` or `--hashlimit-above`' };
    if (!options.some((option) => option.name === 'hashlimit-name'))
      return { message: '`-m hashlimit` needs `--hashlimit-name`' };
    if (rate.count > MOST_PER_SECOND * rate.seconds) {
      const message = `the rate is too fast: at most ${MOST_PER_SECOND} in a second`;
      return { message, option: name };
    }
    const burst = countOf(options, 'hashlimit-burst') ?? DEFAULT_BURST;
    if (costOf(rate) * burst > MOST_TO_FILL) {
      const message = 'the burst is too large: it would take longer than a century to come back';
      return { message, option: 'hashlimit-burst' };
    }
    const usual: Readonly<Record<string, bigint>> = {
      'hashlimit-htable-size': 0n,
      'hashlimit-htable-max': 0n,
      'hashlimit-htable-gcinterval': 1000n,
      'hashlimit-htable-expire': BigInt(rate.seconds) * 1000n,
      'hashlimit-srcmask': BigInt(WHOLE),
      'hashlimit-dstmask': BigInt(WHOLE),
    };
    const isSaid = ({ name: option, value }: MatchOption) =>
      value.kind === 'keyFields'
        ? value.fields.length > 0
        : value.kind !== 'count' || value.count !== usual[option];
    const plain = (option: string, value: MatchOption['value']): MatchOption => ({
      name: option,
      negated: false,
      value,
    });
    const rest = options.filter(
      (option) => ![UPTO, ABOVE, 'hashlimit-burst'].includes(option.name) && isSaid(option),
    );
    return {
      options: [
        plain(isAbove ? ABOVE : UPTO, rate),
        plain('hashlimit-burst', { kind: 'count', count: burst }),
        ...rest,
      ],
    };
  },
  asks: (options) => {
    const { name, isAbove } = rateOf(options);
    const mode = givenValue(options, 'hashlimit-mode', 'keyFields')?.fields ?? [];
    const max = Number(countOf(options, 'hashlimit-htable-max') ?? 0n);
    return {
      question: {
        kind: 'buckets',
        cost: costOf(requireValue(options, name, 'rate')),
        burst: Number(countOf(options, 'hashlimit-burst') ?? DEFAULT_BURST),
        fields: KEY_FIELDS.filter((field) => mode.includes(field)),
        sourceBits: Number(countOf(options, 'hashlimit-srcmask') ?? WHOLE),
        destinationBits: Number(countOf(options, 'hashlimit-dstmask') ?? WHOLE),
        room: max === 0 ? DEFAULT_BUCKETS : max,
      },
      negated: isAbove,
    };
  },
};
