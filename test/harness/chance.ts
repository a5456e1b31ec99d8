/** How rarely a sound test may fail by bad luck. */
const BAD_LUCK = 1e-6;

/**
 * How many of `trials` random inputs are at least of a kind, of which each input is with the chance `share` and
 * independently: so many that fewer come by bad luck once in a million runs. A property that holds its inputs against
 * it shows that they are not all trivial, and is no lottery. Few trials promise nothing: then it is 0.
 */
export function leastHits(trials: number, share: number): number {
  let exactly = (1 - share) ** trials;
  let atMost = exactly;
  let hits = 0;
  while (atMost < BAD_LUCK) {
    exactly *= ((trials - hits) / (hits + 1)) * (share / (1 - share));
    atMost += exactly;
    hits++;
  }
  return hits;
}
