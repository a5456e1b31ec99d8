import { DROP_ERRNO } from '../errno.js';
import { AUDIT_OPTION, auditedBy, refusal, type TargetDescriptor } from '../target.js';

export interface DropTarget {
  readonly kind: 'drop';
  readonly audited?: true;
}

export const drop: TargetDescriptor<DropTarget> = {
  word: 'DROP',
  options: AUDIT_OPTION,
  absent: {},
  ...refusal<DropTarget>(() => DROP_ERRNO),
  make: (_, values) => ({ kind: 'drop', ...auditedBy(values) }),
  values: ({ audited }) => ({ ...(audited && { audit: { kind: 'none' } }) }),
  text: ({ audited }) => (audited ? 'DROP, audited' : 'DROP'),
};
