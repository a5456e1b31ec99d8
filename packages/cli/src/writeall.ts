/** Writing to the end; node's own streams take 5 ms to load. */
import { writeSync } from 'node:fs';
import { errnoOf } from './errno.js';

/** A terminal or pipe that others have made nonblocking may be full for a moment. */
const FULL_MS = 5;

/** The text in UTF-8; bytes are that already. */
export function bytesOf(text: string | Uint8Array): Uint8Array {
  return typeof text === 'string' ? Buffer.from(text) : text;
}

/** Writes all of it before it returns. A reader that has gone, as in `sockfilter -S | head`, is no failure; then it gives false. */
export function writeAll(fd: 1 | 2, text: string | Uint8Array): boolean {
  const bytes = bytesOf(text);
  for (let at = 0; at < bytes.length; ) {
    try {
      at += writeSync(fd, bytes, at);
    } catch (error) {
      const code = errnoOf(error);
      if (code === 'EPIPE') return false;
      if (code !== 'EAGAIN') throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, FULL_MS);
    }
  }
  return true;
}
