/** A socket call from the words that describe it. */
import { isIPv4, isIPv6 } from 'node:net';
import { parseCommand } from '@sockfilter/iptables';
import { didYouMean } from '@sockfilter/language';
import {
  BUILTIN_CHAINS,
  type BuiltinChain,
  type Family,
  flagsOf,
  groupAt,
  impossible,
  isBuiltinChain,
  MAX_GROUP_ID,
  type Packet,
  reachedDestination,
  requireGroup,
  type Table,
  usualProtocol,
} from '@sockfilter/table';
import ipaddr from 'ipaddr.js';
import { EXIT } from './exitcode.js';
import { CommandError } from './failure.js';
import { SYSTEM_NAMES } from './systemnames.js';

/** The call as the command line has it; what is missing is unspecified, or 0. */
export interface PacketWords {
  readonly chain: string;
  readonly group?: string | undefined;
  readonly proto?: string | undefined;
  readonly src?: string | undefined;
  readonly dst?: string | undefined;
  readonly uid?: string | undefined;
  readonly gid?: string | undefined;
}

interface Endpoint {
  /** Undefined for an address that both families have: none was given. */
  readonly family: Family | undefined;
  readonly address: bigint;
  readonly port: number;
}

function usage(message: string, help?: string): CommandError {
  return new CommandError(message, EXIT.usage, help);
}

function readChain(text: string): BuiltinChain {
  const name = text.toUpperCase();
  if (isBuiltinChain(name)) return name;
  const help = didYouMean(text, BUILTIN_CHAINS) ?? `the chains are ${BUILTIN_CHAINS.join(', ')}`;
  throw usage(`\`${text}\` is no built-in chain`, help);
}

function readNumber(text: string, highest: number, noun: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value <= highest) return value;
  throw usage(`invalid ${noun} \`${text}\`: it is a number from 0 to ${highest}`);
}

/** As `-p` has it, with the same words against what it can't be. */
function readProtocol(text: string | undefined, chain: BuiltinChain): number {
  if (text === undefined) return usualProtocol(chain);
  const words = ['-C', 'CONNECT', '-p', text];
  const { command, diagnostics } = parseCommand(words, { names: SYSTEM_NAMES, groups: [] });
  const rule = command?.kind === 'check' ? command.rules[0] : undefined;
  const value = rule?.matches[0]?.options[0]?.value;
  if (value?.kind === 'protocol' && value.protocol !== 0) return value.protocol;
  const [fault] = diagnostics;
  throw usage(fault?.message ?? `invalid protocol \`${text}\``, fault?.help);
}

function fromBytes(bytes: readonly number[]): bigint {
  return bytes.reduce((value, byte) => (value << 8n) | BigInt(byte), 0n);
}

function readAddress(text: string): Pick<Endpoint, 'family' | 'address'> {
  if (isIPv4(text)) return { family: 4, address: fromBytes(ipaddr.IPv4.parse(text).toByteArray()) };
  if (!isIPv6(text) || text.includes('%'))
    throw usage(`invalid address \`${text}\``, 'write `10.0.0.5:80`, `[fd00::1]:80`, or no port');
  const address = fromBytes(ipaddr.IPv6.parse(text).toByteArray());
  // A call with an IPv4-mapped address is an IPv4 packet.
  if (address >> 32n === 0xffffn) return { family: 4, address: address & 0xffff_ffffn };
  return { family: 6, address };
}

/** `A:P`, `[A]:P`, `A`, `[A]` or `:P`; an IPv6 address with a port needs the brackets. */
function readEndpoint(text: string | undefined): Endpoint {
  if (text === undefined) return { family: undefined, address: 0n, port: 0 };
  const [, inside, plain, port] = /^(?:\[(.*)\]|([^:]*))(?::(\d+))?$/.exec(text) ?? [];
  const address = inside ?? plain ?? text;
  const number = port === undefined ? 0 : readNumber(port, 65_535, 'port');
  if (address === '' && port !== undefined) return { family: undefined, address: 0n, port: number };
  return { ...readAddress(address), port: number };
}

/** The one family of both ends. `::` goes with a mapped address, as on an unbound socket. */
function commonFamily(source: Endpoint, destination: Endpoint): Family {
  const known = [source, destination].filter(
    ({ family, address }) => family === 4 || (family === 6 && address !== 0n),
  );
  const [first = source.family === undefined ? destination : source] = known;
  if (known.some(({ family }) => family !== first.family))
    throw usage('the source and the destination are of different families');
  return first.family ?? 4;
}

function readGroup(text: string | undefined, table: Table): number {
  if (text === undefined) return 0;
  if (/^\d/.test(text)) return readNumber(text, MAX_GROUP_ID, 'group id');
  if (!text.startsWith('/')) return requireGroup(table, text).id;
  const path = text.length > 1 ? text.replace(/\/+$/, '') : text;
  return groupAt(table.groups, path)?.id ?? 0;
}

function readOwner(text: string | undefined, noun: 'user' | 'group'): number {
  if (text === undefined) return 0;
  return SYSTEM_NAMES[noun](text) ?? readNumber(text, 2 ** 32 - 2, noun === 'user' ? 'uid' : 'gid');
}

/** Throws CommandError where the words make no call, or one that can't happen. */
export function readPacket(words: PacketWords, table: Table): Packet {
  const chain = readChain(words.chain);
  const protocol = readProtocol(words.proto, chain);
  const source = readEndpoint(words.src);
  const destination = readEndpoint(words.dst);
  const family = commonFamily(source, destination);
  const packet: Packet = {
    chain,
    group: readGroup(words.group, table),
    family,
    protocol,
    source: source.address,
    sourcePort: source.port,
    destination: reachedDestination(chain, family, source.address, destination.address),
    destinationPort: destination.port,
    flags: flagsOf(chain, protocol),
    uid: readOwner(words.uid, 'user'),
    gid: readOwner(words.gid, 'group'),
  };
  const reason = impossible(packet);
  if (reason !== undefined) throw usage(`no such call can happen: ${reason}`);
  return packet;
}

/** `10.0.0.5:80`, `[fd00::1]:80`. */
export function printEndpoint(family: Family, address: bigint, port: number): string {
  const bits = family === 4 ? 32 : 128;
  const bytes = Array.from({ length: bits / 8 }, (_, at) =>
    Number((address >> BigInt(bits - 8 * (at + 1))) & 0xffn),
  );
  if (family === 4) return `${bytes.join('.')}:${port}`;
  return `[${new ipaddr.IPv6(bytes).toRFC5952String()}]:${port}`;
}
