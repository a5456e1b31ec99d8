/**
 * The hook of accept(2), by BPF LSM: EPERM where ACCEPT lets no peer at all reach the listener.
 *
 * Peers are refused when their SYN arrives; this only tells the one who would wait for them in vain. So
 * whatever it can't tell passes: a socket of another kind, one that no chain judges, a control group without
 * an entry. A listener that has connections in its queue passes as well, so that none is ever stuck behind
 * it. Context: struct socket of the listener. Linux 6.0 (programs of BPF LSM at control groups), which run
 * for the calling task's control group; judged is that of the listener.
 */
import {
  addImm,
  callHelper,
  exit,
  type Item,
  jump,
  jumpIf,
  jumpIf32,
  label,
  load,
  loadMap,
  mov,
  movImm,
  type ProgramSpec,
  R0,
  R1,
  R2,
  R3,
  R6,
  R8,
  R10,
  store,
  toBig,
} from '@sockfilter/bpf';
import { BUILTIN_CHAINS, PROTOCOL, TCP_SYN } from '@sockfilter/table';
import { HEADER } from '../layout.js';
import { MAPS } from '../mapnames.js';
import type { ListenerOffsets, Offsets } from '../offsets.js';
import { type LoadWord, putAddress6, unlessMapped } from './address.js';
import { DECIDED, FAILED, findGeneration, LICENSE, REFUSED } from './generation.js';
import { groupFunction, putGroup } from './group.js';
import { putMark } from './mark.js';
import {
  ASKED_ADDRESS,
  clearPacket,
  follow,
  numberOf,
  OBJECT,
  peek,
  probe,
  put16,
  put32,
  putConstant,
  SCRATCH,
} from './stack.js';
import { walk } from './walk.js';

const AF_INET = 2;
const AF_INET6 = 10;
const TCP_LISTEN = 10;
const IPPROTO_MPTCP = 262;
const PASS = 'pass';
const CONTEXT_SOCKET = 0;

/** Which of the diagrams of listeners is asked. */
const [BOUND, WILDCARD, DUAL] = [0, 1, 2] as const;

/** r3 = a field of the socket at OBJECT. */
const read = (offset: number, bytes: 1 | 4 | 8): readonly Item[] => [
  load(8, R3, R10, OBJECT),
  ...peek(offset, bytes, PASS),
];

/** r1 = a field of 16 bits of the socket at OBJECT. */
const read16 = (offset: number): readonly Item[] => [
  load(8, R3, R10, OBJECT),
  addImm(R3, offset),
  ...probe(SCRATCH, 2, PASS),
  load(2, R1, R10, SCRATCH),
];

/** The socket of TCP that listens to OBJECT: MPTCP has one of its own. */
function findListener({ socket, protocol, subflow }: ListenerOffsets): readonly Item[] {
  return [
    ...follow([socket], PASS),
    store(8, R10, OBJECT, R3),
    ...read16(protocol),
    jumpIf('eq', R1, PROTOCOL.tcp, 'listener'),
    jumpIf('ne', R1, IPPROTO_MPTCP, PASS),
    ...(subflow === undefined
      ? [jump(PASS)]
      : [...read(subflow, 8), jumpIf('eq', R3, 0, PASS), store(8, R10, OBJECT, R3)]),
    label('listener'),
  ];
}

/** r8 = which diagram is asked, of an IPv4 listener. */
function putAddress4({ ipv4 }: ListenerOffsets): readonly Item[] {
  return [
    label('ipv4'),
    ...putConstant('family', 4),
    ...read(ipv4, 4),
    mov(R1, R3),
    toBig(R1, 32),
    ...put32('destination', R1, 6),
    movImm(R8, BOUND),
    jumpIf32('ne', R3, 0, 'addressed'),
    movImm(R8, WILDCARD),
    jump('addressed'),
  ];
}

/** The same of an IPv6 listener; at a mapped address it is one of IPv4. */
function putListener6({ ipv6 }: ListenerOffsets): readonly Item[] {
  if (!ipv6) return [jump(PASS)];
  const word: LoadWord = (n) => [load(4, R1, R10, ASKED_ADDRESS + 4 * n)];
  return [
    load(8, R3, R10, OBJECT),
    addImm(R3, ipv6.address),
    ...probe(ASKED_ADDRESS, 16, PASS),
    ...unlessMapped(word, 'native'),
    jump('ipv4'),
    label('native'),
    ...putConstant('family', 6),
    ...putAddress6('destination', word),
    movImm(R8, BOUND),
    load(8, R1, R10, ASKED_ADDRESS),
    jumpIf('ne', R1, 0, 'addressed'),
    load(8, R1, R10, ASKED_ADDRESS + 8),
    jumpIf('ne', R1, 0, 'addressed'),
    movImm(R8, WILDCARD),
    ...read(ipv6.only.offset, 1),
    jumpIf('set', R3, ipv6.only.mask, 'addressed'),
    movImm(R8, DUAL),
    jump('addressed'),
  ];
}

/** The id of the control group that the socket at OBJECT was made in to SCRATCH; on only if chains judge it. */
function requirePoliced({ sockCgroup, cgroupNode, nodeId }: Offsets): readonly Item[] {
  const look = (map: string): readonly Item[] => [
    loadMap(R1, map),
    mov(R2, R10),
    addImm(R2, SCRATCH),
    callHelper('map_lookup_elem'),
  ];
  return [
    load(8, R3, R10, OBJECT),
    ...follow([sockCgroup, cgroupNode, nodeId], PASS),
    store(8, R10, SCRATCH, R3),
    ...look(MAPS.groups),
    jumpIf('ne', R0, 0, 'policed'),
    ...look(MAPS.removed),
    jumpIf('eq', R0, 0, PASS),
    label('policed'),
  ];
}

/** r8 = the address of the first node of the diagram whose number is in r8. */
function enterListeners(): readonly Item[] {
  return [
    jumpIf('eq', R8, WILDCARD, 'wildcard'),
    jumpIf('eq', R8, DUAL, 'dual'),
    load(4, R8, R6, HEADER.listeners + 4 * BOUND),
    jump('entered'),
    label('wildcard'),
    load(4, R8, R6, HEADER.listeners + 4 * WILDCARD),
    jump('entered'),
    label('dual'),
    load(4, R8, R6, HEADER.listeners + 4 * DUAL),
    label('entered'),
    jumpIf('eq', R8, 0, PASS),
  ];
}

/** The program that answers accept(2). Without a generation, or a diagram of listeners in it, all pass. */
export function acceptProgram(offsets: Offsets): ProgramSpec {
  const { listener } = offsets;
  return {
    name: 'sf_accept',
    type: 'lsm',
    expectedAttachType: 'lsm_cgroup',
    attachFunction: 'bpf_lsm_socket_accept',
    license: LICENSE,
    functions: [groupFunction()],
    items: [
      load(8, R1, R1, CONTEXT_SOCKET),
      ...numberOf(R1),
      ...findListener(listener),
      ...read(listener.state, 1),
      jumpIf('ne', R3, TCP_LISTEN, PASS),
      ...read(listener.queue, 8),
      jumpIf('ne', R3, 0, PASS),
      ...findGeneration(),
      ...clearPacket(),
      ...putConstant('chain', BUILTIN_CHAINS.indexOf('ACCEPT')),
      ...putConstant('protocol', PROTOCOL.tcp),
      ...putConstant('flags', TCP_SYN),
      ...read(offsets.sockUid, 4),
      ...put32('uid', R3),
      ...putMark(['ACCEPT'], [...read(offsets.sockMark, 4), mov(R1, R3)]),
      ...read16(listener.port),
      ...put16('destinationPort', R1),
      ...requirePoliced(offsets),
      ...putGroup('ACCEPT', [load(8, R0, R10, SCRATCH)]),
      ...read16(listener.family),
      jumpIf('eq', R1, AF_INET, 'ipv4'),
      jumpIf('ne', R1, AF_INET6, PASS),
      ...putListener6(listener),
      ...putAddress4(listener),
      label('addressed'),
      ...enterListeners(),
      ...walk(offsets, { name: 'walk', decided: DECIDED, counts: 'nothing' }),
      label(DECIDED),
      jumpIf('eq', R8, 0, PASS),
      movImm(R0, 0),
      exit(),
      label(REFUSED),
      label(FAILED),
      label(PASS),
      movImm(R0, 1),
      exit(),
    ],
  };
}
