/** The only places that write, and the only one that ends the process. */
import { WriteStream } from 'node:tty';
import { EXIT, escapeLines, escapeUnseen } from '@sockfilter/language';
import { describeFailure } from './failure.js';
import { atPlace, typedPlace } from './globals.js';
import { isTerminal } from './terminal.js';
import { bytesOf, writeAll } from './writeall.js';

interface Output {
  readonly fd: 1 | 2;
  readonly text: string | Uint8Array;
}

/** What waits to be written while `holdOutput` works. */
let held: Output[] | undefined;

/**
 * Runs what has a lock, and writes what it prints when it has let go: a pager that nobody scrolls stops whoever writes
 * into it, and must not stop those who wait for the lock. What is printed before it throws is written too.
 */
export function holdOutput<T>(use: () => T): T {
  if (held) return use();
  const waiting: Output[] = [];
  held = waiting;
  try {
    return use();
  } finally {
    held = undefined;
    for (const { fd, text } of waiting) write(fd, text);
  }
}

/** False once nobody reads it. */
function write(fd: 1 | 2, text: string | Uint8Array): boolean {
  if (!held) return writeAll(fd, text);
  held.push({ fd, text });
  return true;
}

/** Prints lines for people. */
export function print(text: string): void {
  write(1, escapeLines(text));
}

/** Prints lines of an output without end; false once nobody reads them. */
export function printOn(text: string): boolean {
  return write(1, escapeLines(text));
}

/** Prints what has its escapes and colours, or none. */
export function printDrawn(text: string): void {
  write(1, text);
}

/** Columns and lines of the terminal that standard output is. */
export function windowSize(): readonly [number, number] {
  return new WriteStream(1).getWindowSize();
}

/**
 * Prints rules, which another program may read back: only a terminal gets them escaped. Bytes are of a text in UTF-8, and stay as
 * they are until they are written.
 */
export function printRuleText(...parts: readonly (string | Uint8Array)[]): void {
  if (isTerminal(1)) write(1, escapeLines(Buffer.concat(parts.map(bytesOf)).toString()));
  else for (const part of parts) write(1, part);
}

/** Lines beside the output, which have their escapes. */
export function tell(text: string): void {
  write(2, text);
}

/** Where the command that runs works, for the commands that it tells of. */
let place = '';

/** The text with its commands as they work on the table that this one works on. */
export function forThisTable(text: string): string {
  return atPlace(text, place);
}

/** For what a person should know, beside the output. */
export function note(text: string): void {
  write(2, `sockfilter: ${escapeUnseen(forThisTable(text))}\n`);
}

function wantsColour(): boolean {
  return isTerminal(2) && !process.env.NO_COLOR && process.env.TERM !== 'dumb';
}

/** Runs the command of these words to its end and sets the exit status that it leads to. */
export async function finish(
  argv: readonly string[],
  command: () => void | Promise<void>,
): Promise<void> {
  place = typedPlace(argv);
  try {
    await command();
  } catch (error) {
    const { text, exit } = describeFailure(error, wantsColour());
    const trace = process.env.SOCKFILTER_DEBUG && error instanceof Error ? error.stack : undefined;
    // What is wrong with the words is told of commands in general.
    const told = exit === EXIT.usage ? text : forThisTable(text);
    write(2, trace === undefined ? told : `${told}${trace}\n`);
    process.exitCode = exit;
  }
}
