/**
 * `sockfilter explain`: what becomes of a call. Of the table in force the very nodes that the kernel walks say it;
 * of a file the rules do, as nothing has been made of it and one call asks for no diagram.
 */

import { type Answers, buildDiagram, draws, everyWay, type Way } from '@sockfilter/diagram';
import { printOwner } from '@sockfilter/iptables';
import { encodeBlob, walkBlob } from '@sockfilter/kernel';
import { EXIT, writeJson } from '@sockfilter/language';
import { type Counted, detailWords, Tracer } from '@sockfilter/policy';
import {
  assumeFor,
  assumeIn,
  auditedErrno,
  CHAINS,
  type Circumstances,
  type CounterOwner,
  counterOwners,
  type Decision,
  describeDetail,
  destinationText,
  EMPTY_TABLE,
  type Errno,
  elementAt,
  errnoName,
  groupLabel,
  isBelow,
  isBuiltinChain,
  isDrawn,
  ownerName,
  type Packet,
  PROTOCOL,
  placedTests,
  printEndpoint,
  protocolName,
  registerPaths,
  rewrite,
  type Table,
  UNCHANGED,
} from '@sockfilter/table';
import { printWalk, walkRules } from './ci/walk.js';
import { CommandError } from './failure.js';
import { withFileTable } from './filetable.js';
import type { Globals } from './globals.js';
import { type LiveTable, withLiveTable } from './livetable.js';
import { print } from './output.js';
import { type PacketWords, readPacket } from './packet.js';
import { noteCaller } from './pathnotes.js';
import { readTask, type Task } from './task.js';

/** What becomes of a call on one way. */
interface Fate extends Pick<Counted, 'errno' | 'decider' | 'counted'> {
  /** The call as it goes on. */
  readonly packet: Packet;
  /** Where it goes then. */
  readonly destination: string;
  /** Whether that is one of several. */
  readonly isDrawn: boolean;
}

/** What has said on a way that the call goes it. */
interface Said {
  readonly owner: CounterOwner;
  /** The destinations that the rule gives the call or not; of a test undefined. */
  readonly gives?: string;
}

interface Explained {
  readonly table: Table;
  readonly packet: Packet;
  /** One, unless it depends on what opaque tests say. */
  readonly ways: readonly Way<Fate>[];
  readonly saidBy: (n: number) => Said;
  /** False if there is no table in the kernel at all. */
  readonly isInstalled: boolean;
}

function walkFile(
  table: Table,
  packet: Packet,
  circumstances: Circumstances,
): Pick<Explained, 'ways' | 'saidBy'> {
  const tracer = new Tracer(table);
  const tests = placedTests(table);
  const ways = tracer
    .countedWays(packet, { assume: assumeIn(circumstances) })
    .map(({ said, result }) => ({
      said,
      result: {
        ...result,
        packet: rewrite(packet, result.rewriting),
        destination: destinationText(packet, result.rewriting),
        isDrawn: isDrawn(result.rewriting),
      },
    }));
  const saidBy = (n: number): Said => {
    const owner = tracer.drawn(n);
    if (!owner?.way) return elementAt(tests, n);
    return { owner, gives: destinationText(packet, owner.way.rewriting) };
  };
  return { ways, saidBy };
}

function walkNodes(
  table: Table,
  circumstances: Circumstances,
  walk: (answers: Answers) => Decision,
): Pick<Explained, 'ways' | 'saidBy'> {
  const tests = placedTests(table);
  const owners = counterOwners(table);
  const { sets } = table;
  const assume = assumeIn(circumstances);
  const fateOf = ({ errno, decider, counted, packet }: Decision): Fate => ({
    errno,
    decider: elementAt(owners, decider),
    counted: counted.map((counter) => elementAt(owners, counter)),
    packet,
    destination: destinationText(packet, UNCHANGED),
    isDrawn: false,
  });
  const ways = everyWay(walk, (n, packet) =>
    assumeFor({ packet, sets }, assume)(elementAt(tests, n).test),
  );
  return {
    ways: ways.map(({ said, result }) => ({ said, result: fateOf(result) })),
    saidBy: (n) => elementAt(tests, n),
  };
}

/** What becomes of calls where nothing is installed. */
function openWalk(packet: Packet): (answers: Answers) => Decision {
  const blob = encodeBlob(buildDiagram(EMPTY_TABLE), 0);
  return (answers) => walkBlob(blob, packet, answers);
}

/** The call in a rule file's table. Throws CommandError where the words make no call. */
function explainWritten(
  written: Table,
  words: PacketWords,
  circumstances: Circumstances,
): Explained {
  const table = registerPaths(written, 0);
  const packet = readPacket(words, table);
  return { table, packet, ...walkFile(table, packet, circumstances), isInstalled: true };
}

/** The call in the table in force. Throws CommandError where the words make no call. */
function explainLive(
  { open: { table }, firewall }: LiveTable,
  words: PacketWords,
  circumstances: Circumstances,
): Explained {
  const packet = readPacket(words, table);
  const walk = firewall.explain(packet);
  // Nodes choose by what one call has drawn, rules tell all that it could.
  const walked = draws(table)
    ? walkFile(table, packet, circumstances)
    : walkNodes(table, circumstances, walk ?? openWalk(packet));
  return { table, packet, ...walked, isInstalled: walk !== undefined };
}

function decide(globals: Globals, words: PacketWords, circumstances: Circumstances): Explained {
  if (globals.file !== undefined)
    return withFileTable(globals.file, globals.wait, 'read', ({ table }) =>
      explainWritten(table, words, circumstances),
    );
  return withLiveTable(globals, 'read', (live) => explainLive(live, words, circumstances));
}

function packetWords(packet: Packet): Readonly<Record<string, string | number>> {
  const { chain, protocol, family, group, uid, gid, mark } = packet;
  return {
    chain,
    group,
    protocol: protocolName(protocol),
    source: printEndpoint(family, packet.source, packet.sourcePort),
    destination: printEndpoint(family, packet.destination, packet.destinationPort),
    uid,
    ...(CHAINS[chain].bounds.gid ? {} : { gid }),
    ...(mark !== 0 && { mark: markText(mark) }),
    ...Object.fromEntries(detailWords(packet)),
  };
}

/** A bind to port 0, of which the kernel makes another. */
function asksForPort({ chain, destinationPort }: Packet): boolean {
  return chain === 'BIND' && destinationPort === 0;
}

/** A call of a socket that the table lets nobody make. */
function isDenied({ denyUnseen }: Table, { protocol }: Packet): boolean {
  return denyUnseen && protocol === PROTOCOL.udplite;
}

/** A rule, or a policy. */
export interface Decider {
  readonly chain: string;
  /** Its number; null for the policy. */
  readonly rule: number | null;
  /** As `-S` prints it. */
  readonly text: string;
}

/** What becomes of a call. */
export interface OutcomeAnswer {
  readonly verdict: 'allowed' | 'refused';
  readonly errno?: number;
  /** `EPERM`. */
  readonly errnoName?: string;
  readonly decider: Decider;
  /** What rules have made the socket's mark, if they have: `0x1`. */
  readonly mark?: string;
  /** What it would be refused with, if it were not audited. */
  readonly audited?: { readonly errno: number; readonly errnoName: string };
  /** The rules that count it. */
  readonly counted: readonly Decider[];
}

/** What becomes of it where rules have said so. */
export interface WayAnswer extends OutcomeAnswer {
  /** Of a rule with several destinations `gives` says which: `10.0.0.5-10.0.0.6:80`. */
  readonly said: readonly (Decider & { readonly gives?: string; readonly holds: boolean })[];
}

/** What `explain --json` prints of a call: one outcome, or several where rules ask a clock, a state or chance. */
export type Explanation = (
  | OutcomeAnswer
  | { readonly verdict: 'undecided'; readonly ways: readonly WayAnswer[] }
) & {
  /** False where no table is in force, and every call is allowed. */
  readonly installed: boolean;
  /** The table lets nobody make such a socket. */
  readonly denied?: boolean;
  /** The call as it was understood. */
  readonly call: Readonly<Record<string, string | number>>;
};

function place(owner: CounterOwner): Decider {
  return {
    chain: owner.chain.name,
    rule: owner.rule ? owner.number : null,
    text: printOwner(owner),
  };
}

const markText = (mark: number) => `0x${mark.toString(16)}`;

/** What the call goes on with that it did not come with. */
function changesOf(
  before: Packet,
  { packet: after, destination }: Fate,
): Readonly<Record<string, string>> {
  return {
    ...(destination !== destinationText(before, UNCHANGED) && { destination }),
    ...(before.mark !== after.mark && { mark: markText(after.mark) }),
  };
}

/** A way in words of the table: what decides, what is counted, and which rules asked and said what. */
class Outcome {
  readonly errno: number;
  readonly decider: CounterOwner;
  /** What it would be refused with, if it were not audited. */
  readonly audited: Errno | undefined;
  readonly counted: readonly CounterOwner[];
  /** What rules have made of the call, if they have. */
  readonly becomes: Readonly<Record<string, string>>;
  readonly said: readonly (Said & { readonly holds: boolean })[];
  readonly #isDrawn: boolean;

  constructor(saidBy: Explained['saidBy'], packet: Packet, { said, result }: Way<Fate>) {
    const { errno, decider, counted } = result;
    this.errno = errno;
    this.becomes = changesOf(packet, result);
    this.#isDrawn = result.isDrawn;
    this.decider = decider;
    this.audited = auditedErrno(decider);
    this.counted = counted;
    this.said = [...said].map(([n, holds]) => ({ ...saidBy(n), holds }));
  }

  get json(): OutcomeAnswer {
    const named = this.errno === 0 ? {} : { errnoName: errnoName(this.errno) };
    return {
      ...(this.errno === 0
        ? { verdict: 'allowed' }
        : { verdict: 'refused', errno: this.errno, ...named }),
      decider: place(this.decider),
      ...this.becomes,
      ...(this.audited !== undefined && {
        audited: { errno: this.audited, errnoName: errnoName(this.audited) },
      }),
      counted: this.counted.map(place),
    };
  }

  /** `if what rule 1 of BIND asks holds: `. */
  get condition(): string {
    const parts = this.said.map(({ owner, gives, holds }) =>
      gives === undefined
        ? `what ${ownerName(owner)} asks ${holds ? 'holds' : 'does not hold'}`
        : `${ownerName(owner)} gives it ${holds ? '' : 'none of '}${gives}`,
    );
    return parts.length === 0 ? '' : `if ${parts.join(', and ')}: `;
  }

  get lines(): readonly string[] {
    const verdict = this.errno === 0 ? 'allowed' : `refused with ${errnoName(this.errno)}`;
    const also = this.counted.filter((owner) => owner !== this.decider);
    const changes = Object.entries(this.becomes).map(
      ([name, text]) =>
        `${name} ${this.#isDrawn && name === 'destination' ? 'one of ' : ''}${text}`,
    );
    return [
      `${this.condition}${verdict} by ${ownerName(this.decider)}`,
      `  ${printOwner(this.decider)}`,
      ...(changes.length === 0 ? [] : [`it goes on with ${changes.join(', ')}`]),
      ...(this.audited === undefined
        ? []
        : [`audited: it would be refused with ${errnoName(this.audited)}`]),
      ...also.map((owner) => `also counted by ${ownerName(owner)}\n  ${printOwner(owner)}`),
    ];
  }
}

function outcomesOf({ packet, ways, saidBy }: Explained): readonly Outcome[] {
  return ways.map((way) => new Outcome(saidBy, packet, way));
}

function explanationOf(
  { table, packet, isInstalled }: Explained,
  outcomes: readonly Outcome[],
): Explanation {
  const [only, other] = outcomes;
  if (!only) throw new Error('a call without an outcome');
  const about = {
    installed: isInstalled,
    ...(isDenied(table, packet) && { denied: true }),
    call: packetWords(packet),
  };
  if (!other) return { ...only.json, ...about };
  const ways = outcomes.map((each) => ({
    said: each.said.map(({ owner, gives, holds }) => ({
      ...place(owner),
      ...(gives !== undefined && { gives }),
      holds,
    })),
    ...each.json,
  }));
  return { verdict: 'undecided', ways, ...about };
}

/** What becomes of a call by a table that is in a file, or nowhere. Throws CommandError where the words make no call. */
export function explainIn(
  table: Table,
  words: PacketWords,
  circumstances: Circumstances = {},
): Explanation {
  const explained = explainWritten(table, words, circumstances);
  return explanationOf(explained, outcomesOf(explained));
}

/** What becomes of a call by the table in force. Throws CommandError where the words make no call. */
export function explainInForce(
  live: LiveTable,
  words: PacketWords,
  circumstances: Circumstances = {},
): Explanation {
  const explained = explainLive(live, words, circumstances);
  return explanationOf(explained, outcomesOf(explained));
}

/** The call as the process would make it: who calls is not said in other words as well. */
function callOf({ cgroup, uid, gid, name, netns }: Task, words: PacketWords): PacketWords {
  for (const key of ['group', 'uid', 'gid', 'comm', 'netns'] as const)
    if (words[key] !== undefined)
      throw new CommandError(`\`--pid\` says already what \`--${key}\` is`, EXIT.usage);
  const isOfSocket = isBuiltinChain(words.chain) && CHAINS[words.chain].bounds.gid !== undefined;
  // A name that no rule could say is as good as none.
  const comm = describeDetail('comm').read(name) && name;
  return { ...words, group: cgroup, uid, netns, ...(!isOfSocket && { gid, comm }) };
}

function taskWords({ pid, name, cgroup, netns }: Task, { root, file }: Globals): string {
  const isOutside = file === undefined && !isBelow(cgroup, root);
  const place = netns === undefined ? '' : `, network namespace ${netns}`;
  const said = `process: ${name}[${pid}] in ${cgroup}${place}`;
  return isOutside ? `${said}; not below ${root}: its own sockets are not judged` : said;
}

export interface ExplainOptions {
  /** The process whose calls are asked about. */
  readonly pid?: string | undefined;
  readonly json: boolean;
  readonly rules: boolean;
  readonly circumstances: Circumstances;
}

export async function explain(
  globals: Globals,
  given: PacketWords,
  { pid, json, rules, circumstances }: ExplainOptions,
): Promise<void> {
  const task = pid === undefined ? undefined : readTask(pid);
  const words = task ? callOf(task, given) : given;
  const explained = decide(globals, words, circumstances);
  const { table, packet, isInstalled } = explained;
  noteCaller(words.group, table.groups);
  const outcomes = outcomesOf(explained);
  const [, other] = outcomes;
  const asked = () => walkRules(table, packet, circumstances);
  if (json) {
    const answer = {
      ...explanationOf(explained, outcomes),
      ...(task && { process: task }),
      ...(rules && { asked: asked() }),
    };
    print(writeJson(answer));
    return;
  }
  const said = { ...packetWords(packet), group: groupLabel(table.groups, packet.group) };
  const call = Object.entries(said).map(([name, value]) => `${name} ${value}`);
  const lines = [
    ...(other ? ['undecided: it depends on a clock, a state or chance'] : []),
    ...outcomes.flatMap((outcome) => outcome.lines),
    ...(asksForPort(packet) && outcomes.some(({ errno }) => errno === 0)
      ? ['the port that the kernel chooses is judged too, with its number']
      : []),
    ...(isDenied(table, packet)
      ? ['`--deny-unseen`: no such socket can be made, and the call never comes']
      : []),
    ...(isInstalled ? [] : ['nothing is installed: every call is allowed']),
    `call: ${call.join(', ')}`,
    ...(task ? [taskWords(task, globals)] : []),
  ];
  print(lines.map((line) => `${line}\n`).join(''));
  if (rules) print(`asked in this order:\n${printWalk(asked())}`);
}
