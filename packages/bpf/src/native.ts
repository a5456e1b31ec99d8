/** Functions of C in the running program. */
import { createRequire } from 'node:module';

interface Native {
  readonly koffi: typeof import('koffi');
  /** The program itself, which has libc's functions whatever libc is called, and node's own. */
  readonly program: ReturnType<typeof import('koffi')['load']>;
}

let loaded: Native | undefined;

/** Loads koffi, a native module that costs 10 ms, at the first call: commands that never touch the kernel do without it. */
export function native(): Native {
  if (loaded) return loaded;
  const require = createRequire(import.meta.url);
  const koffi: typeof import('koffi') = require('koffi');
  loaded = { koffi, program: koffi.load(null) };
  return loaded;
}
