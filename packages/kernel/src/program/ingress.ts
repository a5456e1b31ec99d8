/**
 * The hook of packets that reach a socket: ACCEPT and RECVFROM.
 *
 * It sees every packet of every socket in the subtree, so it returns at once for all but a SYN that
 * reaches a listening socket and a datagram that reaches an unconnected udp or udplite socket, or as
 * IPv4 one that is connected by IPv6. The handshake's last ACK arrives at the listener too, and is not
 * judged again. Context: struct __sk_buff, its data from the IP header on; socket: struct bpf_sock
 * (linux/bpf.h).
 *
 * A socket whose port the kernel chose has passed no bind(2) that named it: listen(2) without a bind,
 * and a datagram socket's first send, reach no hook. Its BIND is judged here, before the chain of the
 * packet, as a bind of the socket as it is; of that, only a refusal counts.
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
  R6,
  R8,
  R9,
  R10,
  store,
  storeImm,
  sub,
  toBig,
} from '@sockfilter/bpf';
import { BUILTIN_CHAINS, type BuiltinChain, PROTOCOL, TCP_SYN } from '@sockfilter/table';
import type { Offsets } from '../offsets.js';
import { type LoadWord, putBound4, putBound6, unlessMapped } from './address.js';
import { askFunction } from './ask.js';
import { putAskedBind, refuseUnlessBound } from './destination.js';
import { detailFunction, putDetails } from './details.js';
import {
  DECIDED,
  enter,
  FAILED,
  findGeneration,
  findHeader,
  LICENSE,
  REFUSED,
  refuseIfRefusing,
  UNREADABLE,
  unlessRefusing,
} from './generation.js';
import { groupFunction, putGroup } from './group.js';
import { peekMark, putMark } from './mark.js';
import {
  deviceNumber,
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
  addressOf,
  CONTEXT,
  clearPacket,
  NEXT_HEADER,
  OBJECT,
  peek,
  probe,
  put16,
  putConstant,
  SCRATCH,
  slot,
} from './stack.js';
import { walk } from './walk.js';

const SKB_PROTOCOL = 16;
const ETH_P_IP = 0x0800;
const SK = { family: 4, protocol: 12, port: 44, peer6: 56, state: 72 } as const;
const AF_INET6 = 10;
const TCP_ESTABLISHED = 1;
const TCP_LISTEN = 10;
const TCP_CLOSE = 7;
const TCP_ACK = 0x10;
const TCP_RST = 0x04;
/** Offset of the flags byte in the TCP header. */
const TCP_FLAGS = 13;
/** Source and destination port open every transport header. */
const PORT_BYTES = 4;

/**
 * Jumps to `target` unless the datagram socket at r0, with its state in r1, takes from anybody: it is
 * unconnected, or connected to an IPv6 peer and meets an IPv4 packet. Such a socket is bound to 127.0.0.6
 * for IPv4, and takes what comes there from its peer's port (LOOPBACK4_IPV6).
 */
function unlessStray(target: string): readonly Item[] {
  const peer: LoadWord = (n) => [load(4, R1, R0, SK.peer6 + 4 * n)];
  return [
    jumpIf('eq', R1, TCP_CLOSE, 'stray'),
    jumpIf('ne', R1, TCP_ESTABLISHED, target),
    load(4, R1, R0, SK.family),
    jumpIf('ne', R1, AF_INET6, target),
    load(4, R1, R9, SKB_PROTOCOL),
    toBig(R1, 16),
    jumpIf('ne', R1, ETH_P_IP, target),
    ...unlessMapped(peer, 'stray'),
    jump(target),
    label('stray'),
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

/**
 * Judges the port of a socket for which the kernel chose it, as a bind(2) of its maker to that port and
 * to the address that the socket has. Goes on with r6 to r9 as they were.
 */
function judgeChosenPort(offsets: Offsets): readonly Item[] {
  const { offset, mask } = offsets.sockPortLock;
  return [
    ...unlessRefusing('BIND', 'bindable'),
    ...socketNumber(REFUSED),
    ...peek(offset, 1, REFUSED),
    jumpIf('set', R3, mask, 'bindable'),
    ...clearPacket(),
    storeImm(2, R10, slot('chain'), BUILTIN_CHAINS.indexOf('BIND')),
    ...put16('protocol', R8),
    ...putMark(['BIND'], peekMark([load(8, R3, R10, OBJECT)], offsets, REFUSED)),
    ...putOwnerGroup(offsets),
    ...putOwner(offsets, REFUSED),
    ...putGroup('BIND', SOCKET_CGROUP),
    load(8, R1, R9, SKB_SK),
    jumpIf('eq', R1, 0, REFUSED),
    callHelper('sk_fullsock'),
    jumpIf('eq', R0, 0, REFUSED),
    load(4, R1, R0, SK.port),
    ...put16('destinationPort', R1),
    load(4, R1, R0, SK.family),
    jumpIf('eq', R1, AF_INET6, 'bound6'),
    ...putBound4(R0),
    jump('bound'),
    label('bound6'),
    ...putBound6(R0),
    ...putAskedBind('chosen', [mov(R2, R0)]),
    ...putDetails(
      'BIND',
      { socket: SOCKET, named: [...SOCKET, ...peek(offsets.sockDevice, 4, REFUSED)] },
      REFUSED,
    ),
    ...enter('BIND'),
    ...walk(offsets, { name: 'bind', decided: 'bind.decided', counts: 'refusals' }),
    label('bind.decided'),
    ...refuseUnlessBound('chosen', REFUSED),
    load(8, R9, R10, CONTEXT),
    load(2, R8, R10, slot('protocol')),
    ...findHeader(),
    label('bindable'),
  ];
}

/** The address of the socket as socketNumber() has left it. */
const SOCKET: readonly Item[] = [load(8, R3, R10, OBJECT)];

/** What is left to do when the chain is known. */
function enterChain(chain: 'ACCEPT' | 'RECVFROM', offsets: Offsets): readonly Item[] {
  const unread = `${chain}.unread`;
  return [
    storeImm(2, R10, slot('chain'), BUILTIN_CHAINS.indexOf(chain)),
    ...putGroup(chain, SOCKET_CGROUP),
    ...putDetails(chain, { socket: SOCKET, passed: deviceNumber(offsets, unread) }, unread),
    ...enter(chain),
    jump('walk'),
    label(unread),
    ...refuseIfRefusing(chain),
  ];
}

/** The chain, for what is told of a packet that can't be read. */
function putChain(): readonly Item[] {
  const put = (chain: BuiltinChain) =>
    storeImm(2, R10, slot('chain'), BUILTIN_CHAINS.indexOf(chain));
  return [
    put('RECVFROM'),
    jumpIf('ne', R8, PROTOCOL.tcp, 'chained'),
    put('ACCEPT'),
    label('chained'),
  ];
}

const REPORTING: Reporting = {
  context: '__sk_buff',
  socket: [load(8, R1, R6, SKB_SK)],
  who: 'socket',
};

/** The program that judges SYNs and datagrams by the cgroup of the socket that they reach. Linux 5.8. */
export function ingressProgram(offsets: Offsets): ProgramSpec {
  return {
    name: 'sf_ingress',
    type: 'cgroup_skb',
    expectedAttachType: 'inet_ingress',
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
      load(4, R8, R0, SK.protocol),
      load(4, R1, R0, SK.state),
      jumpIf('eq', R1, TCP_LISTEN, 'listening'),
      jumpIf('eq', R8, PROTOCOL.tcp, 'pass'),
      ...unlessStray('pass'),
      jumpIf('eq', R8, PROTOCOL.udp, 'judged'),
      jumpIf('ne', R8, PROTOCOL.udplite, 'pass'),
      jump('judged'),
      label('listening'),
      jumpIf('ne', R8, PROTOCOL.tcp, 'pass'),

      label('judged'),
      store(8, R10, CONTEXT, R9),
      ...findGeneration(),
      ...clearPacket(),
      ...putChain(),
      jumpIf('ne', R8, PROTOCOL.tcp, 'datagram'),
      ...loadNextHeader(TCP_FLAGS + 1, offsets),
      load(1, R1, R10, NEXT_HEADER + TCP_FLAGS),
      andImm(R1, TCP_SYN | TCP_ACK | TCP_RST),
      jumpIf('ne', R1, TCP_SYN, 'pass'),
      jump('loaded'),
      label('datagram'),
      ...loadNextHeader(PORT_BYTES, offsets),
      label('loaded'),
      ...judgeChosenPort(offsets),

      ...clearPacket(),
      ...put16('protocol', R8),
      jumpIf('ne', R8, PROTOCOL.tcp, 'ports'),
      ...putConstant('flags', TCP_SYN),
      label('ports'),
      ...putPorts(),
      ...putAddresses(),
      ...socketNumber(UNREADABLE),
      ...putMark(['ACCEPT', 'RECVFROM'], peekMark([load(8, R3, R10, OBJECT)], offsets, UNREADABLE)),
      ...putOwner(offsets, UNREADABLE),
      jumpIf('eq', R8, PROTOCOL.tcp, 'accept'),
      ...enterChain('RECVFROM', offsets),
      label('accept'),
      ...enterChain('ACCEPT', offsets),

      label('walk'),
      ...walk(offsets),
      label(UNREADABLE),
      jumpIf('eq', R8, PROTOCOL.tcp, 'unreadable.accept'),
      ...refuseIfRefusing('RECVFROM'),
      label('unreadable.accept'),
      ...refuseIfRefusing('ACCEPT'),
      ...tellRefusal(() => SOCKET_CGROUP),
      label(FAILED),
      movImm(R0, 0),
      exit(),
      label(DECIDED),
      label('pass'),
      movImm(R0, 1),
      exit(),
    ],
  };
}
