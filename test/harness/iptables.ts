/** The real iptables, in a network namespace of the test's own. */
import { execFileSync } from 'node:child_process';
import { kernelMissing, kernelTitle } from './kernel.js';
import { describeNeeding } from './needing.js';

/** Why tests can't run the real iptables here; undefined if they can. */
function iptablesMissing(): string | undefined {
  const missing = kernelMissing();
  if (missing !== undefined) return missing;
  try {
    execFileSync('unshare', ['-n', 'iptables', '-S'], { stdio: 'ignore' });
    return undefined;
  } catch {
    return 'iptables is not installed, or refuses to list';
  }
}

/** describe() for tests that give rules to the real iptables; they count as kernel tests. */
export function describeIptables(name: string, define: () => void): void {
  describeNeeding(iptablesMissing(), kernelTitle(name), define);
}
