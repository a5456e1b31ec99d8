/**
 * The hook of packets that reach a socket: ACCEPT and RECVFROM.
 *
 * It sees every packet of every socket in the subtree, so it returns at once for all but a SYN that
 * reaches a listening socket and a datagram that reaches an unconnected udp or udplite socket. The
 * handshake's last ACK arrives at the listener too, and is not judged again. Context: struct
 * __sk_buff, its data from the IP header on; socket: struct bpf_sock (linux/bpf.h).
 */
import {
  addImm,
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
  type ProgramSpec,
  R0,
  R1,
  R2,
  R3,
  R4,
  R8,
  R9,
  R10,
  rshImm,
  store,
  storeImm,
  sub,
  toBig,
} from '@sockfilter/bpf';
import { BUILTIN_CHAINS, PROTOCOL, TCP_SYN } from '@sockfilter/table';
import type { Offsets } from '../offsets.js';
import {
  addressOf,
  clearPacket,
  IP_HEADER,
  NEXT_HEADER,
  OBJECT,
  probe,
  put16,
  put32,
  SCRATCH,
  slot,
} from './stack.js';
import {
  DECIDED,
  enter,
  findGeneration,
  LICENSE,
  putGroup,
  REFUSED,
  refuseIfRefusing,
  UNREADABLE,
  walk,
} from './walk.js';

const SKB_SK = 168;
const SK = { protocol: 12, state: 72 } as const;
const TCP_LISTEN = 10;
const TCP_CLOSE = 7;
const TCP_ACK = 0x10;
const TCP_RST = 0x04;
/** Offset of the flags byte in the TCP header. */
const TCP_FLAGS = 13;
/** Source and destination port open every transport header. */
const PORT_BYTES = 4;
const IPV4_HEADER_BYTES = 20;
const IPV6_HEADER_BYTES = 40;

/** Reads bytes of the packet at offset r2 to the stack; destroys r0 to r5. */
function loadBytes(to: number, bytes: number): readonly Item[] {
  return [
    mov(R1, R9),
    mov(R3, R10),
    addImm(R3, to),
    movImm(R4, bytes),
    callHelper('skb_load_bytes'),
    jumpIf('ne', R0, 0, UNREADABLE),
  ];
}

/**
 * The header behind the IP header to NEXT_HEADER. Where it begins is what the kernel found when it
 * passed any IPv6 extension headers: transport_header - network_header of the skb.
 */
function loadNextHeader(bytes: number, offsets: Offsets): readonly Item[] {
  return [
    ...addressOf(R9, OBJECT, UNREADABLE),
    load(8, R3, R10, OBJECT),
    addImm(R3, offsets.skbTransport),
    ...probe(SCRATCH, 2, UNREADABLE),
    load(8, R3, R10, OBJECT),
    addImm(R3, offsets.skbNetwork),
    ...probe(SCRATCH + 2, 2, UNREADABLE),
    load(2, R2, R10, SCRATCH),
    load(2, R1, R10, SCRATCH + 2),
    sub(R2, R1),
    andImm(R2, 0xffff),
    ...loadBytes(NEXT_HEADER, bytes),
  ];
}

function putPorts(): readonly Item[] {
  return [
    load(2, R1, R10, NEXT_HEADER),
    toBig(R1, 16),
    ...put16('sourcePort', R1),
    load(2, R1, R10, NEXT_HEADER + 2),
    toBig(R1, 16),
    ...put16('destinationPort', R1),
  ];
}

/** Stores `count` words of a header, from network order. */
function putWords(
  field: 'source' | 'destination',
  at: number,
  count: number,
  piece: number,
): readonly Item[] {
  return Array.from({ length: count }, (_, n) => [
    load(4, R1, R10, IP_HEADER + at + 4 * n),
    toBig(R1, 32),
    ...put32(field, R1, piece + 2 * n),
  ]).flat();
}

function putAddresses(): readonly Item[] {
  return [
    movImm(R2, 0),
    ...loadBytes(IP_HEADER, IPV4_HEADER_BYTES),
    load(1, R1, R10, IP_HEADER),
    rshImm(R1, 4),
    ...put16('family', R1),
    jumpIf('eq', R1, 6, 'ipv6'),
    ...putWords('source', 12, 1, 6),
    ...putWords('destination', 16, 1, 6),
    jump('addressed'),
    label('ipv6'),
    movImm(R2, 0),
    ...loadBytes(IP_HEADER, IPV6_HEADER_BYTES),
    ...putWords('source', 8, 4, 0),
    ...putWords('destination', 24, 4, 0),
    label('addressed'),
  ];
}

/** The uid of the socket's maker; the helper for it would give it as its own user namespace sees it. */
function putOwner(offsets: Offsets): readonly Item[] {
  return [
    load(8, R1, R9, SKB_SK),
    jumpIf('eq', R1, 0, UNREADABLE),
    ...addressOf(R1, OBJECT, UNREADABLE),
    load(8, R3, R10, OBJECT),
    addImm(R3, offsets.sockUid),
    ...probe(SCRATCH, 4, UNREADABLE),
    load(4, R1, R10, SCRATCH),
    ...put32('uid', R1),
  ];
}

/** What is left to do when the chain is known; the socket's cgroup is at SCRATCH. */
function enterChain(chain: 'ACCEPT' | 'RECVFROM'): readonly Item[] {
  return [
    storeImm(2, R10, slot('chain'), BUILTIN_CHAINS.indexOf(chain)),
    ...putGroup(chain),
    ...enter(chain),
    jump('walk'),
  ];
}

/** The program that judges SYNs and datagrams by the cgroup of the socket that they reach. Linux 5.8. */
export function ingressProgram(offsets: Offsets): ProgramSpec {
  return {
    name: 'sf_ingress',
    type: 'cgroup_skb',
    expectedAttachType: 'inet_ingress',
    license: LICENSE,
    items: [
      mov(R9, R1),
      load(8, R1, R9, SKB_SK),
      jumpIf('eq', R1, 0, 'pass'),
      callHelper('sk_fullsock'),
      jumpIf('eq', R0, 0, 'pass'),
      load(4, R8, R0, SK.protocol),
      load(4, R1, R0, SK.state),
      jumpIf('eq', R1, TCP_LISTEN, 'listening'),
      jumpIf('ne', R1, TCP_CLOSE, 'pass'),
      jumpIf('eq', R8, PROTOCOL.udp, 'judged'),
      jumpIf('ne', R8, PROTOCOL.udplite, 'pass'),
      jump('judged'),
      label('listening'),
      jumpIf('ne', R8, PROTOCOL.tcp, 'pass'),

      label('judged'),
      ...findGeneration(),
      ...clearPacket(),
      ...put16('protocol', R8),
      jumpIf('ne', R8, PROTOCOL.tcp, 'datagram'),
      ...loadNextHeader(TCP_FLAGS + 1, offsets),
      load(1, R1, R10, NEXT_HEADER + TCP_FLAGS),
      andImm(R1, TCP_SYN | TCP_ACK | TCP_RST),
      jumpIf('ne', R1, TCP_SYN, 'pass'),
      ...put16('flags', R1),
      jump('ports'),
      label('datagram'),
      ...loadNextHeader(PORT_BYTES, offsets),
      label('ports'),
      ...putPorts(),
      ...putAddresses(),
      ...putOwner(offsets),
      mov(R1, R9),
      callHelper('skb_cgroup_id'),
      store(8, R10, SCRATCH, R0),
      jumpIf('eq', R8, PROTOCOL.tcp, 'accept'),
      ...enterChain('RECVFROM'),
      label('accept'),
      ...enterChain('ACCEPT'),

      label('walk'),
      ...walk(),
      label(UNREADABLE),
      jumpIf('eq', R8, PROTOCOL.tcp, 'unreadable.accept'),
      ...refuseIfRefusing('RECVFROM'),
      label('unreadable.accept'),
      ...refuseIfRefusing('ACCEPT'),
      label(DECIDED),
      jumpIf('eq', R8, 0, 'pass'),
      label(REFUSED),
      movImm(R0, 0),
      exit(),
      label('pass'),
      movImm(R0, 1),
      exit(),
    ],
  };
}
