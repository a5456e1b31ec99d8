/** Tables on trial: `restore --confirm`, `confirm` and `undo`. */
import { createInterface } from 'node:readline/promises';
import { isatty } from 'node:tty';
import { EXIT } from '@sockfilter/language';
import { CommandError } from './failure.js';
import { type Globals, requireLive } from './globals.js';
import { confirmTrial, goBack } from './livetable.js';
import { note, print } from './output.js';

/** A week: who needs longer has no trial. */
const MAX_SECONDS = 604_800;

export function readSeconds(text: string): number {
  const seconds = Number(text);
  if (/^\d+$/.test(text) && seconds >= 1 && seconds <= MAX_SECONDS) return seconds;
  const message = `invalid number of seconds \`${text}\`: it is 1 to ${MAX_SECONDS}`;
  throw new CommandError(message, EXIT.usage);
}

/** What the person at the terminal answers within the time; undefined if nothing. */
async function ask(question: string, seconds: number): Promise<string | undefined> {
  const reader = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const signal = AbortSignal.timeout(seconds * 1000);
    return await reader.question(question, { signal });
  } catch {
    return undefined;
  } finally {
    reader.close();
  }
}

/**
 * Asks at a terminal whether the table that is on trial stays, and says elsewhere how to confirm it. The
 * kernel counts the seconds: what becomes of this process is of no importance.
 */
export async function awaitConfirmation(
  globals: Globals,
  seconds: number,
  canAsk: boolean,
): Promise<void> {
  if (!canAsk || !isatty(0) || !isatty(2)) {
    note(
      `the table is in force for ${seconds} s: \`sockfilter confirm\` keeps it, \`sockfilter undo\` puts the one before back`,
    );
    return;
  }
  const answer = await ask(`Is all as it should be? y keeps the rules (${seconds} s): `, seconds);
  if (answer?.trim().toLowerCase().startsWith('y')) {
    confirmTrial(globals);
    return;
  }
  if (answer !== undefined) goBack(globals);
  throw new CommandError('not confirmed: the table before is in force again', EXIT.unfit);
}

export function confirm(globals: Globals): void {
  requireLive(globals, 'confirm');
  confirmTrial(globals);
}

export function undo(globals: Globals): void {
  requireLive(globals, 'undo');
  print(`${goBack(globals)}\n`);
}
