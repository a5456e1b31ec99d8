/** What targets that log are told. */
import { bad, byteLength, didYouMean, good } from '@sockfilter/language';
import { quoteSaved } from '../quote.js';
import { readNumber } from './number.js';
import { defineValue } from './syntax.js';
import { hasControl } from './text.js';

/** The text up to so many bytes of UTF-8, with no character cut in two. */
function cut(text: string, bytes: number): string {
  let kept = '';
  for (const character of text) {
    if (byteLength(kept + character) > bytes) break;
    kept += character;
  }
  return kept;
}

export const prefix = defineValue('prefix', {
  verbatim: true,
  parse: ({ text, span }, _, { bounds: [, most] = [1n, 255n] }) => {
    if (text === '') return bad('bad-value', 'a prefix must not be empty', { span });
    if (hasControl(text))
      return bad('bad-value', 'a prefix must not contain control characters', { span });
    // What is too long is cut, as iptables does.
    return good({ kind: 'prefix', prefix: cut(text, Number(most)) });
  },
  print: (value) => quoteSaved(value.prefix),
});

/** The names that iptables has, the most urgent first. */
export const LOG_LEVELS: readonly string[] = [
  'panic',
  'alert',
  'crit',
  'error',
  'warning',
  'notice',
  'info',
  'debug',
];

/** The other name that it has for the first. */
const EMERGENCY = 'emerg';

function readLevel(text: string): number | undefined {
  const named = LOG_LEVELS.indexOf(text);
  if (named >= 0) return named;
  if (text === EMERGENCY) return 0;
  const level = readNumber(text);
  return level !== undefined && level < LOG_LEVELS.length ? level : undefined;
}

export const logLevel = defineValue('logLevel', {
  parse: ({ text, span }) => {
    const level = readLevel(text);
    if (level !== undefined) return good({ kind: 'logLevel', level });
    const help = didYouMean(text, LOG_LEVELS) ?? `it can be 0 to 7, or ${LOG_LEVELS.join(', ')}`;
    return bad('bad-value', `unknown log level \`${text}\``, { span, help });
  },
  print: ({ level }) => String(level),
});
