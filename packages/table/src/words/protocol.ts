/** Protocols by name, as iptables has them. */
import { BUILTIN_CHAINS } from '../chains.js';
import { PROTOCOL } from '../protocol.js';
import { boundOf } from '../region.js';
import { contains } from '../valueset.js';

/** The first name of a number is the one that is printed. */
export const PROTOCOL_NAMES: Readonly<Record<string, number>> = {
  tcp: PROTOCOL.tcp,
  udp: PROTOCOL.udp,
  udplite: PROTOCOL.udplite,
  icmp: PROTOCOL.icmp,
  'ipv6-icmp': PROTOCOL.icmpv6,
  icmpv6: PROTOCOL.icmpv6,
  icmp6: PROTOCOL.icmpv6,
  // A multipath connection is a tcp connection to the hooks.
  mptcp: PROTOCOL.tcp,
  sctp: PROTOCOL.sctp,
  dccp: PROTOCOL.dccp,
};

const PRINTED: ReadonlyMap<number, string> = new Map(
  Object.entries(PROTOCOL_NAMES)
    .map(([name, number]) => [number, name] as const)
    .toReversed(),
);

/** The name if it has one here, else the number. */
export function protocolName(protocol: number): string {
  return PRINTED.get(protocol) ?? String(protocol);
}

/** The number of a protocol that a call can have, from its name or number. */
export function callProtocol(text: string): number | undefined {
  const word = text.toLowerCase();
  const number = Object.hasOwn(PROTOCOL_NAMES, word)
    ? PROTOCOL_NAMES[word]
    : /^\d{1,3}$/.test(word)
      ? Number(word)
      : undefined;
  if (number === undefined) return undefined;
  const isSeen = BUILTIN_CHAINS.some((chain) => {
    const bound = boundOf(chain, 'protocol');
    return !bound || contains(bound.set, BigInt(number));
  });
  return isSeen ? number : undefined;
}
