/** The well-formed region: which packets can happen at all in a chain. */
import type { Bound } from './chain.js';
import { BUILTIN_CHAINS, type BuiltinChain, CHAINS } from './chains.js';
import { describeDetail, isDetail } from './details.js';
import { type Family, FIELDS, type Field, fieldValue, type Packet } from './packet.js';
import { PROTOCOL } from './protocol.js';
import { MAX_OWNER_ID } from './value.js';
import { contains, rangeSet, valueSet } from './valueset.js';

const { icmp, icmpv6 } = PROTOCOL;

const LOOPBACK: Readonly<Record<Family, bigint>> = { 4: 0x7f00_0001n, 6: 1n };

/** What the chain by itself makes of the field; undefined if it can be anything. */
export function boundOf(chain: BuiltinChain, field: Field): Bound | undefined {
  return CHAINS[chain].bounds[field] ?? EVERYWHERE[field] ?? detailBound(chain, field);
}

function detailBound(chain: BuiltinChain, field: Field): Bound | undefined {
  if (!isDetail(field)) return undefined;
  const { absent, values } = describeDetail(field);
  const reason = absent[chain];
  return reason === undefined ? values : { set: valueSet(0), reason };
}

const OWNERS: Bound = {
  set: rangeSet([[0n, BigInt(MAX_OWNER_ID)]]),
  reason: `no user or group has the id ${MAX_OWNER_ID + 1}: to the kernel it means none`,
};

/** What every chain restricts. */
const EVERYWHERE: Partial<Readonly<Record<Field, Bound>>> = { uid: OWNERS, gid: OWNERS };

/** True where the source is a peer's address, so that every call has one. */
export function hasPeerSource(chain: BuiltinChain): boolean {
  return CHAINS[chain].ours === 'destination' && CHAINS[chain].noPeer === undefined;
}

/** The protocol of a call that says none: tcp where the chain has it. */
export function usualProtocol(chain: BuiltinChain): number {
  const bound = boundOf(chain, 'protocol');
  return !bound || contains(bound.set, BigInt(PROTOCOL.tcp)) ? PROTOCOL.tcp : PROTOCOL.udp;
}

/** The TCP flags byte of every packet of the chain and protocol. */
export function flagsOf(chain: BuiltinChain, protocol: number): number {
  return CHAINS[chain].flags[protocol] ?? 0;
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
  if (asked !== 0n || !boundOf(chain, 'destination')) return asked;
  return family === 4 && source !== 0n ? source : LOOPBACK[family];
}

/** The fields that some chain restricts, in the order in which faults are told. */
export const BOUNDED_FIELDS: readonly Field[] = [
  'protocol',
  ...new Set(
    BUILTIN_CHAINS.flatMap((chain) =>
      FIELDS.filter((field) => field !== 'protocol' && boundOf(chain, field)),
    ),
  ),
];

/** Says what is impossible about the packet, or undefined when such a call can happen. */
export function impossible(packet: Packet): string | undefined {
  const width = packet.family === 4 ? 32n : 128n;
  if (packet.source >> width || packet.destination >> width)
    return 'the address is too wide for its family';
  for (const field of BOUNDED_FIELDS) {
    const bound = boundOf(packet.chain, field);
    if (!bound || contains(bound.set, fieldValue(packet, field))) continue;
    return field === 'protocol'
      ? `${packet.chain} has no protocol ${packet.protocol}: ${bound.reason}`
      : bound.reason;
  }
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
