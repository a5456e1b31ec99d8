/** The well-formed region: which packets can happen at all in a chain. */
import { type BuiltinChain, type Field, type Packet, TCP_SYN } from './packet.js';
import { PROTOCOL } from './protocol.js';
import { contains, type ValueSet, valueSet } from './valueset.js';

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
  },
  SENDTO: { protocol: DATAGRAMS },
  RECVFROM: { protocol: DATAGRAMS },
};

/** The TCP flags byte of every packet of the chain and protocol. */
export function flagsOf(chain: BuiltinChain, protocol: number): number {
  return protocol === tcp && (chain === 'CONNECT' || chain === 'ACCEPT') ? TCP_SYN : 0;
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
