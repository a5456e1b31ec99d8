import { chainsThat } from '../chains.js';
import { REJECT_ERRNO, type RejectErrno } from '../errno.js';
import type { TargetDescriptor } from '../target.js';
import { isValueOf } from '../value.js';

export interface RejectTarget {
  readonly kind: 'reject';
  readonly errno: RejectErrno;
}

export const reject: TargetDescriptor<RejectTarget> = {
  word: 'REJECT',
  options: { 'reject-with': 'errno' },
  absent: chainsThat(({ refusal }) =>
    refusal === 'silence' ? 'the peer is not told there; use DROP' : undefined,
  ),
  step: ({ errno }) => ({ kind: 'decide', errno: REJECT_ERRNO[errno] }),
  effects: () => [],
  make: (_, { 'reject-with': value }) => ({
    kind: 'reject',
    errno: value && isValueOf(value, 'errno') ? value.errno : 'EPERM',
  }),
  values: ({ errno }) => ({ 'reject-with': { kind: 'errno', errno } }),
  text: ({ errno }) => `REJECT with ${errno}`,
};
