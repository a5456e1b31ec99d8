import type { AggregatedResult, AssertionResult } from '@jest/test-result';

type Counts = Pick<
  AggregatedResult,
  | 'numPassedTests'
  | 'numFailedTests'
  | 'numPendingTests'
  | 'numTodoTests'
  | 'numRuntimeErrorTestSuites'
>;

export function tally(
  results: Counts & {
    readonly testResults: readonly {
      readonly testResults: readonly Pick<AssertionResult, 'ancestorTitles' | 'status'>[];
    }[];
  },
): readonly string[];
