/** A text in UTF-8 and what an edit makes of it. New memory costs more than all that is done with it here. */
import { isAscii } from 'node:buffer';
import type { TextBytes } from '@sockfilter/iptables';
import { elementAt } from '@sockfilter/table';

/** From a byte of the text on some go, and other text comes in their place. */
export interface TextEdit {
  readonly at: number;
  readonly removed: number;
  readonly added: string;
}

export function decode(bytes: Buffer): string {
  return bytes.toString(isAscii(bytes) ? 'latin1' : 'utf8');
}

export function textBytes(bytes: Buffer): TextBytes {
  return {
    bytes,
    slice: (start, end) => decode(bytes.subarray(start, end)),
    find: (words, from) => bytes.indexOf(words, from),
  };
}

/** What stays behind an edit, up to the next one. */
interface Stretch {
  readonly from: number;
  readonly end: number;
  readonly to: number;
}

/** Where the text goes behind each of the edits. */
function stretchesOf(edits: readonly TextEdit[], puts: readonly Buffer[], length: number) {
  let more = 0;
  return edits.map(({ at, removed }, n): Stretch => {
    more += elementAt(puts, n).length - removed;
    const from = at + removed;
    return { from, end: edits[n + 1]?.at ?? length, to: from + more };
  });
}

/**
 * The text after edits that follow each other in it, in the memory of the one that there was, if there is room behind it; and what gives
 * that back as long as nothing else changes the edited one.
 */
export function editBytes(
  bytes: Buffer,
  edits: readonly TextEdit[],
): { readonly text: Buffer; readonly before: () => Buffer } {
  const puts = edits.map(({ added }) => Buffer.from(added));
  const gone = edits.map(({ at, removed }) => Buffer.from(bytes.subarray(at, at + removed)));
  const stretches = stretchesOf(edits, puts, bytes.length);
  const last = stretches.at(-1);
  const length = bytes.length + (last ? last.to - last.from : 0);
  const hasRoom = length <= bytes.buffer.byteLength - bytes.byteOffset;
  const memory = hasRoom
    ? Buffer.from(bytes.buffer, bytes.byteOffset, Math.max(length, bytes.length))
    : Buffer.concat([bytes], length);
  // What goes to the left never comes over what goes to the right, nor over what stands before it.
  for (const { from, end, to } of stretches) if (to < from) memory.copyWithin(to, from, end);
  for (const { from, end, to } of stretches.toReversed())
    if (to > from) memory.copyWithin(to, from, end);
  puts.forEach((put, n) => {
    memory.set(put, elementAt(stretches, n).to - put.length);
  });
  const text = memory.subarray(0, length);
  const before = () =>
    Buffer.concat([
      text.subarray(0, edits[0]?.at),
      ...stretches.flatMap(({ from, end, to }, n) => [
        elementAt(gone, n),
        text.subarray(to, to + end - from),
      ]),
    ]);
  return { text, before };
}
