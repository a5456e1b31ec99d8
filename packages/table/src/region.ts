/** The well-formed region: which packets can happen at all in a chain. */
import { type BuiltinChain, type Family, type Field, type Packet, TCP_SYN } from './packet.js';
import { PROTOCOL } from './protocol.js';
import { contains, rangeSet, type ValueSet, valueSet } from './valueset.js';

interface Bound {
  readonly set: ValueSet;
  /** Why nothing else can happen, for messages. */
  readonly reason: string;
}

const { icmp, icmpv6, tcp, udp, udplite } = PROTOCOL;

const NO_SOURCE: Bound = {
  set: valueSet(0),
  reason: 'bind(2) has no source: the address that was asked for is the destination',
};

const LOOPBACK: Readonly<Record<Family, bigint>> = { 4: 0x7f00_0001n, 6: 1n };

const SPECIFIED: Bound = {
  set: rangeSet([[1n, 2n ** 128n - 1n]]),
  reason:
    'the kernel makes an unspecified destination the address that the socket is bound to, else 127.0.0.1 or ::1',
};

const DATAGRAMS: Bound = {
  set: valueSet(udp, udplite),
  reason: 'it sees datagrams of udp and udplite sockets only',
};

/** The fields that a chain restricts by themselves, with the reason. */
export const REGION: Readonly<Record<BuiltinChain, Partial<Readonly<Record<Field, Bound>>>>> = {
  BIND: {
    protocol: {
      set: valueSet(tcp, udp, udplite),
      reason: 'it sees bind(2) of tcp, udp and udplite sockets only',
    },
    source: NO_SOURCE,
    sourcePort: NO_SOURCE,
  },
  ACCEPT: { protocol: { set: valueSet(tcp), reason: 'it sees tcp only' } },
  CONNECT: {
    protocol: {
      // udplite_prot has no pre_connect (net/ipv4/udplite.c): the kernel asks nobody.
      set: valueSet(tcp, udp, icmp, icmpv6),
      reason: 'it sees connect(2) of tcp, udp and ping sockets only',
    },
    destination: SPECIFIED,
  },
  SENDTO: { protocol: DATAGRAMS, destination: SPECIFIED },
  RECVFROM: { protocol: DATAGRAMS },
};

/** The TCP flags byte of every packet of the chain and protocol. */
export function flagsOf(chain: BuiltinChain, protocol: number): number {
  return protocol === tcp && (chain === 'CONNECT' || chain === 'ACCEPT') ? TCP_SYN : 0;
}

/**
 * The destination that the kernel makes of the one asked for: an unspecified one is the address that
 * the socket is bound to, else loopback (ip_route_output_key_hash, tcp_v6_connect, udpv6_sendmsg).
 */
export function reachedDestination(
  chain: BuiltinChain,
  family: Family,
  source: bigint,
  asked: bigint,
): bigint {
  if (asked !== 0n || !REGION[chain].destination) return asked;
  return family === 4 && source !== 0n ? source : LOOPBACK[family];
}

/** Says what is impossible about the packet, or undefined when such a call can happen. */
export function impossible(packet: Packet): string | undefined {
  const region = REGION[packet.chain];
  const width = packet.family === 4 ? 32n : 128n;
  if (packet.source >> width || packet.destination >> width)
    return 'the address is too wide for its family';
  if (region.protocol && !contains(region.protocol.set, BigInt(packet.protocol)))
    return `${packet.chain} has no protocol ${packet.protocol}: ${region.protocol.reason}`;
  if (packet.chain === 'BIND' && (packet.source !== 0n || packet.sourcePort !== 0))
    return NO_SOURCE.reason;
  if (region.destination && !contains(region.destination.set, packet.destination))
    return region.destination.reason;
  if (packet.protocol === (packet.family === 4 ? icmpv6 : icmp))
    return `protocol ${packet.protocol} does not run over IPv${packet.family}`;
  if (
    (packet.protocol === icmp || packet.protocol === icmpv6) &&
    (packet.sourcePort || packet.destinationPort)
  )
    return 'icmp has no ports';
  if (packet.flags !== flagsOf(packet.chain, packet.protocol))
    return `the flags of such a packet are ${flagsOf(packet.chain, packet.protocol)}`;
  return undefined;
}
