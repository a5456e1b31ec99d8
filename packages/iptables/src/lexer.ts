/**
 * Words of save files and of command lines.
 *
 * In a file as iptables-restore reads it: blanks part words; a double quote opens a string, in which
 * a backslash takes the next character as it is, and the closing quote ends the word. Beyond that, a
 * single quote at the start of a word opens a string without escapes.
 */
import type { Diagnostic } from './diagnostic.js';
import { quoteShell } from './quote.js';
import type { Source, Word } from './source.js';

export interface LexedLine {
  readonly words: readonly Word[];
  readonly diagnostic: Diagnostic | undefined;
}

/** The words of one line, which stands at `line` of the source. */
export function lexLine(text: string, source: string, line: number): LexedLine {
  const words: Word[] = [];
  let at = 0;
  const spanFrom = (from: number) => ({ source, line, column: from + 1, length: at - from });
  while (at < text.length) {
    if (/[ \t\r]/.test(text.charAt(at))) {
      at++;
      continue;
    }
    const from = at;
    let word = '';
    let quote: string | undefined;
    let quoted = false;
    for (; at < text.length; at++) {
      const c = text.charAt(at);
      if (quote !== undefined) {
        if (c === '\\' && quote === '"' && at + 1 < text.length) word += text.charAt(++at);
        else if (c === quote) {
          quote = undefined;
          at++;
          break;
        } else word += c;
      } else if (c === '"' || (c === "'" && at === from)) {
        quote = c;
        quoted = true;
      } else if (/[ \t\r]/.test(c)) break;
      else word += c;
    }
    if (quote !== undefined) {
      const message = `no closing ${quote === '"' ? 'double' : 'single'} quote`;
      return {
        words,
        diagnostic: { code: 'bad-line', message, span: spanFrom(from), exit: 2 },
      };
    }
    words.push({ text: word, span: spanFrom(from), quoted });
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
