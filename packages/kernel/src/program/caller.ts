/** What the hooks of calls share: who calls, and how the call is answered. */
import {
  addImm,
  andImm,
  callHelper,
  exit,
  type Item,
  jump,
  jumpIf,
  jumpIf32,
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
  storeImm,
} from '@sockfilter/bpf';
import type { BuiltinChain } from '@sockfilter/table';
import { HEADER } from '../layout.js';
import type { Offsets } from '../offsets.js';
import { reportFailure } from './report.js';
import { follow, OBJECT, peek, probe, put32, SCRATCH } from './stack.js';
import { chainBit, DECIDED, FAILED, REFUSED, UNREADABLE } from './walk.js';

const EPERM = 1;
const PF_KTHREAD = 0x0020_0000;
const ROOT_CGROUP = 1;

/**
 * The filesystem ids of the calling task, which follow its effective ones, in the initial user
 * namespace; only where the chain asks for ids. Destroys r1 to r5, SCRATCH and OBJECT.
 */
function putOwner(chain: BuiltinChain, offsets: Offsets): readonly Item[] {
  return [
    load(4, R1, R6, HEADER.ownerChains),
    andImm(R1, chainBit(chain)),
    jumpIf('eq', R1, 0, 'ownerKnown'),
    callHelper('get_current_task'),
    mov(R3, R0),
    ...follow([offsets.taskCred], UNREADABLE),
    store(8, R10, OBJECT, R3),
    ...peek(offsets.credFsuid, 4, UNREADABLE),
    ...put32('uid', R3),
    load(8, R3, R10, OBJECT),
    ...peek(offsets.credFsgid, 4, UNREADABLE),
    ...put32('gid', R3),
    label('ownerKnown'),
  ];
}

/**
 * The ids of the socket at OBJECT that a kernel thread calls for, only where the chain asks for ids: those
 * that its inode names. Further subflows of MPTCP have their connection's there, and 0 in sk_uid.
 */
function putSocketOwner(chain: BuiltinChain, offsets: Offsets): readonly Item[] {
  const { uid, gid } = offsets.socketOwner;
  const read = (offset: number) => [
    load(8, R3, R10, OBJECT),
    ...follow([offsets.sockSocket], UNREADABLE),
    ...peek(offset, 4, UNREADABLE),
  ];
  return [
    load(4, R1, R6, HEADER.ownerChains),
    andImm(R1, chainBit(chain)),
    jumpIf('eq', R1, 0, 'socketOwnerKnown'),
    ...read(uid),
    ...put32('uid', R3),
    ...read(gid),
    ...put32('gid', R3),
    label('socketOwnerKnown'),
  ];
}

/**
 * The cgroup to SCRATCH and the owner's ids: the calling task's; for a kernel thread, those of the
 * socket, whose address in the kernel `socket` leaves in r3.
 */
export function putCaller(
  chain: BuiltinChain,
  socket: readonly Item[],
  offsets: Offsets,
): readonly Item[] {
  return [
    ...putOwner(chain, offsets),
    callHelper('get_current_cgroup_id'),
    store(8, R10, SCRATCH, R0),
    jumpIf('ne', R0, ROOT_CGROUP, 'callerKnown'),
    callHelper('get_current_task'),
    mov(R3, R0),
    addImm(R3, offsets.taskFlags),
    ...probe(SCRATCH, 4, UNREADABLE),
    load(4, R1, R10, SCRATCH),
    storeImm(8, R10, SCRATCH, ROOT_CGROUP),
    jumpIf32('set', R1, PF_KTHREAD, 'kernelThread'),
    jump('callerKnown'),
    label('kernelThread'),
    ...socket,
    store(8, R10, OBJECT, R3),
    ...putSocketOwner(chain, offsets),
    load(8, R3, R10, OBJECT),
    ...follow([offsets.sockCgroup, offsets.cgroupNode, offsets.nodeId], UNREADABLE),
    label('callerKnown'),
  ];
}

/** The call proceeds as it is. */
export const PROCEEDS = 'proceeds';

/** 1 lets the call proceed, once `apply` has made it what it goes on as; 0 fails it with the errno set before, EPERM if none is. */
export function finish(apply: readonly Item[] = []): readonly Item[] {
  return [
    label(REFUSED),
    ...reportFailure(),
    label(FAILED),
    movImm(R0, 0),
    exit(),
    label(DECIDED),
    jumpIf('eq', R8, 0, 'allowed'),
    jumpIf('eq', R8, EPERM, FAILED),
    mov(R1, R8),
    neg(R1),
    callHelper('set_retval'),
    jump(FAILED),
    label('allowed'),
    ...apply,
    label(PROCEEDS),
    movImm(R0, 1),
    exit(),
  ];
}
