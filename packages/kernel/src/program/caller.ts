/** What the hooks of calls share: who calls, and how the call is answered. */
import {
  andImm,
  callHelper,
  exit,
  type Item,
  jump,
  jumpIf,
  label,
  load,
  mov,
  movImm,
  neg,
  R0,
  R1,
  R3,
  R6,
  R8,
  R10,
  store,
} from '@sockfilter/bpf';
import type { BuiltinChain } from '@sockfilter/table';
import { HEADER } from '../layout.js';
import type { Offsets } from '../offsets.js';
import { chainBit, DECIDED, FAILED, UNREADABLE } from './generation.js';
import { type CgroupOf, EPERM, tellRefusal } from './refusal.js';
import { follow, OBJECT, peek, put32 } from './stack.js';

const PF_KTHREAD = 0x0020_0000;
const ROOT_CGROUP = 1;

/** r0 = the cgroup of the calling task; on to `target` unless that is a kernel thread. Destroys r1 to r5 and SCRATCH. */
function unlessKernelThread(target: string, offsets: Offsets, failed: string): readonly Item[] {
  return [
    callHelper('get_current_cgroup_id'),
    jumpIf('ne', R0, ROOT_CGROUP, target),
    callHelper('get_current_task'),
    mov(R3, R0),
    ...peek(offsets.taskFlags, 4, failed),
    movImm(R0, ROOT_CGROUP),
    andImm(R3, PF_KTHREAD),
    jumpIf('eq', R3, 0, target),
  ];
}

/**
 * The filesystem ids of the calling task, which follow its effective ones, in the initial user namespace.
 */
function putTaskOwner(offsets: Offsets): readonly Item[] {
  return [
    callHelper('get_current_task'),
    mov(R3, R0),
    ...follow([offsets.taskCred], UNREADABLE),
    store(8, R10, OBJECT, R3),
    ...peek(offsets.credFsuid, 4, UNREADABLE),
    ...put32('uid', R3),
    load(8, R3, R10, OBJECT),
    ...peek(offsets.credFsgid, 4, UNREADABLE),
    ...put32('gid', R3),
  ];
}

/**
 * The owner of a socket, whose address in the kernel is in r3: that its inode names. Further subflows of MPTCP have
 * their connection's there, and 0 in sk_uid.
 */
function putSocketOwner(offsets: Offsets): readonly Item[] {
  const { uid, gid } = offsets.socketOwner;
  return [
    ...follow([offsets.sockSocket], UNREADABLE),
    store(8, R10, OBJECT, R3),
    ...peek(uid, 4, UNREADABLE),
    ...put32('uid', R3),
    load(8, R3, R10, OBJECT),
    ...peek(gid, 4, UNREADABLE),
    ...put32('gid', R3),
  ];
}

/**
 * The owner's ids, only where the chain asks for them: the calling task's; for a kernel thread those of the socket,
 * whose address in the kernel `socket` leaves in r3. Destroys r0 to r5, SCRATCH and OBJECT.
 */
export function putOwner(
  chain: BuiltinChain,
  socket: readonly Item[],
  offsets: Offsets,
): readonly Item[] {
  return [
    load(4, R1, R6, HEADER.ownerChains),
    andImm(R1, chainBit(chain)),
    jumpIf('eq', R1, 0, 'ownerKnown'),
    ...unlessKernelThread('taskOwner', offsets, UNREADABLE),
    ...socket,
    ...putSocketOwner(offsets),
    jump('ownerKnown'),
    label('taskOwner'),
    ...putTaskOwner(offsets),
    label('ownerKnown'),
  ];
}

/**
 * r0 = the cgroup of the calling task; for a kernel thread that of the socket, whose address in the kernel `socket`
 * leaves in r3. Destroys r1 to r5 and SCRATCH.
 */
export function callerCgroup(socket: readonly Item[], offsets: Offsets): CgroupOf {
  return (name, failed) => [
    ...unlessKernelThread(`${name}.caller`, offsets, failed),
    ...socket,
    ...follow([offsets.sockCgroup, offsets.cgroupNode, offsets.nodeId], failed),
    mov(R0, R3),
    label(`${name}.caller`),
  ];
}

/** The call proceeds as it is. */
export const PROCEEDS = 'proceeds';

/** 1 lets the call proceed, once `apply` has made it what it goes on as; 0 fails it with the errno set before, EPERM if none is. */
export function finish(cgroup: CgroupOf, apply: readonly Item[] = []): readonly Item[] {
  return [
    ...tellRefusal(cgroup),
    jumpIf('eq', R8, EPERM, FAILED),
    mov(R1, R8),
    neg(R1),
    callHelper('set_retval'),
    label(FAILED),
    movImm(R0, 0),
    exit(),
    label(DECIDED),
    ...apply,
    label(PROCEEDS),
    movImm(R0, 1),
    exit(),
  ];
}
