import { LimitError } from '@sockfilter/diagram';
import { tableOf } from '../../../test/harness/policy.js';
import { simplify } from './simplify.js';

/** Of each three rules no call meets the last, and the first could go. */
const TABLE = tableOf(
  [
    '-P CONNECT DROP',
    ...Array.from({ length: 10 }, (_, n) => {
      const network = `-A CONNECT -d 10.0.${n}.0/24 -p tcp`;
      return `${network} --dport 1:50 -j ACCEPT\n${network} --dport 1:90 -j ACCEPT\n${network} --dport 70:85 -j ACCEPT`;
    }),
  ].join('\n'),
);

test('a limit that is reached on the way leaves what is proved by then', () => {
  const whole = simplify(TABLE);
  expect(whole.isComplete).toBe(true);
  let partly = 0;
  for (let steps = 500; steps < 100_000; steps = Math.floor(steps * 1.1)) {
    try {
      const { removed, isComplete } = simplify(TABLE, { steps });
      expect(removed.length).toBeGreaterThan(0);
      if (isComplete) expect(removed.length).toBe(whole.removed.length);
      else partly++;
    } catch (error) {
      if (!(error instanceof LimitError)) throw error;
    }
  }
  expect(partly).toBeGreaterThan(0);
});
