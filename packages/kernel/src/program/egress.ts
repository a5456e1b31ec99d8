/**
 * The hook of packets that leave a socket: what raw and ping sockets send, which comes by no hook of calls.
 *
 * It sees every packet of every socket in the subtree, behind NAT on output and before it is cut into fragments,
 * and returns at once for all of other sockets, and for the kernel's own, which answer for the machine. What
 * a raw socket sends is judged by its IP header, whoever wrote that. An IPv6 packet with extension headers, and
 * a later fragment that should have ports, can't be read: they are refused while SENDTO can refuse.
 */
import {
  andImm,
  callHelper,
  exit,
  type Item,
  jump,
  jumpIf,
  label,
  load,
  lshImm,
  mov,
  movImm,
  type ProgramSpec,
  R0,
  R1,
  R2,
  R3,
  R6,
  R8,
  R9,
  R10,
  rshImm,
  store,
  storeImm,
  toBig,
} from '@sockfilter/bpf';
import { BUILTIN_CHAINS, PROTOCOL } from '@sockfilter/table';
import type { Offsets } from '../offsets.js';
import { askFunction } from './ask.js';
import { refuseRewritten } from './destination.js';
import { detailFunction, putDetails } from './details.js';
import {
  DECIDED,
  enter,
  FAILED,
  findGeneration,
  LICENSE,
  REFUSED,
  refuseIfRefusing,
  UNREADABLE,
} from './generation.js';
import { groupFunction, putGroup } from './group.js';
import { peekMark, putMark } from './mark.js';
import {
  deviceNumber,
  IPV4_HEADER_BYTES,
  IPV6_HEADER_BYTES,
  loadBytes,
  putAddresses,
  putOwner,
  putOwnerGroup,
  putPorts,
  SKB_SK,
  SOCKET_CGROUP,
  socketNumber,
} from './packet.js';
import { tellRefusal } from './refusal.js';
import { type Reporting, reportFunction } from './report.js';
import {
  CONTEXT,
  clearPacket,
  IP_HEADER,
  NEXT_HEADER,
  OBJECT,
  peek,
  put16,
  slot,
} from './stack.js';
import { walk } from './walk.js';

const SK = { type: 8, protocol: 12 } as const;
const SOCK_RAW = 3;
const PORT_BYTES = 4;
/** In an IP header: of IPv4 the word with the fragment's offset, and the protocol; of IPv6 the next header. */
const IPV4 = { fragment: 6, protocol: 9 } as const;
const IPV6_NEXT = 6;
const FRAGMENT_OFFSET = 0x1fff;
/** Hop-by-hop, routing, fragment and destination options, authentication (RFC 8200). */
const EXTENSIONS = [0, 43, 44, 60, 51] as const;

/** The protocol to r8, and r2 = where what follows the IP header begins. */
function readHeader(): readonly Item[] {
  return [
    movImm(R2, 0),
    ...loadBytes(IP_HEADER, IPV4_HEADER_BYTES),
    load(1, R1, R10, IP_HEADER),
    mov(R2, R1),
    rshImm(R1, 4),
    jumpIf('eq', R1, 6, 'next6'),
    load(1, R8, R10, IP_HEADER + IPV4.protocol),
    andImm(R2, 0xf),
    lshImm(R2, 2),
    jump('header'),
    label('next6'),
    load(1, R8, R10, IP_HEADER + IPV6_NEXT),
    ...EXTENSIONS.map((header) => jumpIf('eq', R8, header, UNREADABLE)),
    movImm(R2, IPV6_HEADER_BYTES),
    label('header'),
  ];
}

/** The ports of a datagram, which r2 leads to. */
function readPorts(): readonly Item[] {
  return [
    jumpIf('eq', R8, PROTOCOL.udp, 'hasPorts'),
    jumpIf('ne', R8, PROTOCOL.udplite, 'noPorts'),
    label('hasPorts'),
    load(1, R1, R10, IP_HEADER),
    rshImm(R1, 4),
    jumpIf('eq', R1, 6, 'whole'),
    load(2, R1, R10, IP_HEADER + IPV4.fragment),
    toBig(R1, 16),
    andImm(R1, FRAGMENT_OFFSET),
    jumpIf('ne', R1, 0, UNREADABLE),
    label('whole'),
    ...loadBytes(NEXT_HEADER, PORT_BYTES),
    ...putPorts(),
    label('noPorts'),
  ];
}

const REPORTING: Reporting = {
  context: '__sk_buff',
  socket: [load(8, R1, R6, SKB_SK)],
  who: 'socket',
};

/** The program that judges what raw and ping sockets send. Linux 5.8. */
export function egressProgram(offsets: Offsets): ProgramSpec {
  const { offset, mask } = offsets.sockKernel;
  return {
    name: 'sf_egress',
    type: 'cgroup_skb',
    expectedAttachType: 'inet_egress',
    license: LICENSE,
    functions: [
      askFunction(),
      reportFunction(REPORTING, offsets),
      detailFunction(offsets, 'socket'),
      groupFunction(),
    ],
    items: [
      mov(R9, R1),
      load(8, R1, R9, SKB_SK),
      jumpIf('eq', R1, 0, 'pass'),
      callHelper('sk_fullsock'),
      jumpIf('eq', R0, 0, 'pass'),
      load(4, R1, R0, SK.type),
      jumpIf('eq', R1, SOCK_RAW, 'judged'),
      load(4, R1, R0, SK.protocol),
      jumpIf('eq', R1, PROTOCOL.icmp, 'judged'),
      jumpIf('ne', R1, PROTOCOL.icmpv6, 'pass'),

      label('judged'),
      store(8, R10, CONTEXT, R9),
      ...findGeneration(),
      ...clearPacket(),
      storeImm(2, R10, slot('chain'), BUILTIN_CHAINS.indexOf('SENDTO')),
      ...socketNumber(UNREADABLE),
      ...peek(offset, 1, UNREADABLE),
      jumpIf('set', R3, mask, 'pass'),
      ...readHeader(),
      ...put16('protocol', R8),
      ...readPorts(),
      ...putAddresses(),
      ...socketNumber(UNREADABLE),
      ...putMark(['SENDTO'], peekMark([load(8, R3, R10, OBJECT)], offsets, UNREADABLE)),
      ...putOwnerGroup(offsets),
      ...putOwner(offsets, UNREADABLE),
      ...putGroup('SENDTO', SOCKET_CGROUP),
      ...putDetails(
        'SENDTO',
        { socket: [load(8, R3, R10, OBJECT)], passed: deviceNumber(offsets, UNREADABLE) },
        UNREADABLE,
      ),
      ...enter('SENDTO'),
      ...walk(offsets),
      label(UNREADABLE),
      ...refuseIfRefusing('SENDTO'),
      ...tellRefusal(() => SOCKET_CGROUP),
      label(FAILED),
      movImm(R0, 0),
      exit(),
      label(DECIDED),
      ...refuseRewritten(REFUSED),
      label('pass'),
      movImm(R0, 1),
      exit(),
    ],
  };
}
