/** A text in UTF-8 and what an edit makes of it. New memory costs more than all that is done with it here. */
import { isAscii } from 'node:buffer';

/** From `at` on some of the text goes, and other comes in its place. */
export interface TextEdit {
  readonly at: number;
  readonly removed: number;
  readonly added: string;
}

export function decode(bytes: Buffer): string {
  return bytes.toString(isAscii(bytes) ? 'latin1' : 'utf8');
}

/** The same edit in bytes; most texts are ASCII, where it is the same. */
function inBytes(bytes: Buffer, text: string, { at, removed, added }: TextEdit) {
  const put = Buffer.from(added);
  if (bytes.length === text.length) return { start: at, end: at + removed, put };
  const start = Buffer.byteLength(text.slice(0, at));
  return { start, end: start + Buffer.byteLength(text.slice(at, at + removed)), put };
}

/** The edited text, which `bytes` are in UTF-8. It takes their memory, if there is room behind them. */
export function editBytes(bytes: Buffer, text: string, edit: TextEdit): Buffer {
  const { start, end, put } = inBytes(bytes, text, edit);
  const length = bytes.length - (end - start) + put.length;
  if (length > bytes.buffer.byteLength - bytes.byteOffset)
    return Buffer.concat([bytes.subarray(0, start), put, bytes.subarray(end)]);
  const made = Buffer.from(bytes.buffer, bytes.byteOffset, Math.max(length, bytes.length));
  made.copyWithin(start + put.length, end, bytes.length);
  made.set(put, start);
  return made.subarray(0, length);
}
