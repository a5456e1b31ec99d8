import type { DetailDescriptor } from '../detail.js';

const MAX_INODE = 2n ** 32n - 1n;

/** The inode of the socket's network namespace, as `/proc/PID/ns/net` has it. */
export const netns: DetailDescriptor = {
  bits: 32,
  absent: {},
  text: 'network namespace of the socket, by its inode',
  print: ([from, to]) => (from === to ? `${from}` : `${from}-${to}`),
  read: (text) => {
    const [, first, last = first] =
      /^(?:net:\[)?(\d{1,10})\]?$/.exec(text) ?? /^(\d{1,10})-(\d{1,10})$/.exec(text) ?? [];
    if (first === undefined || last === undefined) return undefined;
    const [from, to] = [BigInt(first), BigInt(last)];
    return from <= to && to <= MAX_INODE ? [from, to] : undefined;
  },
  help: 'an inode, as `readlink /proc/self/ns/net` prints it',
};
