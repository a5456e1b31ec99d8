/**
 * Random inputs are the same in each run of `npm test`: a gate that fails has a cause in the change that it
 * judges. `npm run test:long` draws new ones each time; a failure names its seed, which SOCKFILTER_SEED gives again.
 */
import { isLong } from './length.js';

const SEED = 20071026;

function drawn(): number {
  return Math.floor(Math.random() * 2 ** 31);
}

/** What all random inputs of this process start from. */
export const runSeed = Number(process.env.SOCKFILTER_SEED ?? (isLong ? drawn() : SEED));
