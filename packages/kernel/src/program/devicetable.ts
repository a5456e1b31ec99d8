/** The kernel's table of devices by index: buckets of nodes, in each network namespace one. */
import {
  add,
  andImm,
  type Item,
  jump,
  jumpIf,
  label,
  load,
  lshImm,
  mov,
  R1,
  R3,
  R8,
  R10,
  type Register,
  store,
} from '@sockfilter/bpf';
import type { DeviceOffsets } from '../offsets.js';
import { follow, peek, SPILL } from './stack.js';

/** Buckets (NETDEV_HASHENTRIES), and how far one is looked through. */
const BUCKETS = 256;
const MAX_DEVICES = 32;

interface Search {
  readonly index: Register;
  /** Begins the names of its own labels. */
  readonly name: string;
  readonly failed: string;
}

/** r3 = the node of the device, in the namespace of the socket at r3; destroys r8 and SPILL. */
export function findDeviceNode(
  { table, index: indexOffset }: DeviceOffsets,
  { index, name, failed }: Search,
): readonly Item[] {
  const found = `${name}.node`;
  const tries = Array.from({ length: MAX_DEVICES }, () => [
    jumpIf('eq', R3, 0, failed),
    mov(R8, R3),
    ...peek(indexOffset, 4, failed),
    load(4, R1, R10, SPILL),
    jumpIf('eq', R3, R1, found),
    mov(R3, R8),
    ...follow([0], failed),
  ]);
  return [
    store(4, R10, SPILL, index),
    ...follow(table, failed),
    load(4, R1, R10, SPILL),
    andImm(R1, BUCKETS - 1),
    lshImm(R1, 3),
    add(R3, R1),
    ...follow([0], failed),
    ...tries.flat(),
    jump(failed),
    label(found),
    mov(R3, R8),
  ];
}
