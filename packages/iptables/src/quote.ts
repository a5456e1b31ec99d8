/** Writing words so that they read back as the same words. */

/** As iptables-save does: bare only if every character is a letter, a digit, `_` or `-`. */
export function quoteSaved(text: string): string {
  return /^[A-Za-z0-9_-]+$/.test(text) ? text : `"${text.replace(/["\\']/g, '\\$&')}"`;
}

/** A word as `quoteSaved` has written it, as the source of a regular expression. */
export const SAVED_WORD = String.raw`[A-Za-z0-9_-]+|"(?:[^"\\]|\\.)*"`;

/** The text that `quoteSaved` has written. */
export function unquoteSaved(text: string): string {
  const inner = text.startsWith('"') ? text.slice(1, -1) : text;
  return inner.includes('\\') ? inner.replace(/\\(.)/g, '$1') : inner;
}
