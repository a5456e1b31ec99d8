type Status = 'passed' | 'failed' | 'pending';

// The reporter is plain JavaScript: jest loads it as it is.
const { tally } = jest.requireActual<{
  tally(results: ReturnType<typeof run>): readonly string[];
}>('./tally.js');

function run(...tests: readonly (readonly [title: string, status: Status])[]) {
  const count = (wanted: Status) => tests.filter(([, status]) => status === wanted).length;
  return {
    numPassedTests: count('passed'),
    numFailedTests: count('failed'),
    numPendingTests: count('pending'),
    numTodoTests: 0,
    numRuntimeErrorTestSuites: 0,
    testResults: [
      { testResults: tests.map(([title, status]) => ({ ancestorTitles: [title], status })) },
    ],
  };
}

test('counts tests of every kind', () => {
  const results = run(['a', 'passed'], ['a', 'failed'], ['a', 'pending'], ['a', 'passed']);
  expect(tally(results)).toEqual([
    'kernel tests: none were selected',
    '2 passed, 1 failed, 1 skipped',
  ]);
});

test('a file that does not load is a failure', () => {
  expect(tally({ ...run(), numRuntimeErrorTestSuites: 1 })[1]).toBe(
    '0 passed, 1 failed, 0 skipped',
  );
});

test('says how many kernel tests ran', () => {
  const results = run(['kernel: a', 'passed'], ['kernel: b', 'failed'], ['b', 'passed']);
  expect(tally(results)[0]).toBe('kernel tests: 2 ran');
});

test('says why kernel tests did not run', () => {
  const results = run(
    ['kernel: a [skipped: they need root]', 'pending'],
    ['kernel: b [skipped: they need root]', 'failed'],
    ['kernel: within', 'passed'],
  );
  expect(tally(results)[0]).toBe('kernel tests: skipped, because they need root');
});

test('says what else was skipped, and why, once', () => {
  const results = run(
    ['pages [skipped: there is no chromium]', 'pending'],
    ['pages [skipped: there is no chromium]', 'pending'],
    ['iptables vectors [skipped: none here]', 'pending'],
    ['of no reason', 'pending'],
  );
  expect(tally(results)).toEqual([
    'kernel tests: none were selected',
    'iptables vectors: skipped, because none here',
    'pages: skipped, because there is no chromium',
    '0 passed, 0 failed, 4 skipped',
  ]);
});
