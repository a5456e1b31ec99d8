/** When V8 optimizes what runs often. */
import { setFlagsFromString } from 'node:v8';

/** V8 of Node 20. Later ones do not know the flag, and say so on standard error. */
const KNOWING = /^11\.3\./;

/**
 * Bytes of bytecode that a function runs before V8 asks whether it is hot, for those that compute for seconds and end. V8's
 * own number, a twelfth of it, is for servers: half of what `check` of 3,000 rules cost was threads that optimized what was
 * soon over.
 */
const BUDGET = 800_000;

/** What is done with so many characters of rules is over before V8 optimizes much; to load what tells it costs 2 % of a start. */
const SHORT = 32_768;

/**
 * Has V8 optimize what goes on for longer, where it can be told so. For processes that are ours, and once the code is loaded:
 * after it V8 takes nothing that has been compiled before.
 */
export function optimizeLater(characters = SHORT): void {
  if (characters >= SHORT && KNOWING.test(process.versions.v8))
    setFlagsFromString(`--interrupt-budget=${BUDGET}`);
}
