/** What a test run comes to in its last lines; reporter.js prints them. */

const KERNEL = /^kernel: /;
const SKIPPED = /^(.*) \[skipped: (.*)\]$/;

/** The line about kernel tests, from the titles that describeKernel gives. */
function kernelLine(tests) {
  const kernel = tests.filter(({ ancestorTitles }) => KERNEL.test(ancestorTitles[0] ?? ''));
  const reasons = kernel.flatMap(
    ({ ancestorTitles }) => SKIPPED.exec(ancestorTitles[0])?.[2] ?? [],
  );
  if (reasons.length > 0)
    return `kernel tests: skipped, because ${[...new Set(reasons)].join('; ')}`;
  const ran = kernel.filter(({ status }) => status === 'passed' || status === 'failed');
  return ran.length > 0 ? `kernel tests: ${ran.length} ran` : 'kernel tests: none were selected';
}

/** A line for whatever else was skipped with a reason, from the titles at any depth. */
function skippedLines(tests) {
  const lines = tests.flatMap(({ ancestorTitles }) =>
    ancestorTitles.flatMap((title) => {
      const [, name, reason] = SKIPPED.exec(title) ?? [];
      return name === undefined || KERNEL.test(title) ? [] : `${name}: skipped, because ${reason}`;
    }),
  );
  return [...new Set(lines)].sort();
}

/**
 * The lines of an AggregatedResult of jest. A file that does not even load counts as one failure.
 */
export function tally(results) {
  const tests = results.testResults.flatMap((file) => file.testResults);
  const failed = results.numFailedTests + results.numRuntimeErrorTestSuites;
  const skipped = results.numPendingTests + results.numTodoTests;
  return [
    kernelLine(tests),
    ...skippedLines(tests),
    `${results.numPassedTests} passed, ${failed} failed, ${skipped} skipped`,
  ];
}
