/** Hashes of texts in force, by what is loaded for these anyway: commands on files load nothing of it. */
import { sha256 } from '@sockfilter/bpf';

/** SHA-256 in hexadecimal, of a text in UTF-8. */
export function hashText(text: string | Uint8Array): string {
  return sha256(typeof text === 'string' ? Buffer.from(text) : text);
}
