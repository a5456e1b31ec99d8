/** What becomes of a call that no rule of a built-in chain decides. */
import type { Errno } from './errno.js';
import { stepOf, type Target } from './targets.js';

/** Each as the target that a last rule would have. */
const POLICIES = {
  ACCEPT: { kind: 'accept' },
  DROP: { kind: 'drop' },
  /** DROP, audited. */
  AUDIT: { kind: 'drop', audited: true },
} as const satisfies Readonly<Record<string, Target>>;

export type Policy = keyof typeof POLICIES;

/** The target that says the same. */
export function policyTarget(policy: Policy): Target {
  return POLICIES[policy];
}

/** The errno with which the policy decides; a user chain has none, and lets pass. */
export function policyErrno(policy: Policy | undefined): Errno {
  const step = stepOf(policy && policyTarget(policy));
  return step.kind === 'decide' ? step.errno : 0;
}
