/** Reading what a command is given to read. */
import { readFileSync } from 'node:fs';

/** The name that standard input has as a file. */
export const STANDARD_INPUT = '/dev/stdin';

export interface Input {
  readonly name: string;
  readonly text: string;
}

/** The file, or standard input without one or for `-`. */
export function readInput(file: string | undefined): Input {
  if (file !== undefined && file !== '-') return { name: file, text: readFileSync(file, 'utf8') };
  return { name: 'standard input', text: readFileSync(0, 'utf8') };
}
