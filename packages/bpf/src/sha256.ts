/** SHA-256 where koffi is loaded anyway: node:crypto takes 13 ms to load, for the same function of the same library. */
import { createHash } from 'node:crypto';
import { native } from './native.js';

const DIGEST_BYTES = 32;

type Sha256 = (data: Uint8Array, length: number, digest: Uint8Array) => unknown;

/** OpenSSL's, which node has inside or is linked with; undefined where it is not to be found. */
function findSha256(): Sha256 | undefined {
  try {
    return native().program.func('SHA256', 'void *', ['const void *', 'size_t', 'void *']);
  } catch {
    return undefined;
  }
}

let found: { readonly hash: Sha256 | undefined } | undefined;

/** The SHA-256 of some bytes, in hexadecimal. */
export function sha256(bytes: Uint8Array): string {
  found ??= { hash: findSha256() };
  const digest = Buffer.alloc(DIGEST_BYTES);
  const isDone = found.hash && found.hash(bytes, bytes.length, digest) !== null;
  return isDone ? digest.toString('hex') : createHash('sha256').update(bytes).digest('hex');
}
