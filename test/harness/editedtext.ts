/** What an edit of a text gives, with no memory spared: what edits of bytes are held against. */
import type { TextEdit } from '../../packages/cli/src/textedit.js';

export function editText(text: string, { at, removed, added }: TextEdit): string {
  return `${text.slice(0, at)}${added}${text.slice(at + removed)}`;
}
