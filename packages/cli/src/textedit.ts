/** A text in UTF-8 and what an edit makes of it. New memory costs more than all that is done with it here. */
import { isAscii } from 'node:buffer';
import type { TextBytes } from '@sockfilter/iptables';

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

/**
 * The edited text, in the memory of the one that there was, if there is room behind it; and what gives that back as long as
 * nothing else changes the edited one.
 */
export function editBytes(
  bytes: Buffer,
  { at, removed, added }: TextEdit,
): { readonly text: Buffer; readonly before: () => Buffer } {
  const put = Buffer.from(added);
  const gone = Buffer.from(bytes.subarray(at, at + removed));
  const length = bytes.length - removed + put.length;
  const hasRoom = length <= bytes.buffer.byteLength - bytes.byteOffset;
  const memory = hasRoom
    ? Buffer.from(bytes.buffer, bytes.byteOffset, Math.max(length, bytes.length))
    : Buffer.concat([bytes], length);
  memory.copyWithin(at + put.length, at + removed, bytes.length);
  memory.set(put, at);
  const text = memory.subarray(0, length);
  const before = () => Buffer.concat([text.subarray(0, at), gone, text.subarray(at + put.length)]);
  return { text, before };
}
