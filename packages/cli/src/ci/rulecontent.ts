/** Whether a file is about sockets at all: many programs have files that end in `.rules`. */

import { decodeSource } from '@sockfilter/language';
import { isJson } from '@sockfilter/nftables';

/** A table line, or a declaration or rule of one of our chains, so that a misspelt table is no way out. */
const OURS =
  /^\s*(\*\s*socket|:\s*(BIND|ACCEPT|CONNECT|SENDTO|RECVFROM)\b|-[AIRPN]\s+(BIND|ACCEPT|CONNECT|SENDTO|RECVFROM)\b)/im;

const LFS_POINTER = 'version https://git-lfs.github.com/spec/';

export function isLfsPointer(bytes: Buffer): boolean {
  return bytes.subarray(0, LFS_POINTER.length).toString('latin1') === LFS_POINTER;
}

/** `rules` of ours; `other`, which a folder may hold; `unknown` where that cannot be told. */
export function contentOf(bytes: Buffer): 'rules' | 'other' | 'unknown' {
  if (isLfsPointer(bytes)) return 'unknown';
  const { source, diagnostic } = decodeSource(bytes, '');
  if (diagnostic) return 'unknown';
  if (isJson(source.text)) return /"(nftables|socket)"/.test(source.text) ? 'rules' : 'other';
  return OURS.test(source.text) ? 'rules' : 'other';
}
