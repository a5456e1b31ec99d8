/**
 * Telling readers of what becomes of a call: the function that writes an event, and the calls of it. It is
 * global: the verifier looks at it once. It never blocks, and what does not fit a reader's buffer is counted there.
 *
 *     r6 the context   r7 the packet   r8 the readers   r9 counter and generation, then readers that are gone
 */
import {
  addImm,
  and,
  andImm,
  atomicCompareExchange,
  callHelper,
  callLabel,
  exit,
  type GlobalFunction,
  type Item,
  jumpIf,
  label,
  load,
  loadMap,
  loadMapValue,
  lshImm,
  mov,
  movImm,
  neg,
  or,
  orImm,
  type Parameter,
  R0,
  R1,
  R2,
  R3,
  R4,
  R5,
  R6,
  R7,
  R8,
  R9,
  R10,
  rshImm,
  store,
  storeImm,
  xorImm,
} from '@sockfilter/bpf';
import {
  COMM_BYTES,
  EVENT,
  EVENT_KINDS,
  EVENT_VERSION,
  LAST,
  NO_ID,
  PACKET_BYTES,
  READER_SHIFT,
  READER_SLOTS,
  WATCHERS_AT,
} from '@sockfilter/events';
import { HEADER } from '../layout.js';
import { MAPS } from '../mapnames.js';
import type { Offsets } from '../offsets.js';
import { CONTEXT, GENERATION, PACKET, probe, READERS } from './stack.js';

/** Its label. It takes the context, the packet, kind and errno, counter and generation. @internal */
export const REPORT = 'report';

/** Whose the ids of an event are: the task's that calls, or the socket's, where any task may run. */
export interface Reporting {
  readonly context: Extract<Parameter, { context: string }>['context'];
  /** r1 = the socket, or 0, from the context in r6. */
  readonly socket: readonly Item[];
  readonly who: 'caller' | 'socket';
}

/** In the function's own stack. */
const WORD = -8;
const AT = WORD - EVENT.bytes;
const SOCKET = AT - 8;

/** Reads `bytes` at r3 + offset to WORD and from there into r3; goes on at `failed` where it can't. */
function read(offset: number, bytes: 4 | 8, failed: string): readonly Item[] {
  return [addImm(R3, offset), ...probe(WORD, bytes, failed), load(bytes, R3, R10, WORD)];
}

const follow = (offsets: readonly number[], failed: string) =>
  offsets.flatMap((offset) => read(offset, 8, failed));

/** What the event says of the socket; r1 is that, or 0. */
function putSocket({ who }: Reporting, offsets: Offsets): readonly Item[] {
  const cgroup = [offsets.sockCgroup, offsets.cgroupNode, offsets.nodeId];
  return [
    jumpIf('eq', R1, 0, 'report.noSocket'),
    // The verifier knows nothing about the negative of a pointer, and so takes this for a number.
    mov(R3, R1),
    neg(R3),
    neg(R3),
    store(8, R10, SOCKET, R3),
    ...follow([offsets.sockNet], 'report.noNet'),
    ...read(offsets.netCookie, 8, 'report.noNet'),
    store(8, R10, AT + EVENT.netns, R3),
    label('report.noNet'),
    ...(who === 'caller'
      ? []
      : [
          load(8, R3, R10, SOCKET),
          ...follow(cgroup, 'report.noCgroup'),
          store(8, R10, AT + EVENT.cgroup, R3),
          label('report.noCgroup'),
          load(8, R3, R10, SOCKET),
          ...read(offsets.sockUid, 4, 'report.noUid'),
          store(4, R10, AT + EVENT.uid, R3),
          label('report.noUid'),
        ]),
    label('report.noSocket'),
    mov(R1, R6),
    callHelper('get_socket_cookie'),
    store(8, R10, AT + EVENT.socket, R0),
  ];
}

/** What it says of the task that calls. */
function putTask(offsets: Offsets): readonly Item[] {
  const id = (offset: number, to: number, failed: string) => [
    load(8, R3, R10, SOCKET),
    ...read(offset, 4, failed),
    store(4, R10, to, R3),
  ];
  return [
    callHelper('get_current_pid_tgid'),
    store(8, R10, AT + EVENT.tid, R0),
    callHelper('get_current_cgroup_id'),
    store(8, R10, AT + EVENT.cgroup, R0),
    mov(R1, R10),
    addImm(R1, AT + EVENT.comm),
    movImm(R2, COMM_BYTES),
    callHelper('get_current_comm'),
    callHelper('get_current_task'),
    mov(R3, R0),
    ...follow([offsets.taskCred], 'report.noTask'),
    store(8, R10, SOCKET, R3),
    ...id(offsets.credFsuid, AT + EVENT.uid, 'report.noTask'),
    ...id(offsets.credFsgid, AT + EVENT.gid, 'report.noTask'),
    label('report.noTask'),
  ];
}

const ENOENT = 2;

/** Writes the event to the reader with the number if it is there; one without a buffer is remembered in r9. */
function send(slot: number): readonly Item[] {
  return [
    mov(R1, R8),
    andImm(R1, 1 << slot),
    jumpIf('eq', R1, 0, `report.not${slot}`),
    callHelper('get_smp_processor_id'),
    lshImm(R0, READER_SHIFT),
    addImm(R0, slot),
    mov(R3, R0),
    mov(R1, R6),
    loadMap(R2, MAPS.events),
    mov(R4, R10),
    addImm(R4, AT),
    movImm(R5, EVENT.bytes),
    callHelper('perf_event_output'),
    jumpIf('ne', R0, -ENOENT, `report.not${slot}`),
    orImm(R9, 1 << slot),
    label(`report.not${slot}`),
  ];
}

/** r8 = the readers that the event is for. */
function findReaders(): readonly Item[] {
  return [
    loadMapValue(R1, MAPS.readers, 0),
    load(8, R8, R1, 0),
    load(1, R1, R10, AT + EVENT.kind),
    jumpIf('ne', R1, EVENT_KINDS.passed, 'report.forAll'),
    rshImm(R8, 8 * WATCHERS_AT),
    label('report.forAll'),
  ];
}

/** Keeps a refusal as this CPU's last. */
function keepLast(): readonly Item[] {
  const stamp = [load(8, R1, R10, AT + EVENT.time)];
  return [
    load(1, R1, R10, AT + EVENT.kind),
    jumpIf('ne', R1, EVENT_KINDS.refused, 'report.notKept'),
    storeImm(4, R10, WORD, 0),
    loadMap(R1, MAPS.last),
    mov(R2, R10),
    addImm(R2, WORD),
    callHelper('map_lookup_elem'),
    jumpIf('eq', R0, 0, 'report.notKept'),
    ...stamp,
    store(8, R0, LAST.before, R1),
    ...Array.from({ length: EVENT.bytes / 8 }, (_, n) => [
      load(8, R1, R10, AT + 8 * n),
      store(8, R0, LAST.event + 8 * n, R1),
    ]).flat(),
    ...stamp,
    store(8, R0, LAST.after, R1),
    label('report.notKept'),
  ];
}

/**
 * Has nobody told of calls that pass for the readers in r9: each of those calls would pay for one that was killed.
 * If another changes the word meanwhile, the next call does it.
 */
function dropGone(): readonly Item[] {
  return [
    jumpIf('eq', R9, 0, 'report.done'),
    loadMapValue(R1, MAPS.readers, 0),
    load(4, R0, R1, WATCHERS_AT),
    mov(R2, R9),
    xorImm(R2, -1),
    and(R2, R0),
    atomicCompareExchange(4, R1, WATCHERS_AT, R2),
  ];
}

/** The function that writes an event to every reader. */
export function reportFunction(reporting: Reporting, offsets: Offsets): GlobalFunction {
  const { context, socket, who } = reporting;
  return {
    name: REPORT,
    parameters: [{ context }, 'number', 'number', 'number'],
    items: [
      mov(R6, R1),
      mov(R7, R2),
      mov(R9, R4),
      ...Array.from({ length: EVENT.bytes / 8 }, (_, n) => storeImm(8, R10, AT + 8 * n, 0)),
      storeImm(2, R10, AT + EVENT.version, EVENT_VERSION),
      store(2, R10, AT + EVENT.kind, R3),
      store(8, R10, AT + EVENT.counter, R9),
      storeImm(4, R10, AT + EVENT.uid, NO_ID),
      storeImm(4, R10, AT + EVENT.gid, NO_ID),
      mov(R3, R7),
      ...probe(AT + EVENT.packet, PACKET_BYTES, 'report.done'),
      callHelper('ktime_get_boot_ns'),
      store(8, R10, AT + EVENT.time, R0),
      ...socket,
      ...putSocket(reporting, offsets),
      ...(who === 'caller' ? putTask(offsets) : []),
      ...keepLast(),
      ...findReaders(),
      movImm(R9, 0),
      ...Array.from({ length: READER_SLOTS }, (_, slot) => send(slot)).flat(),
      ...dropGone(),
      label('report.done'),
      movImm(R0, 0),
      exit(),
    ],
  };
}

/** Calls the function with what is in r3 and r4; keeps r6 to r9. */
export function callReport(): readonly Item[] {
  return [
    load(8, R1, R10, CONTEXT),
    // As a number: of what a pointer leads to, the verifier would believe that the function writes it, and look
    // at the rest of the walk once more.
    mov(R2, R10),
    addImm(R2, PACKET),
    neg(R2),
    neg(R2),
    callLabel(REPORT),
  ];
}

/** The same, but on to `nobody` if no such reader was there when the call's group was looked up. */
function callFor(
  nobody: string,
  parameters: readonly Item[],
  readersAt: 0 | typeof WATCHERS_AT = 0,
): readonly Item[] {
  return [
    load(4, R1, R10, READERS + readersAt),
    jumpIf('eq', R1, 0, nobody),
    ...parameters,
    ...callReport(),
    label(nobody),
  ];
}

/** Keeps the generation for what is reported of it; r6 is its header. Destroys r0. */
export function keepSequence(): readonly Item[] {
  return [load(4, R0, R6, HEADER.sequence), lshImm(R0, 32), store(8, R10, GENERATION, R0)];
}

/** r4 = the counter in r0 and its generation. */
export const COUNTER: readonly Item[] = [load(8, R4, R10, GENERATION), or(R4, R0)];

/** Reports of the counter in r0 what is in r3: the kind, and the errno in the byte above. */
export function reportCounter(nobody: string): readonly Item[] {
  return callFor(nobody, COUNTER);
}

/** Reports that the call passes by the rule or policy whose counter is in r0, to those who want that. */
export function reportPassed(nobody: string): readonly Item[] {
  const kind = movImm(R3, EVENT_KINDS.passed);
  return callFor(nobody, [kind, ...COUNTER], WATCHERS_AT);
}
