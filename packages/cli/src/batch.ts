/** `sockfilter -`: the lines of rule files from standard input, each a change of its own, or all of them one. */
import { parseSave } from '@sockfilter/iptables';
import { EXIT } from '@sockfilter/language';
import type { Table } from '@sockfilter/table';
import { CommandError, DiagnosticsError } from './failure.js';
import { splitGlobals } from './globals.js';
import { type Input, readInput } from './inputfile.js';
import { withTable } from './opentable.js';
import { optimizeLater } from './optimizer.js';
import { note } from './output.js';
import { addTo } from './restore.js';
import { SYSTEM_NAMES } from './systemnames.js';

/** Lines that go into force together. */
interface Step {
  readonly text: string;
  /** The number of its first line. */
  readonly firstLine: number;
}

const SAYS_NOTHING = /^\s*(#.*)?$/;

function stepsOf({ text }: Input, atomic: boolean): readonly Step[] {
  const steps = text
    .split('\n')
    .map((line, at) => ({ text: line, firstLine: at + 1 }))
    .filter((step) => !SAYS_NOTHING.test(step.text));
  return atomic && steps.length > 0 ? [{ text, firstLine: 1 }] : steps;
}

function readOptions(words: readonly string[]): { readonly atomic: boolean } {
  const odd = words.find((word) => word !== '--atomic');
  if (odd === undefined) return { atomic: words.length > 0 };
  const help = '`sockfilter -` reads its commands from standard input, as lines of a rule file';
  throw new CommandError(`\`-\` takes no \`${odd}\``, EXIT.usage, help);
}

/** Stops at the first line that can't be; those before it stand. */
export async function runBatch(argv: readonly string[]): Promise<void> {
  const { globals, rest } = splitGlobals(argv);
  const { atomic } = readOptions(rest.slice(1));
  const input = readInput('-');
  optimizeLater(input.text.length);
  let isBegun = false;
  for (const step of stepsOf(input, atomic)) {
    const { text, firstLine } = step;
    const read = (base: Table) => {
      const parsed = parseSave(text, input.name, { names: SYSTEM_NAMES, base, firstLine });
      if (parsed.diagnostics.length > 0) throw new DiagnosticsError(parsed.diagnostics, input);
      return parsed;
    };
    try {
      await withTable(globals, 'edit', (open) => addTo(open, step, read, { counters: false }));
    } catch (error) {
      if (isBegun) note(`what stands before line ${firstLine} is in force`);
      throw error;
    }
    isBegun = true;
  }
}
