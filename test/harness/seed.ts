/**
 * Random inputs are the same in each run of `npm test`: a gate that fails has a cause in the change that it
 * judges. `npm run test:long` draws new ones each time; a failure names its seed, which SOCKFILTER_SEED gives again.
 */
import { isLong } from './length.js';

const SEED = 20071026;

jest.mock('fast-check', () => {
  const library = jest.requireActual<typeof import('fast-check')>('fast-check');
  const wanted = process.env.SOCKFILTER_SEED ?? (isLong ? undefined : String(SEED));
  if (wanted !== undefined) library.configureGlobal({ seed: Number(wanted) });
  return library;
});
