/** Documents as text. */
import type { z } from 'zod';
import { type Checked, check, NftFormatError, type UnknownKey } from './check.js';
import { type Document, documentSchema } from './document.js';
import { parseJson, printJson } from './json.js';

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
