/** One call in words, and as the command line that shows how it is decided. */
import { type BuiltinChain, type Group, type Packet, PROTOCOL } from '@sockfilter/table';
import { printAddress, printEndpoint } from './address.js';
import type { Witness } from './finding.js';
import { groupLabel, protocolName } from './label.js';

const hasPorts = ({ protocol }: Packet) =>
  protocol !== PROTOCOL.icmp && protocol !== PROTOCOL.icmpv6;

function endpoint(packet: Packet, end: 'source' | 'destination'): string {
  const address = packet[end];
  const port = end === 'source' ? packet.sourcePort : packet.destinationPort;
  return hasPorts(packet)
    ? printEndpoint(packet.family, address, port)
    : printAddress(packet.family, address);
}

/** The socket's own end as a remark, where it is bound to something. */
function boundTo(packet: Packet): string {
  return packet.source === 0n && packet.sourcePort === 0
    ? ''
    : ` from ${endpoint(packet, 'source')}`;
}

const arriving = (verb: string) => (packet: Packet) =>
  `${verb}(${protocolName(packet.protocol)}, ${endpoint(packet, 'destination')}) from ${endpoint(packet, 'source')}`;

const leaving = (verb: string) => (packet: Packet) =>
  `${verb}(${protocolName(packet.protocol)}, ${endpoint(packet, 'destination')})${boundTo(packet)}`;

const CALLS: Readonly<Record<BuiltinChain, (packet: Packet) => string>> = {
  BIND: leaving('bind'),
  ACCEPT: arriving('accept'),
  CONNECT: leaving('connect'),
  SENDTO: leaving('sendto'),
  RECVFROM: arriving('recvfrom'),
};

/** `connect(tcp, 10.0.0.5:80) by group web (3), uid 1000`; with the gid where it is another number. */
export function describeCall(packet: Packet, groups: readonly Group[]): string {
  const who = packet.group === 0 ? 'no group' : `group ${groupLabel(groups, packet.group)}`;
  const gid = packet.gid === packet.uid ? '' : `, gid ${packet.gid}`;
  return `${CALLS[packet.chain](packet)} by ${who}, uid ${packet.uid}${gid}`;
}

/** What to type to see how the call is decided. */
export function explainCommand(packet: Packet, file?: string): string {
  const quoted =
    file !== undefined && /[^\w@%+=:,./-]/.test(file) ? `'${file.replaceAll("'", `'\\''`)}'` : file;
  const words = [
    'sockfilter',
    ...(quoted === undefined ? [] : ['--file', quoted]),
    'explain',
    packet.chain,
    `--group ${packet.group}`,
    `--proto ${protocolName(packet.protocol)}`,
    ...(packet.chain === 'BIND' ? [] : [`--src ${endpoint(packet, 'source')}`]),
    `--dst ${endpoint(packet, 'destination')}`,
    ...(packet.uid === 0 ? [] : [`--uid ${packet.uid}`]),
    ...(packet.gid === 0 ? [] : [`--gid ${packet.gid}`]),
  ];
  return words.join(' ');
}

export function makeWitness(packet: Packet, groups: readonly Group[], file: string): Witness {
  return {
    packet,
    call: describeCall(packet, groups),
    command: explainCommand(packet, file),
  };
}
