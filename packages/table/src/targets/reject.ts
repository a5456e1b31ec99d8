import { chainsThat } from '../chains.js';
import { REJECT_ERRNO, type RejectErrno } from '../errno.js';
import { AUDIT_OPTION, auditedBy, refusal, type TargetDescriptor, targetValue } from '../target.js';

export interface RejectTarget {
  readonly kind: 'reject';
  readonly errno: RejectErrno;
  readonly audited?: true;
}

export const reject: TargetDescriptor<RejectTarget> = {
  word: 'REJECT',
  options: { 'reject-with': { value: 'errno' }, ...AUDIT_OPTION },
  absent: chainsThat(({ refusal: means }) =>
    means === 'silence' ? 'the peer is not told there; use DROP' : undefined,
  ),
  ...refusal<RejectTarget>(({ errno }) => REJECT_ERRNO[errno]),
  make: (_, values) => ({
    kind: 'reject',
    errno: targetValue(values, 'reject-with', 'errno')?.errno ?? 'EPERM',
    ...auditedBy(values),
  }),
  values: ({ errno, audited }) => ({
    'reject-with': { kind: 'errno', errno },
    ...(audited && { audit: { kind: 'none' } }),
  }),
  text: ({ errno, audited }) => `REJECT with ${errno}${audited ? ', audited' : ''}`,
};
