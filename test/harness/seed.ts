/** Gives fast-check the seed of the run. */
import { runSeed } from './runseed.js';

jest.mock('fast-check', () => {
  const library = jest.requireActual<typeof import('fast-check')>('fast-check');
  library.configureGlobal({ seed: runSeed });
  return library;
});
