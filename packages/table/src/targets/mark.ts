import { chainsThat } from '../chains.js';
import { type TargetDescriptor, type TargetValues, targetValue } from '../target.js';
import { MAX_MARK } from '../value.js';

/** The mark of the socket becomes `(mark & ~mask) ^ value`; both are of 32 bits. */
export interface MarkTarget {
  readonly kind: 'mark';
  readonly value: number;
  readonly mask: number;
}

/** The ways to say it. One is given; a rule is printed with the first. */
const MARK_OPTIONS = {
  'set-xmark': { value: 'xmark' },
  'set-mark': { value: 'xmark' },
  'and-mark': { value: 'bits' },
  'or-mark': { value: 'bits' },
  'xor-mark': { value: 'bits' },
} as const;

function read(values: TargetValues): Omit<MarkTarget, 'kind'> {
  const xmark = targetValue(values, 'set-xmark', 'xmark');
  if (xmark) return { value: xmark.value, mask: xmark.mask };
  const mark = targetValue(values, 'set-mark', 'xmark');
  if (mark) return { value: mark.value, mask: (mark.value | mark.mask) >>> 0 };
  const and = targetValue(values, 'and-mark', 'bits');
  if (and) return { value: 0, mask: (MAX_MARK ^ and.bits) >>> 0 };
  const or = targetValue(values, 'or-mark', 'bits');
  if (or) return { value: or.bits, mask: or.bits };
  const xor = targetValue(values, 'xor-mark', 'bits');
  return { value: xor?.bits ?? 0, mask: 0 };
}

export const mark: TargetDescriptor<MarkTarget> = {
  word: 'MARK',
  options: MARK_OPTIONS,
  oneOf: Object.keys(MARK_OPTIONS),
  absent: chainsThat(({ unmarkable }) => unmarkable),
  step: () => ({ kind: 'next' }),
  effects: ({ value, mask }) => [
    {
      kind: 'rewrite',
      rewriting: { mark: { keep: BigInt((MAX_MARK ^ mask) >>> 0), flip: BigInt(value) } },
    },
  ],
  make: (_, values) => ({ kind: 'mark', ...read(values) }),
  values: ({ value, mask }) => ({ 'set-xmark': { kind: 'xmark', value, mask } }),
  text: ({ value, mask }) => `MARK with ${hex(value)}/${hex(mask)}`,
};

const hex = (bits: number) => `0x${bits.toString(16)}`;
