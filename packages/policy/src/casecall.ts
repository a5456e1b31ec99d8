/** The call of a case as a packet. What is not said is what an ordinary call has. */
import {
  type BuiltinChain,
  CHAINS,
  flagsOf,
  hasPeerSource,
  impossible,
  isBuiltinChain,
  MAX_GROUP_ID,
  type Packet,
  PROTOCOL,
  reachedDestination,
  type Table,
  usualProtocol,
} from '@sockfilter/table';
import { type Address, parseAddress } from './address.js';
import { protocolNumber } from './label.js';
import { type Region, RegionError } from './region.js';
import type { RegionKey } from './regionfield.js';

/** The port of a peer that has none said. */
const PEER_PORT = 49_152;

interface End<T> {
  readonly key: RegionKey;
  readonly value: T;
}

class CallReader {
  readonly #call: Region;

  constructor(call: Region) {
    this.#call = call;
  }

  one(key: RegionKey): string | undefined {
    const values = this.#call[key];
    if (!values) return undefined;
    const [text, more] = values;
    if (text === undefined || more !== undefined || text.startsWith('!'))
      throw new RegionError(key, undefined, `a call has one \`${key}\``);
    return text;
  }

  number(key: RegionKey, max: number): End<number> | undefined {
    const text = this.one(key);
    if (text === undefined) return undefined;
    const value = Number(text);
    if (!/^\d+$/.test(text) || value > max)
      throw new RegionError(key, undefined, `\`${text}\` is no number up to ${max}`);
    return { key, value };
  }

  address(key: RegionKey): End<Address> | undefined {
    const text = this.one(key);
    if (text === undefined) return undefined;
    const value = parseAddress(text);
    if (!value) throw new RegionError(key, undefined, `\`${text}\` is no address`);
    return { key, value };
  }

  /** By direction or by end, and not by both. */
  either<T>(a: End<T> | undefined, b: End<T> | undefined): End<T> | undefined {
    if (a && b) throw new RegionError(b.key, undefined, `\`${a.key}\` says the same`);
    return a ?? b;
  }
}

function readChain(reader: CallReader): BuiltinChain {
  const text = reader.one('chain');
  const chain = text?.toUpperCase();
  if (chain !== undefined && isBuiltinChain(chain)) return chain;
  const message = text === undefined ? 'a call needs `chain`' : `\`${text}\` is no built-in chain`;
  throw new RegionError('chain', undefined, message);
}

function readGroup(reader: CallReader, table: Table): number {
  const text = reader.one('group');
  if (text === undefined || text === 'none') return 0;
  const group = table.groups.find(({ name, path }) => name === text || path === text);
  if (group) return group.id;
  if (/^\d+$/.test(text) && Number(text) <= MAX_GROUP_ID) return Number(text);
  throw new RegionError('group', undefined, `there is no group \`${text}\``);
}

function readProtocol(reader: CallReader, chain: BuiltinChain): number {
  const text = reader.one('proto');
  if (text === undefined) return usualProtocol(chain);
  const protocol = protocolNumber(text);
  if (protocol === undefined)
    throw new RegionError('proto', undefined, `no call has protocol \`${text}\``);
  return protocol;
}

/** Throws RegionError where the words make no call, or one that can't happen. */
export function readCall(call: Region, table: Table): Packet {
  const reader = new CallReader(call);
  const chain = readChain(reader);
  const protocol = readProtocol(reader, chain);
  const isInward = CHAINS[chain].ours === 'destination';
  const hasPeer = hasPeerSource(chain);
  const [sourceEnd, destinationEnd] = isInward
    ? (['remote', 'local'] as const)
    : (['local', 'remote'] as const);
  const source = reader.either(reader.address('src'), reader.address(sourceEnd));
  const destination = reader.either(reader.address('dst'), reader.address(destinationEnd));
  if (!destination) throw new RegionError('dst', undefined, 'a call needs `dst`');
  if (!source && hasPeer)
    throw new RegionError('src', undefined, `a call of ${chain} needs \`src\``);
  const sport = reader.either(
    reader.number('sport', 65535),
    reader.number(`${sourceEnd}-port`, 65535),
  );
  const dport = reader.either(
    reader.number('dport', 65535),
    reader.number(`${destinationEnd}-port`, 65535),
  );
  const hasPorts = protocol !== PROTOCOL.icmp && protocol !== PROTOCOL.icmpv6;
  if (!dport && hasPorts) throw new RegionError('dport', undefined, 'a call needs `dport`');
  const { family } = destination.value;
  if (source && source.value.family !== family)
    throw new RegionError(source.key, undefined, 'the two addresses are of different families');
  const from = source?.value.value ?? 0n;
  const reached = reachedDestination(chain, family, from, destination.value.value);
  const packet: Packet = {
    chain,
    group: readGroup(reader, table),
    family,
    protocol,
    source: from,
    destination: reached,
    sourcePort: sport?.value ?? (hasPeer ? PEER_PORT : 0),
    destinationPort: dport?.value ?? 0,
    flags: flagsOf(chain, protocol),
    uid: reader.number('uid', 2 ** 32 - 1)?.value ?? 0,
    gid: reader.number('gid', 2 ** 32 - 1)?.value ?? 0,
  };
  const reason = impossible(packet);
  if (reason !== undefined)
    throw new RegionError('chain', undefined, `no such call can happen: ${reason}`);
  return packet;
}
