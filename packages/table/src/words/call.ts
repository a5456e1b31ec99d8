/** One socket call, from the words that describe it. */
import { BUILTIN_CHAINS, type BuiltinChain, CHAINS, isBuiltinChain } from '../chains.js';
import { DETAIL_NAMES, type Detail, describeDetail } from '../details.js';
import { type Family, type Packet, packetDetails } from '../packet.js';
import { PROTOCOL } from '../protocol.js';
import {
  flagsOf,
  hasPeerSource,
  impossible,
  reachedDestination,
  usualProtocol,
} from '../region.js';
import type { Group } from '../table.js';
import { MAX_MARK, MAX_OWNER_ID } from '../value.js';
import { type Address, readCallAddress } from './address.js';
import { knownGroups, pathFault, readGroupId } from './group.js';
import { callProtocol } from './protocol.js';

const WORDS = [
  'chain',
  'group',
  'proto',
  'family',
  'local',
  'remote',
  'local-port',
  'remote-port',
  'src',
  'dst',
  'sport',
  'dport',
  'uid',
  'gid',
  'mark',
] as const;

export type CallKey = (typeof WORDS)[number] | Detail;

export const CALL_KEYS: readonly CallKey[] = [...WORDS, ...DETAIL_NAMES];

/** What is said of a call. Ends are named by direction (`src`) or by side (`local`), not by both. */
export type CallWords = Partial<Readonly<Record<CallKey, string | undefined>>>;

/** What is wrong with a word: lower case, the user's text in backquotes. */
export class CallError extends Error {
  override readonly name = 'CallError';
  readonly key: CallKey;
  readonly help: string | undefined;

  constructor(key: CallKey, message: string, help?: string) {
    super(message);
    this.key = key;
    this.help = help;
  }
}

export interface CallContext {
  readonly groups: readonly Group[];
  /** Ids of users and groups by name; without it they must be numbers. */
  readonly owners?: Readonly<Record<'user' | 'group', (name: string) => number | undefined>>;
  /** Whether addresses and ports must be said; else those that are not are unspecified, and 0. */
  readonly complete: boolean;
}

/** The port of a peer that has none said. */
const PEER_PORT = 49_152;

interface End<T> {
  readonly key: CallKey;
  readonly value: T;
}

class CallReader {
  readonly #words: CallWords;
  readonly #context: CallContext;

  constructor(words: CallWords, context: CallContext) {
    this.#words = words;
    this.#context = context;
  }

  chain(): BuiltinChain {
    const text = this.#words.chain;
    if (text === undefined) throw new CallError('chain', 'a call needs `chain`');
    const name = text.toUpperCase();
    if (isBuiltinChain(name)) return name;
    const help = `the chains are ${BUILTIN_CHAINS.join(', ')}`;
    throw new CallError('chain', `\`${text}\` is no built-in chain`, help);
  }

  group(): number {
    const { group: text } = this.#words;
    if (text === undefined) return 0;
    const { groups } = this.#context;
    const fault = pathFault(text, groups);
    if (fault) throw new CallError('group', fault.message, fault.help);
    const id = readGroupId(text, groups);
    if (id !== undefined) return id;
    throw new CallError('group', `there is no group \`${text}\``, knownGroups(groups));
  }

  protocol(chain: BuiltinChain): number {
    const { proto: text } = this.#words;
    if (text === undefined) return usualProtocol(chain);
    const protocol = callProtocol(text);
    if (protocol !== undefined) return protocol;
    const help = 'tcp, udp, udplite, icmp or ipv6-icmp';
    throw new CallError('proto', `no call has protocol \`${text}\``, help);
  }

  /** By direction or by side, and not by both. */
  address(direction: 'src' | 'dst', side: 'local' | 'remote'): End<Address> | undefined {
    const key = this.#either(direction, side);
    const text = key && this.#words[key];
    if (key === undefined || text === undefined) return undefined;
    const value = readCallAddress(text);
    if (value) return { key, value };
    throw new CallError(key, `invalid address \`${text}\``, 'write `10.0.0.5` or `fd00::1`');
  }

  port(direction: 'sport' | 'dport', side: 'local-port' | 'remote-port'): End<number> | undefined {
    const key = this.#either(direction, side);
    const text = key && this.#words[key];
    if (key === undefined || text === undefined) return undefined;
    return { key, value: readNumber(key, text, 'port', 65_535) };
  }

  owner(key: 'uid' | 'gid', chain: BuiltinChain): number {
    const text = this.#words[key];
    if (text === undefined) return 0;
    const bound = CHAINS[chain].bounds[key];
    if (bound) throw new CallError(key, `${chain} has no \`${key}\`: ${bound.reason}`);
    const named = this.#context.owners?.[key === 'uid' ? 'user' : 'group'](text);
    return named ?? readNumber(key, text, key, MAX_OWNER_ID);
  }

  mark(): number {
    const { mark: text } = this.#words;
    if (text === undefined) return 0;
    const value = /^(\d+|0[xX][\da-fA-F]+)$/.test(text) ? Number(text) : Number.NaN;
    if (value <= MAX_MARK) return value;
    const message = `invalid mark \`${text}\`: it is a number of 32 bits`;
    throw new CallError('mark', message, 'write `0x1f` or `31`');
  }

  detail(key: Detail, chain: BuiltinChain): bigint {
    const text = this.#words[key];
    if (text === undefined) return 0n;
    const { absent, read, text: noun, help } = describeDetail(key);
    const reason = absent[chain];
    if (reason !== undefined) throw new CallError(key, `${chain} has no \`${key}\`: ${reason}`);
    const [from, to] = read(text) ?? [];
    if (from !== undefined && from === to) return from;
    throw new CallError(key, `\`${text}\` is no ${noun}`, help);
  }

  checkFamily(family: Family): void {
    const { family: text } = this.#words;
    if (text === undefined || text === String(family)) return;
    const isFamily = text === '4' || text === '6';
    throw new CallError(
      'family',
      isFamily ? `the addresses are of IPv${family}` : `\`${text}\` is no family`,
      isFamily ? undefined : '4 or 6',
    );
  }

  #either(direction: CallKey, side: CallKey): CallKey | undefined {
    const given = [direction, side].filter((key) => this.#words[key] !== undefined);
    if (given.length > 1) throw new CallError(side, `\`${direction}\` says the same`);
    return given[0];
  }
}

function readNumber(key: CallKey, text: string, noun: string, most: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value <= most) return value;
  throw new CallError(key, `invalid ${noun} \`${text}\`: it is a number from 0 to ${most}`);
}

/** The one family of both ends. `::` goes with a mapped address, as on an unbound socket. */
function commonFamily(source: End<Address> | undefined, destination: End<Address> | undefined) {
  const given = [destination, source].flatMap((end) => end ?? []);
  const telling = given.filter(({ value }) => value.family === 4 || value.value !== 0n);
  const [first, other] = telling;
  if (first && other && first.value.family !== other.value.family)
    throw new CallError(other.key, 'the two addresses are of different families');
  return (first ?? given[0])?.value.family ?? 4;
}

/** Throws CallError where the words make no call, or one that can't happen. */
export function readCall(words: CallWords, context: CallContext): Packet {
  const { complete } = context;
  const reader = new CallReader(words, context);
  const chain = reader.chain();
  const protocol = reader.protocol(chain);
  const isInward = CHAINS[chain].ours === 'destination';
  const source = reader.address('src', isInward ? 'remote' : 'local');
  const destination = reader.address('dst', isInward ? 'local' : 'remote');
  const sport = reader.port('sport', isInward ? 'remote-port' : 'local-port');
  const dport = reader.port('dport', isInward ? 'local-port' : 'remote-port');
  const hasPorts = protocol !== PROTOCOL.icmp && protocol !== PROTOCOL.icmpv6;
  const hasPeer = hasPeerSource(chain);
  if (complete && !destination) throw new CallError('dst', 'a call needs `dst`');
  if (complete && hasPeer && !source)
    throw new CallError('src', `a call of ${chain} needs \`src\``);
  if (complete && hasPorts && !dport) throw new CallError('dport', 'a call needs `dport`');
  const family = commonFamily(source, destination);
  reader.checkFamily(family);
  const from = source?.value.value ?? 0n;
  const packet: Packet = {
    chain,
    group: reader.group(),
    family,
    protocol,
    source: from,
    destination: reachedDestination(chain, family, from, destination?.value.value ?? 0n),
    sourcePort: sport?.value ?? (complete && hasPeer ? PEER_PORT : 0),
    destinationPort: dport?.value ?? 0,
    flags: flagsOf(chain, protocol),
    uid: reader.owner('uid', chain),
    gid: reader.owner('gid', chain),
    mark: reader.mark(),
    ...packetDetails((detail) => reader.detail(detail, chain)),
  };
  const reason = impossible(packet);
  if (reason !== undefined) throw new CallError('chain', `no such call can happen: ${reason}`);
  return packet;
}
