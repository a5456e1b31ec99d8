/** Bytes of a file as text: UTF-8, with or without a byte order mark; nothing else is guessed at. */
import type { Diagnostic } from './diagnostic.js';
import type { Source } from './source.js';

export interface DecodedSource {
  /** Characters that could not be read are U+FFFD. */
  readonly source: Source;
  /** Undefined if all could be read. */
  readonly diagnostic: Diagnostic | undefined;
}

/** The encoding that the first bytes tell, by the name that iconv has for it. */
function wideEncoding(bytes: Uint8Array): 'UTF-16LE' | 'UTF-16BE' | undefined {
  const [first, second] = bytes;
  if (first === 0xff && second === 0xfe) return 'UTF-16LE';
  if (first === 0xfe && second === 0xff) return 'UTF-16BE';
  const [, , third, fourth] = bytes;
  if (second === 0 && fourth === 0 && first !== 0) return 'UTF-16LE';
  if (first === 0 && third === 0 && second !== 0) return 'UTF-16BE';
  return undefined;
}

const UTF8 = new TextDecoder('utf-8', { ignoreBOM: true });
const STRICT_UTF8 = new TextDecoder('utf-8', { ignoreBOM: true, fatal: true });

/** The text; undefined if the bytes are no UTF-8. */
function strictText(bytes: Uint8Array): string | undefined {
  try {
    return STRICT_UTF8.decode(bytes);
  } catch {
    return undefined;
  }
}

const isUtf8 = (bytes: Uint8Array): boolean => strictText(bytes) !== undefined;

/** Where the first byte stands that is no UTF-8: a line that ends there, and that byte. */
function firstFault(bytes: Uint8Array) {
  let line = 1;
  for (let from = 0; from <= bytes.length; line++) {
    const end = bytes.indexOf(0x0a, from);
    const to = end < 0 ? bytes.length : end;
    const piece = bytes.subarray(from, to);
    if (!isUtf8(piece)) {
      let good = 0;
      while (isUtf8(piece.subarray(0, good + 1)) || isUtf8(piece.subarray(0, good + 2))) good++;
      const column = UTF8.decode(piece.subarray(0, good)).replace(/\ufffd+$/, '').length + 1;
      const byte = piece[good];
      return { line, column, byte };
    }
    from = to + 1;
  }
  return { line: 1, column: 1, byte: undefined };
}

const ENCODER = new TextEncoder();

/** How many bytes the text has as UTF-8. */
export function byteLength(text: string): number {
  return ENCODER.encode(text).length;
}

export function decodeSource(bytes: Uint8Array, name: string): DecodedSource {
  const wide = wideEncoding(bytes);
  const text = strictText(bytes);
  const source = { name, text: text ?? UTF8.decode(bytes) };
  if (wide === undefined && text !== undefined) return { source, diagnostic: undefined };
  const convert = (from: string) => `convert it: \`iconv -f ${from} -t UTF-8 ${name}\``;
  const at = (line: number, column: number) => ({ source: name, line, column, length: 1 });
  if (wide !== undefined) {
    const message = `the text is ${wide}, and rules are read as UTF-8`;
    const span = at(1, 1);
    // Its bytes make no line that anybody could read.
    const diagnostic = { code: 'bad-line', message, span, exit: 2, help: convert(wide) } as const;
    return { source: { name, text: '' }, diagnostic };
  }
  const { line, column, byte } = firstFault(bytes);
  const shown = byte === undefined ? '' : `: byte 0x${byte.toString(16)} stands here`;
  const message = `the text is not UTF-8${shown}`;
  const help = `if it is Latin-1, ${convert('LATIN1')}`;
  return {
    source,
    diagnostic: { code: 'bad-line', message, span: at(line, column), exit: 2, help },
  };
}
