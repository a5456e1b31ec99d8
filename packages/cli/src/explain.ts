/** `sockfilter explain`: what becomes of a call, from the very blob that the kernel walks. */

import { buildDiagram } from '@sockfilter/diagram';
import { printRule } from '@sockfilter/iptables';
import { encodeBlob, walkBlob } from '@sockfilter/kernel';
import { writeJson } from '@sockfilter/language';
import {
  CHAINS,
  type CounterOwner,
  counterOwners,
  type Decision,
  errnoName,
  evaluate,
  groupLabel,
  ownerName,
  type Packet,
  printEndpoint,
  protocolName,
  registerPaths,
  type Table,
} from '@sockfilter/table';
import { printWalk, walkRules } from './ci/walk.js';
import { withFileTable } from './filetable.js';
import type { Globals } from './globals.js';
import { withLiveTable } from './livetable.js';
import { print } from './output.js';
import { type PacketWords, readPacket } from './packet.js';

interface Explained {
  readonly table: Table;
  readonly packet: Packet;
  readonly decision: Decision;
  /** False if there is no table in the kernel at all. */
  readonly isInstalled: boolean;
}

function decide(globals: Globals, words: PacketWords): Explained {
  if (globals.file !== undefined)
    return withFileTable(globals.file, globals.wait, 'read', ({ table: written }) => {
      const table = registerPaths(written, 0);
      const packet = readPacket(words, table);
      const decision = walkBlob(encodeBlob(buildDiagram(table), 0), packet);
      return { table, packet, decision, isInstalled: true };
    });
  return withLiveTable(globals, 'read', ({ open: { table }, firewall }) => {
    const packet = readPacket(words, table);
    const decision = firewall.explain(packet);
    const isInstalled = decision !== undefined;
    return { table, packet, decision: decision ?? evaluate(table, packet), isInstalled };
  });
}

/** The rule or policy in the form of `-S`. */
function ownerText({ chain, rule }: CounterOwner): string {
  return rule ? printRule(chain.name, rule) : `-P ${chain.name} ${chain.policy}`;
}

function packetWords(packet: Packet): Readonly<Record<string, string | number>> {
  const { chain, protocol, family, group, uid, gid } = packet;
  return {
    chain,
    group,
    protocol: protocolName(protocol),
    source: printEndpoint(family, packet.source, packet.sourcePort),
    destination: printEndpoint(family, packet.destination, packet.destinationPort),
    uid,
    ...(CHAINS[chain].bounds.gid ? {} : { gid }),
  };
}

/** A bind to port 0, of which the kernel makes another. */
function asksForPort({ chain, destinationPort }: Packet): boolean {
  return chain === 'BIND' && destinationPort === 0;
}

export async function explain(
  globals: Globals,
  words: PacketWords,
  { json, rules }: { readonly json: boolean; readonly rules: boolean },
): Promise<void> {
  const { table, packet, decision, isInstalled } = decide(globals, words);
  const owners = counterOwners(table);
  const counted = decision.counted.flatMap((counter) => owners[counter] ?? []);
  const decider = owners[decision.decider];
  if (!decider) throw new Error(`no counter ${decision.decider} in the table`);
  const place = (owner: CounterOwner) => ({
    chain: owner.chain.name,
    rule: owner.rule ? owner.number : null,
    text: ownerText(owner),
  });
  if (json) {
    const { errno } = decision;
    const verdict = errno === 0 ? { verdict: 'allowed' } : { verdict: 'refused', errno };
    const named = errno === 0 ? {} : { errnoName: errnoName(errno) };
    const answer = {
      ...verdict,
      ...named,
      installed: isInstalled,
      decider: place(decider),
      counted: counted.map(place),
      call: packetWords(packet),
      ...(rules && { asked: walkRules(table, packet) }),
    };
    print(writeJson(answer));
    return;
  }
  const verdict = decision.errno === 0 ? 'allowed' : `refused with ${errnoName(decision.errno)}`;
  const said = { ...packetWords(packet), group: groupLabel(table.groups, packet.group) };
  const call = Object.entries(said).map(([name, value]) => `${name} ${value}`);
  const also = counted.filter((owner) => owner !== decider);
  const lines = [
    `${verdict} by ${ownerName(decider)}`,
    `  ${ownerText(decider)}`,
    ...also.map((owner) => `also counted by ${ownerName(owner)}\n  ${ownerText(owner)}`),
    ...(asksForPort(packet) && decision.errno === 0
      ? ['the port that the kernel chooses is judged too, with its number']
      : []),
    ...(isInstalled ? [] : ['nothing is installed: every call is allowed']),
    `call: ${call.join(', ')}`,
  ];
  print(lines.map((line) => `${line}\n`).join(''));
  if (rules) print(`asked in this order:\n${printWalk(walkRules(table, packet))}`);
}
