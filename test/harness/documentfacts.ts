/** What a document says: its parts, the rows of its tables, and the words that name something. */
import { readDocument } from './documents.js';

/** The text below a heading, up to the next one. */
export function section(path: string, heading: string): string {
  const [, body] = readDocument(path).split(new RegExp(`^#+ ${heading}$`, 'm'));
  if (body === undefined) throw new Error(`${path} has no heading ${heading}`);
  return body.split(/^#+ /m)[0] ?? '';
}

/** The first table of a text: its cells, without the head. */
export function rowsOf(text: string): readonly (readonly string[])[] {
  const lines = text.split('\n');
  const first = lines.findIndex((line) => line.startsWith('|'));
  const table = lines.slice(first);
  const end = table.findIndex((line) => !line.startsWith('|'));
  return table.slice(2, end < 0 ? undefined : end).map((line) =>
    line
      .replace(/^\|\s*|\s*\|$/g, '')
      .split(/\s*(?<!\\)\|\s*/)
      .map((cell) => cell.replaceAll('\\|', '|')),
  );
}

/** What stands in backquotes. */
export const quoted = (text: string) =>
  [...text.matchAll(/`([^`]+)`/g)].map(([, word = '']) => word);

/** The options that are named, without their dashes. */
export const flagsIn = (text: string) =>
  [...text.matchAll(/(?<![\w-])--([a-z][a-z0-9-]*)/g)].map(([, name = '']) => name);
