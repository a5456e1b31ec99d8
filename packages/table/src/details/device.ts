import type { DetailDescriptor } from '../detail.js';
import type { Range } from '../valueset.js';
import { MAX_NAME_BYTES, NAME_BITS, NAMES, namesFrom, nameValue, nameWords } from './name.js';

/**
 * The name of a device: the one that the socket is bound to or that the message names; in ACCEPT and RECVFROM the
 * one that the packet came in by.
 */
export const device: DetailDescriptor = {
  bits: NAME_BITS,
  absent: {},
  values: { set: NAMES, reason: `the name of a device has ${MAX_NAME_BYTES} bytes at most` },
  dodge: {
    chains: ['BIND', 'CONNECT', 'SENDTO'],
    byNone: true,
    text: 'a socket that names no device has none when it is judged, whichever the kernel then takes',
  },
  text: 'device: in ACCEPT and RECVFROM the one that the packet came in by, else the one that the socket is bound to',
  ...nameWords(readDevice),
  help: `a name of 1 to ${MAX_NAME_BYTES} bytes, with \`+\` at its end all that begin so`,
};

/** `eth0`, or `eth+` for all that begin so, as in iptables. */
function readDevice(text: string): Range | undefined {
  if (/[\s/!]/u.test(text)) return undefined;
  if (text.endsWith('+')) return namesFrom(text.slice(0, -1));
  const value = nameValue(text);
  return value === undefined ? undefined : [value, value];
}
