/**
 * Documents as text. JSON.parse rounds integers of more than 53 bits, and a counter of bytes, or an
 * element that never times out, can be one: they are read as bigint and printed with all their digits.
 */
import { randomUUID } from 'node:crypto';
import type { z } from 'zod';
import { type Checked, check, NftFormatError, type UnknownKey } from './check.js';
import { type Document, documentSchema } from './document.js';

/** Where an integer may be that a number doesn't hold; digits of a string too. */
const LONG = /\d{16}/;

/** A string, which stays, or an integer of 16 digits or more. */
const TOKEN = /"(?:[^"\\]|\\.)*"|-?\d{16,}(?![\d.eE])/g;

/** JSON.parse, but with bigints where a number would be rounded. Throws SyntaxError as it does. */
export function parseJson(text: string): unknown {
  if (!LONG.test(text)) return JSON.parse(text);
  const mark = randomUUID();
  const marked = text.replace(TOKEN, (token) =>
    token.startsWith('"') || Number.isSafeInteger(Number(token)) ? token : `"${mark}${token}"`,
  );
  return JSON.parse(marked, (_, value) =>
    typeof value === 'string' && value.startsWith(mark) ? BigInt(value.slice(mark.length)) : value,
  );
}

/** JSON.stringify, and bigints as integers. */
export function printJson(value: unknown, indent?: number): string {
  try {
    return JSON.stringify(value, undefined, indent);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    // Most documents have no bigint, and a replacer costs several times the printing.
    const mark = randomUUID();
    const replacer = (_: string, part: unknown) => (typeof part === 'bigint' ? mark + part : part);
    const marked = JSON.stringify(value, replacer, indent);
    return marked.replaceAll(new RegExp(`"${mark}(-?\\d+)"`, 'g'), '$1');
  }
}

/** Checks text against a schema: what isn't JSON is a problem of the whole. */
export function checkText<T>(schema: z.ZodType<T>, text: string): Checked<T> {
  let value: unknown;
  try {
    value = parseJson(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    const problem = {
      path: [],
      place: '$',
      expected: 'JSON',
      received: error.message,
      message: `not JSON: ${error.message}`,
    };
    return { ok: false, problems: [problem] };
  }
  return check(schema, value);
}

/** A document, and the keys in it that no schema knows. */
export interface ParsedDocument {
  readonly document: Document;
  readonly unknown: readonly UnknownKey[];
}

/** Reads what `nft -j` has printed or what is to be given to it; throws NftFormatError. */
export function parseDocument(text: string): ParsedDocument {
  const checked = checkText(documentSchema, text);
  if (!checked.ok) throw new NftFormatError(checked.problems);
  return { document: checked.value, unknown: checked.unknown };
}

/** A document as text that nft reads. */
export function printDocument(document: Document, indent?: number): string {
  return printJson(document, indent);
}
