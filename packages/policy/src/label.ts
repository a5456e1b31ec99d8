/** Names for the numbers of packets: groups, protocols. */
import { type Group, PROTOCOL } from '@sockfilter/table';

/** As iptables prints them. */
const PROTOCOL_NAMES: Readonly<Record<number, string>> = {
  [PROTOCOL.tcp]: 'tcp',
  [PROTOCOL.udp]: 'udp',
  [PROTOCOL.udplite]: 'udplite',
  [PROTOCOL.icmp]: 'icmp',
  [PROTOCOL.icmpv6]: 'ipv6-icmp',
};

export function protocolName(protocol: number): string {
  return PROTOCOL_NAMES[protocol] ?? String(protocol);
}

/** The number of a protocol that a packet can have. */
export function protocolNumber(text: string): number | undefined {
  const word = text.toLowerCase();
  if (word === 'icmpv6') return PROTOCOL.icmpv6;
  if (word === 'mptcp') return PROTOCOL.tcp;
  for (const [number, name] of Object.entries(PROTOCOL_NAMES))
    if (name === word || number === word) return Number(number);
  return undefined;
}

/** `web (3)`, `7` where no group has the id, `none (0)`. */
export function groupLabel(groups: readonly Group[], id: number): string {
  if (id === 0) return 'none (0)';
  const group = groups.find((other) => other.id === id);
  return group ? `${group.name} (${id})` : String(id);
}
