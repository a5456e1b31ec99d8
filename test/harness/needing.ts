/**
 * Tests that need what not every machine has. Where it is missing they are skipped aloud, with the reason in
 * the title, from which reporter.js takes it; SOCKFILTER_REQUIRE_KERNEL=1 makes that a failure.
 */
import { execFileSync } from 'node:child_process';

const warned = new Set<string>();

/** describe() for tests that can't run for the reason, if there is one. */
export function describeNeeding(
  reason: string | undefined,
  title: string,
  define: () => void,
): void {
  const skippedTitle = `${title} [skipped: ${reason}]`;
  if (reason === undefined) {
    describe(title, define);
  } else if (process.env.SOCKFILTER_REQUIRE_KERNEL === '1') {
    describe(skippedTitle, () => {
      test('can run', () => {
        throw new Error(`SOCKFILTER_REQUIRE_KERNEL is set, but ${reason}`);
      });
    });
  } else {
    if (!warned.has(reason)) console.warn(`tests are skipped, because ${reason}`);
    warned.add(reason);
    describe.skip(skippedTitle, define);
  }
}

/** Why the program can't be run here; undefined if it is installed. */
function programMissing(program: string): string | undefined {
  try {
    execFileSync('sh', ['-c', 'command -v "$0"', program], { stdio: 'ignore' });
    return undefined;
  } catch {
    return `${program} is not installed`;
  }
}

/** describe() for tests that run the program. */
export function describeProgram(program: string, title: string, define: () => void): void {
  describeNeeding(programMissing(program), title, define);
}
