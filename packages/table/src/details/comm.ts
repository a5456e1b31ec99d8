import type { DetailDescriptor } from '../detail.js';
import { MAX_NAME_BYTES, NAME_BITS, NAMES, nameValue, nameWords } from './name.js';

const STRANGER = "a packet is judged while some task or other runs, which need not be the socket's";

/** The name of the calling task's thread, which the task itself sets: prctl(2), PR_SET_NAME. */
export const comm: DetailDescriptor = {
  bits: NAME_BITS,
  absent: { ACCEPT: STRANGER, RECVFROM: STRANGER },
  values: { set: NAMES, reason: `the name of a task has ${MAX_NAME_BYTES} bytes at most` },
  dodge: {
    chains: ['BIND', 'CONNECT', 'SENDTO'],
    byNone: false,
    text: 'any thread can give itself another name',
  },
  text: 'name of the calling thread',
  ...nameWords((text) => {
    const value = nameValue(text);
    return value === undefined ? undefined : [value, value];
  }),
  help: `a name of 1 to ${MAX_NAME_BYTES} bytes`,
};
