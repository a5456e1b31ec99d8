import fc from 'fast-check';
import { Bucket, limitRate } from './ratelimit.js';

const waits = fc.array(fc.tuple(fc.nat(5000), fc.nat(50)), { maxLength: 40 });

test('between any two moments no more passes than a period brings and the time between', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 100 }),
      fc.constantFrom(1, 60),
      waits,
      (count, seconds, all) => {
        let now = 0;
        const bucket = new Bucket({ count, seconds }, now);
        const taken = all.map(([wait, wanted]) => {
          now += wait;
          const passed = bucket.take(wanted, now);
          expect(passed).toBeLessThanOrEqual(wanted);
          return { now, passed };
        });
        for (const [from, first] of taken.entries()) {
          let sum = 0;
          for (const each of taken.slice(from)) {
            sum += each.passed;
            const brought = ((each.now - first.now) * count) / (seconds * 1000);
            expect(sum).toBeLessThanOrEqual(count + brought + 1e-6);
          }
        }
      },
    ),
    { numRuns: 100 },
  );
});

test('a bucket that is not asked for long holds one period, and gives it', () => {
  const bucket = new Bucket({ count: 5, seconds: 60 }, 0);
  expect([bucket.take(9, 0), bucket.take(9, 11_000), bucket.take(9, 12_000)]).toEqual([5, 0, 1]);
  expect(bucket.take(9, 900_000)).toBe(5);
});

test('what is skipped is told in time, once, and losses at once', () => {
  jest.useFakeTimers();
  try {
    const heard: unknown[] = [];
    const output = limitRate(
      {
        hear: (seen, missed) => heard.push([seen.length, missed]) > 0,
        close: () => heard.push('end'),
      },
      { kind: 'rate', count: 2, seconds: 3600 },
    );
    const batch = (length: number) => Array.from({ length }, () => ({}) as never);
    output.hear(batch(3), {});
    output.hear(batch(4), {});
    expect(heard).toEqual([[2, { skipped: 0 }]]);
    jest.advanceTimersByTime(1000);
    expect(heard.splice(0)).toEqual([
      [2, { skipped: 0 }],
      [0, { skipped: 5 }],
    ]);
    output.hear(batch(1), { lost: 8 });
    output.close();
    jest.advanceTimersByTime(5000);
    expect(heard).toEqual([[0, { lost: 8, skipped: 0 }], [0, { skipped: 1 }], 'end']);
  } finally {
    jest.useRealTimers();
  }
});
