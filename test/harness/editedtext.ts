/** What an edit of a text gives, with no memory spared: what edits of bytes are held against. */
import type { TextBytes } from '@sockfilter/iptables';
import type { TextEdit } from '../../packages/cli/src/textedit.js';

export function editText({ bytes, slice }: TextBytes, { at, removed, added }: TextEdit): string {
  return `${slice(0, at)}${added}${slice(at + removed, bytes.length)}`;
}

export const wholeText = ({ bytes, slice }: TextBytes): string => slice(0, bytes.length);
