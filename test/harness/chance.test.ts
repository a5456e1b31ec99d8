import { leastHits } from './chance.js';

test.each([
  // 0.5 ** 19 is more than a millionth, 0.5 ** 20 less.
  [19, 0.5, 0],
  [20, 0.5, 1],
  // One head or none of 25: 26 / 2 ** 25 is less than a millionth, of 24: 25 / 2 ** 24 more.
  [24, 0.5, 1],
  [25, 0.5, 2],
  [25, 0.3, 0],
  [100, 0.3, 10],
])('of %i inputs with the chance %d at least %i', (trials, share, least) => {
  expect(leastHits(trials, share)).toBe(least);
});
