/**
 * How long a test goes on. `npm test` runs the short form of what takes long, `npm run test:long` the
 * whole: the same test, more often or at more places, with random inputs of its own (runseed.ts).
 */
export const isLong = process.env.SOCKFILTER_LONG === '1';

/** The number for the form that is run. */
export function forLength({
  long,
  short,
}: {
  readonly long: number;
  readonly short: number;
}): number {
  return isLong ? long : short;
}

/** Runs of a property that each take long: a quarter in the short form. */
export function propertyRuns(long: number): number {
  return forLength({ long, short: Math.ceil(long / 4) });
}
