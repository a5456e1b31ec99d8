import { addImm, callHelper, mov, movImm, R1, R2, R10 } from '@sockfilter/bpf';
import type { DetailReader } from '../detailreader.js';
import { NAME, NAME_BYTES, putName } from './name.js';

/** bpf_get_current_comm fills up with NULs. */
export const comm: DetailReader = {
  ofCaller: true,
  read: ({ slots }) => [
    mov(R1, R10),
    addImm(R1, NAME),
    movImm(R2, NAME_BYTES),
    callHelper('get_current_comm'),
    ...putName(slots),
  ],
};
