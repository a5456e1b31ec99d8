/** Writing words so that they read back as the same words. */

/** As iptables-save does: bare only if every character is a letter, a digit, `_` or `-`. */
export function quoteSaved(text: string): string {
  return /^[A-Za-z0-9_-]+$/.test(text) ? text : `"${text.replace(/["\\']/g, '\\$&')}"`;
}

/** The text that `quoteSaved` has written. */
export function unquoteSaved(text: string): string {
  return text.replace(/^"|"$/g, '').replace(/\\(.)/g, '$1');
}
