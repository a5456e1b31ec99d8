/** A rule file that allows what was seen, by group and chain, and nothing else of those. */
import { printGroup } from '@sockfilter/iptables';
import {
  addressBits,
  BUILTIN_CHAINS,
  type BuiltinChain,
  CHAINS,
  type Family,
  type Group,
  type Packet,
  PROTOCOL,
  prefixMask,
  printNetwork,
  protocolName,
} from '@sockfilter/table';

/** A call, and how often it was seen. */
export interface SeenCall {
  readonly packet: Packet;
  readonly times: number;
}

export interface LearnOptions {
  /** Names of ids; a group without one is called by its number. */
  readonly groups: readonly Group[];
  /** How long the networks are that addresses of peers are joined to. */
  readonly prefix: Readonly<Record<Family, number>>;
}

/** What was made of the calls. */
export interface Learned {
  /** The file, without counters. */
  readonly text: string;
  /** Chains of groups in which nothing was seen: the file leaves them open. */
  readonly unseen: ReadonlyMap<string, readonly BuiltinChain[]>;
  /** Those of them in which the file holds datagrams to what was seen in the other chain that sends them. */
  readonly held: ReadonlyMap<string, readonly BuiltinChain[]>;
}

/** From which Linux takes ports for who names none, unless told otherwise (net.ipv4.ip_local_port_range). */
const EPHEMERAL = { from: 32_768, to: 60_999 } as const;
const EPHEMERAL_WORD = `${EPHEMERAL.from}:${EPHEMERAL.to}`;

const isEphemeral = (port: number) => port >= EPHEMERAL.from && port <= EPHEMERAL.to;

/** Our port or the peer's; who binds to port 0 is given another, which is judged as well. */
function portWords(chain: BuiltinChain, port: number): readonly string[] {
  const isChosen = chain === 'BIND' && (port === 0 || isEphemeral(port));
  if (isChosen) return ['-m', 'multiport', '--dports', `0,${EPHEMERAL_WORD}`];
  return ['--dport', isEphemeral(port) ? EPHEMERAL_WORD : String(port)];
}

/** A datagram goes to a peer from a socket that is connected to it or from one that is not: by either chain. */
const TWIN: Partial<Readonly<Record<BuiltinChain, BuiltinChain>>> = {
  CONNECT: 'SENDTO',
  SENDTO: 'CONNECT',
};

/** What either chain of the two decides. */
const TWIN_WORDS = '-p udp';

/** The calls of udp as they would be in the other chain, where there is one. */
function twins(calls: readonly SeenCall[]): readonly SeenCall[] {
  return calls.flatMap(({ packet }) => {
    const chain = packet.protocol === PROTOCOL.udp ? TWIN[packet.chain] : undefined;
    return chain ? [{ packet: { ...packet, chain }, times: 0 }] : [];
  });
}

/** The calls, and those by which the same datagrams can be sent. */
export function withTwins(calls: readonly SeenCall[]): readonly SeenCall[] {
  return [...calls, ...twins(calls)];
}

const PORTS: readonly number[] = [PROTOCOL.tcp, PROTOCOL.udp, PROTOCOL.udplite];

/** 127.0.0.0/8 and ::1. */
const LOOPBACK_BITS: Readonly<Record<Family, number>> = { 4: 8, 6: 128 };

/** The most characters of a chain's name, as in iptables. */
const MAX_CHAIN_NAME = 28;

/** The network of the peer's address; those of this host are never joined to others. */
function networkOf(family: Family, address: bigint, length: number): string {
  const isLoopback = family === 4 ? address >> 24n === 127n : address === 1n;
  const mask = prefixMask(family, isLoopback ? LOOPBACK_BITS[family] : length);
  return printNetwork({ family, value: address & mask, mask });
}

/**
 * The options of a rule that matches the call. A port of ours is one to which the chain listens; one that the kernel
 * gave is told by the peer's.
 */
export function learnedWords(packet: Packet, prefix: Readonly<Record<Family, number>>): string {
  const { chain, family, protocol, source, destination, sourcePort, destinationPort } = packet;
  const { ours, noPeer } = CHAINS[chain];
  const words: string[] = [];
  const isPeers = noPeer === undefined;
  const length = isPeers ? prefix[family] : addressBits(family);
  if (isPeers && ours === 'destination') words.push('-s', networkOf(family, source, length));
  else words.push('-d', networkOf(family, destination, length));
  words.push('-p', protocolName(protocol));
  if (!PORTS.includes(protocol)) return words.join(' ');
  if (isPeers && ours === 'destination' && isEphemeral(destinationPort) && !isEphemeral(sourcePort))
    words.push('--sport', String(sourcePort));
  words.push(...portWords(chain, destinationPort));
  return words.join(' ');
}

function chainName(label: string, id: number, chain: BuiltinChain): string {
  const end = `-${chain.toLowerCase()}`;
  const name = `${label}${end}`;
  const isPlain = /^\w[\w.-]*$/.test(label) && name.length <= MAX_CHAIN_NAME;
  return isPlain ? name : `group-${id}${end}`;
}

function timesText(times: number): string {
  if (times === 0) return 'seen as the other call that sends datagrams';
  return times === 1 ? 'seen once' : `seen ${times} times`;
}

/** A rule, and the calls that it is for. */
export interface LearnedRule<T> {
  /** Its options and its target. */
  readonly text: string;
  readonly calls: readonly T[];
}

/** The rules for some calls of one group, those first that were seen most often. */
export function learnedRules<T extends SeenCall>(
  calls: readonly T[],
  { prefix }: Pick<LearnOptions, 'prefix'>,
): readonly LearnedRule<T>[] {
  const byWords = new Map<string, T[]>();
  for (const call of calls) {
    const words = learnedWords(call.packet, prefix);
    const own = byWords.get(words);
    if (own) own.push(call);
    else byWords.set(words, [call]);
  }
  return [...byWords]
    .map(([words, own]) => ({
      words,
      calls: own,
      times: own.reduce((sum, { times }) => sum + times, 0),
    }))
    .toSorted((a, b) => b.times - a.times || (a.words < b.words ? -1 : 1))
    .map(({ words, calls: own, times }) => ({
      text: `${words} -m comment --comment "${timesText(times)}" -j ACCEPT`,
      calls: own,
    }));
}

function labelOf(id: number, { groups }: Pick<LearnOptions, 'groups'>): string {
  return groups.find((each) => each.id === id)?.name ?? `group-${id}`;
}

const idsOf = (calls: readonly SeenCall[]) =>
  [...new Set(calls.map(({ packet }) => packet.group))].toSorted((a, b) => a - b);

/** The chain that a learned file has for calls of a group. */
export function learnedChain(
  { group, chain }: Pick<Packet, 'group' | 'chain'>,
  options: Pick<LearnOptions, 'groups'>,
): string {
  return chainName(labelOf(group, options), group, chain);
}

/** What the calls need. Calls of no group are the caller's to leave out: a rule for id 0 is one for most of a machine. */
export function learn(calls: readonly SeenCall[], options: LearnOptions): Learned {
  const declared: string[] = [];
  const heads: string[] = [];
  const rules: string[] = [];
  const unseen = new Map<string, readonly BuiltinChain[]>();
  const held = new Map<string, readonly BuiltinChain[]>();
  for (const id of idsOf(calls)) {
    const group = options.groups.find((each) => each.id === id);
    const label = labelOf(id, options);
    if (id !== 0) heads.push(printGroup({ name: label, id, path: group?.path }));
    const own = calls.filter(({ packet }) => packet.group === id);
    const seen = new Set(own.map(({ packet }) => packet.chain));
    const quiet = BUILTIN_CHAINS.filter((chain) => !seen.has(chain));
    const twinned = quiet.filter((chain) => seen.has(TWIN[chain] ?? chain));
    const ways = withTwins(own);
    for (const builtin of BUILTIN_CHAINS) {
      const isTwin = twinned.includes(builtin);
      if (!seen.has(builtin) && !isTwin) continue;
      const name = learnedChain({ group: id, chain: builtin }, options);
      const accepted = ways.filter(({ packet }) => packet.chain === builtin);
      declared.push(`:${name} - [0:0]`);
      const twins = isTwin ? ` ${TWIN_WORDS}` : '';
      rules.push(`-A ${builtin}${twins} -m cgroup --id ${id} -j ${name}`);
      for (const { text } of learnedRules(accepted, options)) rules.push(`-A ${name} ${text}`);
      rules.push(`-A ${name} -j DROP`);
    }
    unseen.set(
      label,
      quiet.filter((chain) => !twinned.includes(chain)),
    );
    held.set(label, twinned);
  }
  const text = ['*socket', ...declared, ...heads, ...rules, 'COMMIT', ''].join('\n');
  return { text, unseen, held };
}
