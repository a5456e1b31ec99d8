/** What edits of a text give, with no memory spared: what edits of bytes are held against. */
import type { TextBytes } from '@sockfilter/iptables';
import type { TextEdit } from '../../packages/cli/src/textedit.js';

export function editText({ bytes, slice }: TextBytes, edits: readonly TextEdit[]): string {
  const behind = [...edits.slice(1).map(({ at }) => at), bytes.length];
  const parts = edits.map(
    ({ at, removed, added }, n) => `${added}${slice(at + removed, behind[n] ?? 0)}`,
  );
  return `${slice(0, edits[0]?.at ?? bytes.length)}${parts.join('')}`;
}

export const wholeText = ({ bytes, slice }: TextBytes): string => slice(0, bytes.length);
