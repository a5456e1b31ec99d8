/** Reading what a command is given to read. */
import { readFileSync } from 'node:fs';
import { decodeSource } from '@sockfilter/language';
import { DiagnosticsError } from './failure.js';

/** The name that standard input has as a file. */
export const STANDARD_INPUT = '/dev/stdin';

export interface Input {
  readonly name: string;
  readonly text: string;
}

/** The text of a file, or of a descriptor; throws the mistake of one that is not UTF-8. */
export function readTextFile(file: string | number, name: string): string {
  return decodeText(readFileSync(file), name);
}

export function decodeText(bytes: Uint8Array, name: string): string {
  const { source, diagnostic } = decodeSource(bytes, name);
  if (diagnostic) throw new DiagnosticsError([diagnostic], source);
  return source.text;
}

/** Whether this names a file: no name, `-` and the name that it has as a file are standard input. */
export function namesFile(file: string | undefined): file is string {
  return file !== undefined && file !== '-' && file !== STANDARD_INPUT;
}

/** The file, or standard input without one or for `-`. */
export function readInput(file: string | undefined): Input {
  if (namesFile(file)) return { name: file, text: readTextFile(file, file) };
  return { name: 'standard input', text: readTextFile(0, 'standard input') };
}
