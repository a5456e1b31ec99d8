/**
 * Words of save files and of command lines.
 *
 * In a file as iptables-restore reads it: blanks part words; a double quote opens a string, in which
 * a backslash takes the next character as it is, and the closing quote ends the word. Beyond that, a
 * single quote at the start of a word opens a string without escapes.
 */
import {
  type Diagnostic,
  LineWord,
  quoteShell,
  type Source,
  type Word,
} from '@sockfilter/language';

export interface LexedLine {
  readonly words: readonly Word[];
  readonly diagnostic: Diagnostic | undefined;
}

const TAB = 0x09;
const RETURN = 0x0d;
const BLANK = 0x20;
const DOUBLE = 0x22;
const SINGLE = 0x27;
const BACKSLASH = 0x5c;

function isBlank(code: number): boolean {
  return code === BLANK || code === TAB || code === RETURN;
}

/** The end of the piece without quotes that starts here. */
function plainEnd(text: string, from: number): number {
  let at = from;
  for (; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (isBlank(code) || code === DOUBLE) break;
  }
  return at;
}

/** What a backslash in double quotes is written for. */
function isQuotable(code: number): boolean {
  return code === DOUBLE || code === SINGLE || code === BACKSLASH;
}

/** What stands between the quote before `from` and the next; `end` is after that, undefined without it. */
function readQuoted(text: string, from: number, quote: number) {
  let word = '';
  let eaten: string | undefined;
  for (let at = from; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === quote) return { word, end: at + 1, eaten };
    if (code === BACKSLASH && quote === DOUBLE && at + 1 < text.length) {
      if (!isQuotable(text.charCodeAt(at + 1))) eaten ??= text.slice(at, text.indexOf('"', at));
      at++;
    }
    word += text.charAt(at);
  }
  return { word, end: undefined, eaten };
}

/** The words of one line, which stands at `line` of the source. */
export function lexLine(text: string, source: string, line: number): LexedLine {
  const words: Word[] = [];
  const place = { source, line };
  for (let at = 0; at < text.length; ) {
    if (isBlank(text.charCodeAt(at))) {
      at++;
      continue;
    }
    const single = text.charCodeAt(at) === SINGLE;
    const start = single ? at : plainEnd(text, at);
    const quote = single ? SINGLE : text.charCodeAt(start) === DOUBLE ? DOUBLE : undefined;
    const bare = text.slice(at, start);
    const column = at + 1;
    if (quote === undefined) {
      words.push(new LineWord(bare, false, place, column, bare.length));
      at = start;
      continue;
    }
    const { word, end, eaten } = readQuoted(text, start + 1, quote);
    const length = (end ?? text.length) - at;
    if (end === undefined) {
      const message = `no closing ${quote === DOUBLE ? 'double' : 'single'} quote`;
      const span = { source, line, column, length };
      return { words, diagnostic: { code: 'bad-line', message, span, exit: 2 } };
    }
    words.push(new LineWord(bare + word, true, place, column, length, eaten));
    at = end;
  }
  return { words, diagnostic: undefined };
}

export interface CommandLine {
  readonly source: Source;
  readonly words: readonly Word[];
}

/** A command line as one line of text, quoted for a shell, and its words in it. */
export function commandLine(argv: readonly string[], name = 'command line'): CommandLine {
  const words: Word[] = [];
  let text = '';
  for (const arg of argv) {
    if (text !== '') text += ' ';
    const written = quoteShell(arg).replaceAll('\n', ' ');
    const span = { source: name, line: 1, column: text.length + 1, length: written.length };
    words.push({ text: arg, span, quoted: false });
    text += written;
  }
  return { source: { name, text }, words };
}
