/**
 * JSON with integers of any length. JSON.parse rounds integers of more than 53 bits, and a counter of bytes,
 * or an element that never times out, can be one: they are read as bigint and printed with all their digits.
 */

/** Where an integer may be that a number doesn't hold; digits of a string too. */
const LONG = /\d{16}/;

/** A string, which stays, or an integer of 16 digits or more. */
const TOKEN = /"(?:[^"\\]|\\.)*"|-?\d{16,}(?![\d.eE])/g;

/** JSON.parse, but with bigints where a number would be rounded. Throws SyntaxError as it does. */
export function parseJson(text: string): unknown {
  if (!LONG.test(text)) return JSON.parse(text);
  const mark = crypto.randomUUID();
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
    const mark = crypto.randomUUID();
    const replacer = (_: string, part: unknown) => (typeof part === 'bigint' ? mark + part : part);
    const marked = JSON.stringify(value, replacer, indent);
    return marked.replaceAll(new RegExp(`"${mark}(-?\\d+)"`, 'g'), '$1');
  }
}
