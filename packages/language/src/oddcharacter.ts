/** Characters that a word processor or a web page puts in the place of those that a rule is written in. */
import type { Diagnostic, DiagnosticCode } from './diagnostic.js';

/** What the character looks like; undefined for those that stand for themselves. */
function ordinary(character: string): string | undefined {
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x80) return undefined;
  if (/[\u2010-\u2015\u2212\ufe58\ufe63\uff0d]/.test(character)) return '-';
  if (/[\u00ab\u00bb\u201c-\u201f\u2033\uff02]/.test(character)) return '"';
  if (/[\u2018-\u201b\u2032\uff07]/.test(character)) return "'";
  if (/\p{Zs}/u.test(character)) return ' ';
  if (code >= 0xff01 && code <= 0xff5e) return String.fromCharCode(code - 0xfee0);
  if (/\p{Cf}/u.test(character)) return '';
  return undefined;
}

const DETAILS: readonly DiagnosticCode[] = [
  'bad-argument',
  'bad-chain',
  'bad-line',
  'bad-target',
  'bad-value',
  'missing',
  'unknown-name',
  'unknown-option',
  'unsupported',
];

/** Characters of one place that are told apart. */
const MOST = 3;

function codePoint(character: string): string {
  const code = (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
  return `U+${code}`;
}

function describe(character: string): string {
  const plain = ordinary(character);
  if (plain === '') return `there is a character that is not seen: ${codePoint(character)}`;
  if (plain === ' ') return `there is ${codePoint(character)}, which is no blank`;
  return `\`${character}\` is ${codePoint(character)}, not \`${plain}\``;
}

/** Says of each diagnostic which characters of its place are not what they look like. */
export function noteOddCharacters(
  diagnostics: readonly Diagnostic[],
  lineOf: (line: number) => string,
): readonly Diagnostic[] {
  return diagnostics.map((diagnostic) => {
    const { code, span, help, notes = [] } = diagnostic;
    if (!DETAILS.includes(code)) return diagnostic;
    const written = lineOf(span.line).slice(span.column - 1, span.column - 1 + span.length);
    const odd = [...new Set(written)].filter((character) => ordinary(character) !== undefined);
    if (odd.length === 0) return diagnostic;
    const plain = Array.from(written, (character) => ordinary(character) ?? character).join('');
    const isWhole = !/["'\\]/.test(plain);
    return {
      ...diagnostic,
      help: isWhole ? `write \`${plain}\`` : help,
      notes: [...notes, ...odd.slice(0, MOST).map(describe)],
    };
  });
}
