/**
 * The hooks of calls that name an address: bind(2), connect(2), and sends on datagram sockets.
 *
 * The context is struct bpf_sock_addr, the socket struct bpf_sock (linux/bpf.h). Addresses there, and
 * `user_port`, are in network byte order; `src_port` is in host order.
 */
import {
  type Item,
  jump,
  jumpIf,
  label,
  load,
  mov,
  movImm,
  movImm32,
  or,
  type ProgramSpec,
  R1,
  R3,
  R4,
  R6,
  R8,
  R9,
  R10,
  store,
  storeImm,
  toBig,
} from '@sockfilter/bpf';
import { BUILTIN_CHAINS, CHAINS, type Family, PROTOCOL, TCP_SYN } from '@sockfilter/table';
import type { Offsets } from '../offsets.js';
import { type LoadWord, MAPPED_WORD, putAddress6, unlessMapped, WORDS } from './address.js';
import { askFunction } from './ask.js';
import { putAsked } from './asked.js';
import { CTX, SK } from './callcontext.js';
import { callerCgroup, finish, PROCEEDS, putOwner } from './caller.js';
import { applyDestination, keepLeads } from './destination.js';
import { detailFunction, putDetails } from './details.js';
import { pinIpv4, pinIpv6, refuseDetours, type SendingChain, socketNumber } from './detour.js';
import { deviceAddress, namedDevice } from './device.js';
import { enter, findGeneration, LICENSE, refuseIfRefusing, UNREADABLE } from './generation.js';
import { groupFunction, putGroup } from './group.js';
import { applyMark, putMark } from './mark.js';
import { type Reporting, reportFunction } from './report.js';
import { settle } from './settled.js';
import {
  ASKED_ADDRESS,
  ASKED_PORT,
  CONTEXT,
  clearPacket,
  peek,
  put16,
  put32,
  putConstant,
  slot,
} from './stack.js';
import { walk } from './walk.js';

export type CallChain = 'BIND' | 'CONNECT' | 'SENDTO';

const IPPROTO_MPTCP = 262;
const INADDR_LOOPBACK = 0x7f00_0001;
/** ::1 and ::ffff:127.0.0.1 as words in network order. */
const LOOPBACK6 = [0, 0, 0, 0x0100_0000];
const MAPPED_LOOPBACK = [0, 0, MAPPED_WORD, 0x0100_007f];

/** Leaves the protocol in r8, MPTCP as tcp. */
function putProtocol(chain: CallChain): readonly Item[] {
  const flags = [
    jumpIf('ne', R8, PROTOCOL.tcp, 'notTcp'),
    ...putConstant('flags', TCP_SYN),
    label('notTcp'),
  ];
  return [
    load(4, R8, R9, CTX.protocol),
    jumpIf('ne', R8, IPPROTO_MPTCP, 'notMptcp'),
    movImm(R8, PROTOCOL.tcp),
    label('notMptcp'),
    ...put16('protocol', R8),
    ...(chain === 'CONNECT' ? flags : []),
  ];
}

/** Where a chain reads what the call asks for. */
interface Asked {
  /** r1 = the port, in network order. */
  readonly port: readonly Item[];
  /** r1 = word n of the address, in network order. */
  readonly ip4: readonly Item[];
  readonly ip6: LoadWord;
}

const NAMED: Asked = {
  port: [load(4, R1, R9, CTX.userPort)],
  ip4: [load(4, R1, R9, CTX.userIp4)],
  ip6: (n) => [load(4, R1, R9, CTX.userIp6 + 4 * n)],
};

const ASKED: Readonly<Record<CallChain, Asked>> = {
  BIND: NAMED,
  CONNECT: NAMED,
  SENDTO: {
    port: [load(4, R1, R10, ASKED_PORT)],
    ip4: [load(4, R1, R10, ASKED_ADDRESS)],
    ip6: (n) => [load(4, R1, R10, ASKED_ADDRESS + 4 * n)],
  },
};

/** Ping sockets keep an identifier where others have a port: icmp has ports 0. */
function putPorts(chain: CallChain): readonly Item[] {
  return [
    jumpIf('eq', R8, PROTOCOL.icmp, 'noPorts'),
    jumpIf('eq', R8, PROTOCOL.icmpv6, 'noPorts'),
    ...ASKED[chain].port,
    toBig(R1, 16),
    ...put16('destinationPort', R1),
    ...(chain === 'BIND'
      ? []
      : [load(8, R1, R9, CTX.sk), load(4, R1, R1, SK.srcPort), ...put16('sourcePort', R1)]),
    label('noPorts'),
  ];
}

/** What differs between the chains and families: where the source of the data is to be read. */
interface Source {
  readonly chain: SendingChain;
  /** r1 = its IPv4 address, in network order. */
  readonly ip4: readonly Item[];
  /** r1 = word n of its IPv6 address, in network order. */
  readonly ip6: LoadWord;
  /** r1 = the IPv4 address that the kernel sends from, in network order; 0 if it has yet to choose. */
  readonly sendsFrom: readonly Item[];
}

function sourceOf(chain: SendingChain, family: Family, offsets: Offsets): Source {
  if (chain === 'SENDTO') {
    const ip6 = (n: number) => [load(4, R1, R9, CTX.msgSrcIp6 + 4 * n)];
    const ip4 = family === 4 ? [load(4, R1, R9, CTX.msgSrcIp4)] : ip6(3);
    return { chain, ip4, ip6, sendsFrom: ip4 };
  }
  const socketField = (offset: number) => [load(8, R1, R9, CTX.sk), load(4, R1, R1, offset)];
  return {
    chain,
    ip4: socketField(SK.srcIp4),
    ip6: (n) => socketField(SK.srcIp6 + 4 * n),
    // A socket bound to a multicast address receives on it and does not send from it.
    sendsFrom: [...socketNumber(), ...peek(offsets.inetSaddr, 4, UNREADABLE), mov(R1, R3)],
  };
}

/**
 * Stores an IPv4 packet with the destination in r8, in host order. An unspecified one is what the
 * kernel will make of it: the address that it sends from, else the output device's, else loopback
 * (ip_route_output_key_hash_rcu).
 */
function putIpv4(family: Family, source: Source | undefined, offsets: Offsets): readonly Item[] {
  const destination = put32('destination', R8, 6);
  if (!source) return [...putConstant('family', 4), ...destination];
  return [
    ...putConstant('family', 4),
    jumpIf('ne', R8, 0, 'specified'),
    ...source.sendsFrom,
    mov(R8, R1),
    toBig(R8, 32),
    jumpIf('ne', R8, 0, 'pin'),
    ...deviceAddress(source.chain, offsets, 'pin'),
    movImm32(R8, INADDR_LOOPBACK),
    label('pin'),
    ...pinIpv4(source.chain, family),
    label('specified'),
    ...destination,
    ...source.ip4,
    toBig(R1, 32),
    ...put32('source', R1, 6),
  ];
}

/**
 * Of an IPv6 call to the unspecified address: it goes to loopback, a connection from a socket that is
 * bound to a mapped address to that of IPv4 (tcp_v6_connect, __ip6_datagram_connect). A send from such
 * a socket comes by the hook of IPv4 (udpv6_sendmsg).
 */
function specify6({ chain, ip6 }: Source): readonly Item[] {
  const isLoopback6 = storeImm(2, R10, slot('destination', 7), 1);
  if (chain === 'SENDTO') return [isLoopback6, jump('loopback6')];
  return [
    ...unlessMapped(ip6, 'native'),
    movImm32(R8, INADDR_LOOPBACK),
    ...pinIpv6(chain, MAPPED_LOOPBACK, 'ipv4'),
    label('native'),
    isLoopback6,
    ...pinIpv6(chain, LOOPBACK6, 'loopback6'),
  ];
}

/** An IPv4-mapped destination is an IPv4 packet. */
function putAddresses6(
  { ip6: destination }: Asked,
  source: Source | undefined,
  offsets: Offsets,
): readonly Item[] {
  const specify = (address: Source) => [
    ...WORDS.flatMap((n) => [...destination(n), n === 0 ? mov(R4, R1) : or(R4, R1)]),
    jumpIf('ne', R4, 0, 'ipv6'),
    ...specify6(address),
  ];
  return [
    ...unlessMapped(destination, 'notMapped'),
    ...destination(3),
    mov(R8, R1),
    toBig(R8, 32),
    jump('ipv4'),
    label('notMapped'),
    ...(source ? specify(source) : []),
    label('ipv6'),
    ...putAddress6('destination', destination),
    label('loopback6'),
    ...putConstant('family', 6),
    ...(source ? putAddress6('source', source.ip6) : []),
    jump('addressed'),
    label('ipv4'),
    ...putIpv4(6, source, offsets),
    label('addressed'),
  ];
}

function putAddresses(
  family: Family,
  asked: Asked,
  source: Source | undefined,
  offsets: Offsets,
): readonly Item[] {
  if (family === 6) return putAddresses6(asked, source, offsets);
  return [...asked.ip4, mov(R8, R1), toBig(R8, 32), ...putIpv4(4, source, offsets)];
}

const HOOK = { BIND: 'bind', CONNECT: 'connect', SENDTO: 'sendmsg' } as const;

const ATTACH = {
  BIND: { 4: 'inet4_bind', 6: 'inet6_bind' },
  CONNECT: { 4: 'inet4_connect', 6: 'inet6_connect' },
  SENDTO: { 4: 'udp4_sendmsg', 6: 'udp6_sendmsg' },
} as const;

const REPORTING: Reporting = {
  context: 'bpf_sock_addr',
  socket: [load(8, R1, R6, CTX.sk)],
  who: 'caller',
};

/** The program that judges the calls of a chain on sockets of a family. Linux 5.18 (bpf_set_retval). */
export function sockAddrProgram(chain: CallChain, family: Family, offsets: Offsets): ProgramSpec {
  const source = chain === 'BIND' ? undefined : sourceOf(chain, family, offsets);
  const detours = source ? refuseDetours(source.chain, family, offsets) : [];
  const asked = chain === 'SENDTO' ? putAsked(family, offsets, PROCEEDS) : [];
  const cgroup = callerCgroup(socketNumber(), offsets);
  return {
    name: `sf_${HOOK[chain]}${family}`,
    type: 'cgroup_sock_addr',
    expectedAttachType: ATTACH[chain][family],
    license: LICENSE,
    functions: [
      askFunction(),
      reportFunction(REPORTING, offsets),
      detailFunction(offsets, 'caller'),
      groupFunction(),
    ],
    items: [
      mov(R9, R1),
      store(8, R10, CONTEXT, R9),
      ...findGeneration(),
      // A send that names no address may be none that SENDTO judges.
      ...(chain === 'SENDTO' ? [load(4, R1, R9, CTX.userPort), jumpIf('eq', R1, 0, 'judge')] : []),
      ...settle(chain, 'judge'),
      label('judge'),
      ...clearPacket(),
      storeImm(2, R10, slot('chain'), BUILTIN_CHAINS.indexOf(chain)),
      ...(chain === 'BIND' ? keepLeads() : []),
      ...detours,
      ...asked,
      ...putProtocol(chain),
      ...putPorts(chain),
      ...putAddresses(family, ASKED[chain], source, offsets),
      ...putMark([chain], [load(8, R1, R9, CTX.sk), load(4, R1, R1, SK.mark)]),
      ...putOwner(chain, socketNumber(), offsets),
      ...putGroup(chain, cgroup('call', UNREADABLE)),
      ...putDetails(
        chain,
        { socket: socketNumber(), named: namedDevice(chain, family, offsets) },
        UNREADABLE,
      ),
      ...enter(chain),
      ...walk(offsets),
      label(UNREADABLE),
      ...refuseIfRefusing(chain),
      ...finish(cgroup, [
        ...(CHAINS[chain].unmarkable === undefined ? applyMark() : []),
        ...applyDestination(chain, family),
      ]),
    ],
  };
}
