/** Elements of named sets as text: `10.0.0.5`, `10.0.0.0/8`, `80-90`, `10.0.0.5,tcp:80`. */
import {
  bad,
  good,
  NO_NAMES,
  type Parsed,
  partOf,
  splitWord,
  type Word,
} from '@sockfilter/language';
import {
  addressBits,
  type Family,
  type NamedSet,
  PROTOCOL,
  partsOf,
  prefixLength,
  prefixMask,
  printAddress,
  protocolName,
  readAddress,
  type SetElement,
  type SetPart,
} from '@sockfilter/table';
import { addressRange, network } from './values/address.js';
import { parseRange } from './values/number.js';
import { MAX_PORT } from './values/port.js';

/** A range of addresses, ports or services that a part of an element stands for. */
interface Network {
  readonly address: bigint;
  readonly prefix: number;
}

const SERVICE_PROTOCOLS: Readonly<Record<string, number>> = {
  tcp: PROTOCOL.tcp,
  udp: PROTOCOL.udp,
  udplite: PROTOCOL.udplite,
};

/** The fewest networks that hold the addresses of the range and no other. */
function networksOf(family: Family, from: bigint, to: bigint): readonly Network[] {
  const bits = addressBits(family);
  const networks: Network[] = [];
  for (let at = from; at <= to; ) {
    let free = 0;
    while (
      free < bits &&
      (at & ((2n << BigInt(free)) - 1n)) === 0n &&
      at + (2n << BigInt(free)) - 1n <= to
    )
      free++;
    networks.push({ address: at, prefix: bits - free });
    at += 1n << BigInt(free);
  }
  return networks;
}

function parseNetworks(part: SetPart, word: Word, set: NamedSet): Parsed<readonly Network[]> {
  const { family, maxelem } = set;
  const context = { names: NO_NAMES, groups: [] };
  const value = (/^[^/]*-/.test(word.text) ? addressRange : network).parse([word], context);
  if (!value.ok) return value;
  const given = value.value;
  const place = { span: word.span };
  if (given.kind !== 'network' && given.kind !== 'addressRange')
    throw new TypeError(`a ${given.kind} is no address`);
  if (given.family !== family) {
    const message = `\`${word.text}\` is an IPv${given.family} address, and set \`${set.name}\` has the family inet${family === 6 ? '6' : ''}`;
    return bad('mixed-families', message, place);
  }
  let [from, to] = [0n, 0n];
  if (given.kind === 'network') {
    const prefix = prefixLength(given.family, given.mask);
    if (prefix === undefined)
      return bad(
        'unsupported',
        `\`${word.text}\` has a mask with holes, which a set can't have`,
        place,
      );
    if (part === 'network') return good([{ address: given.address, prefix }]);
    [from, to] = [
      given.address,
      given.address |
        (prefixMask(family, 0) ^ prefixMask(family, addressBits(family)) ^ given.mask),
    ];
  } else [from, to] = [given.from, given.to];
  if (part === 'network') return good(networksOf(family, from, to));
  if (to - from >= BigInt(maxelem)) {
    const message = `\`${word.text}\` has ${to - from + 1n} addresses, and set \`${set.name}\` has room for ${maxelem} elements`;
    return bad('does-not-fit', message, {
      ...place,
      help: 'a set of type net takes networks as they are',
    });
  }
  const prefix = addressBits(family);
  return good(
    Array.from({ length: Number(to - from) + 1 }, (_, n) => ({
      address: from + BigInt(n),
      prefix,
    })),
  );
}

interface Service {
  readonly protocol: number;
  readonly from: number;
  readonly to: number;
}

const NO_ICMP = 'a socket call has no ICMP type';

function parseService(part: SetPart, word: Word): Parsed<Service> {
  const colon = part === 'service' ? word.text.indexOf(':') : -1;
  const named = colon < 0 ? undefined : word.text.slice(0, colon).toLowerCase();
  const protocol =
    part === 'port' ? 0 : named === undefined ? PROTOCOL.tcp : SERVICE_PROTOCOLS[named];
  if (protocol === undefined) {
    const reason = named?.includes('icmp') ? NO_ICMP : 'it can be tcp, udp or udplite';
    return bad('bad-value', `\`${word.text}\` has no protocol of calls with ports`, {
      span: partOf(word, 0, colon).span,
      help: reason,
    });
  }
  const noun = { noun: 'port', least: 0, most: MAX_PORT, separator: '-' };
  const range = parseRange(colon < 0 ? word : partOf(word, colon + 1), noun);
  return range.ok ? good({ protocol, ...range.value }) : range;
}

/** What an element is of which nothing is said; `timeout` is its set's. */
const plainElement = (timeout: number | undefined) => ({
  timeout: timeout || undefined,
  nomatch: false,
  packets: undefined,
  comment: undefined,
});

/** `10.0.0.5` or `10.0.0.0/8` in a set of that alone: of a file of many elements most are. */
export function readPlainElement(text: string, set: NamedSet): SetElement | undefined {
  const { type, family, timeout } = set;
  if (family !== 4 || (type !== 'ip' && type !== 'net')) return undefined;
  const slash = type === 'net' ? text.indexOf('/') : -1;
  const address = readAddress(slash < 0 ? text : text.slice(0, slash));
  if (address?.family !== 4) return undefined;
  const length = slash < 0 ? 32 : Number(text.slice(slash + 1));
  if (slash >= 0 && !(/^\d\d?$/.test(text.slice(slash + 1)) && length <= 32)) return undefined;
  return {
    address: slash < 0 ? address.value : address.value & prefixMask(4, length),
    prefix: length,
    protocol: 0,
    port: 0,
    ...plainElement(timeout),
  };
}

const FORM: Readonly<Record<SetPart, string>> = {
  address: 'ADDRESS',
  network: 'NETWORK',
  port: 'PORT',
  service: '[PROTOCOL:]PORT',
};

/** How the elements of the set are written: `NETWORK,[PROTOCOL:]PORT`. */
function elementForm({ type }: NamedSet): string {
  return partsOf(type)
    .map((part) => FORM[part])
    .join(',');
}

/** All that the word stands for: ranges are as many elements as they have values. */
export function parseElements(word: Word, set: NamedSet): Parsed<readonly SetElement[]> {
  const parts = partsOf(set.type);
  const words = splitWord(word, ',');
  if (words.length !== parts.length) {
    const message = `invalid element \`${word.text}\` of set \`${set.name}\``;
    return bad('bad-value', message, { span: word.span, help: `its type has ${elementForm(set)}` });
  }
  let networks: readonly Network[] = [{ address: 0n, prefix: 0 }];
  let service: Service = { protocol: 0, from: 0, to: 0 };
  for (const [n, part] of parts.entries()) {
    const written = words[n] ?? word;
    if (part === 'address' || part === 'network') {
      const parsed = parseNetworks(part, written, set);
      if (!parsed.ok) return parsed;
      networks = parsed.value;
    } else {
      const parsed = parseService(part, written);
      if (!parsed.ok) return parsed;
      service = parsed.value;
    }
  }
  const { protocol, from, to } = service;
  const count = networks.length * (to - from + 1);
  if (count > set.maxelem) {
    const message = `\`${word.text}\` is ${count} elements, and set \`${set.name}\` has room for ${set.maxelem}`;
    return bad('does-not-fit', message, { span: word.span });
  }
  return good(
    networks.flatMap(({ address, prefix }) =>
      Array.from(
        { length: to - from + 1 },
        (_, n): SetElement => ({
          address,
          prefix,
          protocol,
          port: from + n,
          ...plainElement(set.timeout),
        }),
      ),
    ),
  );
}

/** The element without what is said of it. */
export function printElement({ type, family }: NamedSet, element: SetElement): string {
  const { address, prefix, protocol, port } = element;
  const written: Readonly<Record<SetPart, () => string>> = {
    address: () => printAddress(family, address),
    network: () =>
      prefix === addressBits(family)
        ? printAddress(family, address)
        : `${printAddress(family, address)}/${prefix}`,
    port: () => String(port),
    service: () => `${protocolName(protocol)}:${port}`,
  };
  return partsOf(type)
    .map((part) => written[part]())
    .join(',');
}
