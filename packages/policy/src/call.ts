/** One call in words, and as the command line that shows how it is decided. */
import { quoteShell } from '@sockfilter/language';
import {
  CHAINS,
  DETAIL_NAMES,
  type Detail,
  describeDetail,
  type Group,
  groupLabel,
  hasPeerSource,
  type Packet,
  PROTOCOL,
  printAddress,
  printEndpoint,
  protocolName,
} from '@sockfilter/table';
import type { Witness } from './finding.js';

const hasPorts = ({ protocol }: Packet) =>
  protocol !== PROTOCOL.icmp && protocol !== PROTOCOL.icmpv6;

function endpoint(packet: Packet, end: 'source' | 'destination'): string {
  const address = packet[end];
  const port = end === 'source' ? packet.sourcePort : packet.destinationPort;
  return hasPorts(packet)
    ? printEndpoint(packet.family, address, port)
    : printAddress(packet.family, address);
}

/** `connect(tcp, 10.0.0.5:80)`; a source that is not a peer's only where there is one. */
function callText(packet: Packet): string {
  const { call } = CHAINS[packet.chain];
  const isSaid = hasPeerSource(packet.chain) || packet.source !== 0n || packet.sourcePort !== 0;
  const from = isSaid ? ` from ${endpoint(packet, 'source')}` : '';
  return `${call}(${protocolName(packet.protocol)}, ${endpoint(packet, 'destination')})${from}`;
}

const markText = ({ mark }: Packet) => `0x${mark.toString(16)}`;
/** The details of the call, each with what it is. */
export function detailWords(packet: Packet): readonly (readonly [detail: Detail, text: string])[] {
  return DETAIL_NAMES.flatMap((detail) => {
    const value = packet[detail] ?? 0n;
    return value === 0n ? [] : [[detail, describeDetail(detail).print([value, value])] as const];
  });
}

/** `connect(tcp, 10.0.0.5:80) by group web (3), uid 1000`; with the gid where it is another number. */
export function describeCall(packet: Packet, groups: readonly Group[]): string {
  const who = packet.group === 0 ? 'no group' : `group ${groupLabel(groups, packet.group)}`;
  const hasGid = CHAINS[packet.chain].bounds.gid === undefined;
  const gid = packet.gid === packet.uid || !hasGid ? '' : `, gid ${packet.gid}`;
  const mark = packet.mark === 0 ? '' : `, mark ${markText(packet)}`;
  const details = detailWords(packet).map(([detail, text]) => `, ${detail} ${quoteShell(text)}`);
  return `${callText(packet)} by ${who}, uid ${packet.uid}${gid}${mark}${details.join('')}`;
}

/** What to type to see how the call is decided. */
export function explainCommand(packet: Packet, file?: string): string {
  const words = [
    'sockfilter',
    ...(file === undefined ? [] : ['--file', quoteShell(file)]),
    'explain',
    packet.chain,
    `--group ${packet.group}`,
    `--proto ${protocolName(packet.protocol)}`,
    ...(CHAINS[packet.chain].noPeer !== undefined ? [] : [`--src ${endpoint(packet, 'source')}`]),
    `--dst ${endpoint(packet, 'destination')}`,
    ...(packet.uid === 0 ? [] : [`--uid ${packet.uid}`]),
    ...(packet.gid === 0 ? [] : [`--gid ${packet.gid}`]),
    ...(packet.mark === 0 ? [] : [`--mark ${markText(packet)}`]),
    ...detailWords(packet).map(([detail, text]) => `--${detail} ${quoteShell(text)}`),
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
