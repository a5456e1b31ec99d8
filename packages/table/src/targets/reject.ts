import { chainsThat } from '../chains.js';
import { REJECT_ERRNO, type RejectErrno } from '../errno.js';
import { type TargetDescriptor, targetValue } from '../target.js';

export interface RejectTarget {
  readonly kind: 'reject';
  readonly errno: RejectErrno;
}

export const reject: TargetDescriptor<RejectTarget> = {
  word: 'REJECT',
  options: { 'reject-with': { value: 'errno' } },
  absent: chainsThat(({ refusal }) =>
    refusal === 'silence' ? 'the peer is not told there; use DROP' : undefined,
  ),
  step: ({ errno }) => ({ kind: 'decide', errno: REJECT_ERRNO[errno] }),
  effects: () => [],
  make: (_, values) => ({
    kind: 'reject',
    errno: targetValue(values, 'reject-with', 'errno')?.errno ?? 'EPERM',
  }),
  values: ({ errno }) => ({ 'reject-with': { kind: 'errno', errno } }),
  text: ({ errno }) => `REJECT with ${errno}`,
};
