import { mov, R3, R6, R7, rshImm, store } from '@sockfilter/bpf';
import type { DetailReader } from '../detailreader.js';
import { follow, peek } from '../program/stack.js';

export const netns: DetailReader = {
  ofCaller: false,
  read: ({ offsets, failed, slots }) => [
    mov(R3, R7),
    ...follow([offsets.sockNet], failed),
    ...peek(offsets.netInode, 4, failed),
    store(2, R6, slots + 2, R3),
    rshImm(R3, 16),
    store(2, R6, slots, R3),
  ],
};
