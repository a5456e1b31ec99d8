/** SHA-256 of texts, where there may be no node and no promise. */
import { sha256 } from '@noble/hashes/sha2';
import { bytesToHex } from '@noble/hashes/utils';

const bytesOf = (text: string) => sha256(new TextEncoder().encode(text));

export function hexDigest(text: string): string {
  return bytesToHex(bytesOf(text));
}

/** As a content security policy names a script or a style that it lets run. */
export function policyHash(text: string): string {
  return `'sha256-${btoa(String.fromCharCode(...bytesOf(text)))}'`;
}
