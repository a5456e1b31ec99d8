/** The real nft, in a network namespace of the test's own. */
import { execFileSync } from 'node:child_process';
import { kernelMissing, kernelTitle } from './kernel.js';
import { describeNeeding } from './needing.js';

/** Why tests can't run the real nft here; undefined if they can. */
function nftMissing(): string | undefined {
  const missing = kernelMissing();
  if (missing !== undefined) return missing;
  try {
    execFileSync('nft', ['--version']);
    return undefined;
  } catch {
    return 'nft is not installed';
  }
}

/** describe() for tests that give rules to the real nft; they count as kernel tests. */
export function describeNft(name: string, define: () => void): void {
  describeNeeding(nftMissing(), kernelTitle(name), define);
}
