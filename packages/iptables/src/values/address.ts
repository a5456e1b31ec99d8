/** Addresses and networks of both families. Host names are never looked up. */
import { bad, good, type Parsed, partOf, type Word } from '@sockfilter/language';
import type { Family, Value, ValueOf } from '@sockfilter/table';
import ipaddr from 'ipaddr.js';
import { defineValue } from './syntax.js';

interface Address {
  readonly family: Family;
  readonly value: bigint;
}

const ADDRESS_BITS: Readonly<Record<Family, number>> = { 4: 32, 6: 128 };

/** The mask of all bits of an address. */
export function fullMask(family: Family): bigint {
  return (1n << BigInt(ADDRESS_BITS[family])) - 1n;
}

function prefixMask(family: Family, length: number): bigint {
  return fullMask(family) ^ ((1n << BigInt(ADDRESS_BITS[family] - length)) - 1n);
}

function fromBytes(bytes: readonly number[]): bigint {
  return bytes.reduce((value, byte) => (value << 8n) | BigInt(byte), 0n);
}

/** The first 96 bits of the IPv4-mapped IPv6 addresses. */
const MAPPED_PREFIX = 0xffffn;

function isMapped(address: bigint, mask: bigint): boolean {
  return address >> 32n === MAPPED_PREFIX && mask >> 32n === (1n << 96n) - 1n;
}

/** Four decimal numbers: of the forms that inet_aton takes the one that nobody reads otherwise. */
const QUAD = /^(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})$/;

/** Four decimal numbers, or the text form of RFC 4291 without a zone. */
function readAddress(text: string): Address | undefined {
  const bytes = QUAD.exec(text)?.slice(1).map(Number);
  if (bytes?.every((byte) => byte <= 255))
    return { family: 4, value: BigInt(bytes.reduce((value, byte) => value * 256 + byte, 0)) };
  if (/^[\da-fA-F:.]*:[\da-fA-F:.]*$/.test(text) && ipaddr.IPv6.isValid(text))
    return { family: 6, value: fromBytes(ipaddr.IPv6.parse(text).toByteArray()) };
  return undefined;
}

/** `10` of `10/8`, as in iptables: what is left out at the end is 0. */
function readShortAddress(text: string): bigint | undefined {
  if (!/^(0|[1-9]\d{0,2})(\.(0|[1-9]\d{0,2})){0,2}$/.test(text)) return undefined;
  return readAddress([...text.split('.'), '0', '0', '0'].slice(0, 4).join('.'))?.value;
}

/** The usual text form: dotted, or that of RFC 5952. */
function printAddress(family: Family, value: bigint): string {
  if (family === 4) {
    const bits = Number(value);
    return `${bits >>> 24}.${(bits >>> 16) & 0xff}.${(bits >>> 8) & 0xff}.${bits & 0xff}`;
  }
  const bytes = Array.from({ length: 16 }, (_, at) =>
    Number((value >> BigInt(8 * (15 - at))) & 0xffn),
  );
  return new ipaddr.IPv6(bytes).toRFC5952String();
}

function parseAddress(word: Word): Parsed<Address> {
  const address = readAddress(word.text);
  if (address) return good(address);
  const at = { span: word.span };
  if (word.text === '') return bad('bad-value', 'an address is empty', at);
  if (word.text.includes('%'))
    return bad('unsupported', `\`${word.text}\` has a zone, which a rule can't match`, {
      ...at,
      help: `write \`${word.text.replace(/%.*/, '')}\``,
    });
  if (/^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*\.?$/.test(word.text) && /[g-zG-Z]/.test(word.text))
    return bad('unsupported', `\`${word.text}\` is a host name, and rules take addresses only`, {
      ...at,
      help: 'what a name stands for changes after the rule is made: write the address',
    });
  return bad('bad-value', `invalid address \`${word.text}\``, at);
}

const mapped = (word: Word, help: string) =>
  bad('unsupported', `\`${word.text}\` is an IPv4-mapped address: such a call is an IPv4 packet`, {
    span: word.span,
    help,
  });

function parseMask(word: Word, family: Family): Parsed<bigint> {
  const bits = ADDRESS_BITS[family];
  if (/^\d{1,3}$/.test(word.text) && Number(word.text) <= bits)
    return good(prefixMask(family, Number(word.text)));
  const mask = readAddress(word.text);
  if (mask?.family === family) return good(mask.value);
  const message = `invalid mask \`${word.text}\`: an IPv${family} network takes /0 to /${bits} or a netmask`;
  return bad('bad-value', message, { span: word.span });
}

/** Prefix lengths by mask. */
const PREFIX_LENGTHS: Readonly<Record<Family, ReadonlyMap<bigint, number>>> = {
  4: new Map(Array.from({ length: 33 }, (_, length) => [prefixMask(4, length), length])),
  6: new Map(Array.from({ length: 129 }, (_, length) => [prefixMask(6, length), length])),
};

function printNetwork({ family, address, mask }: ValueOf<'network'>): string {
  const length = PREFIX_LENGTHS[family].get(mask);
  return `${printAddress(family, address)}/${length ?? printAddress(family, mask)}`;
}

/** `ADDRESS`, `ADDRESS/LENGTH` or `ADDRESS/NETMASK`; bits outside the mask are cleared. */
export const network = defineValue('network', {
  parse: (word) => {
    const slash = word.text.indexOf('/');
    const written = partOf(word, 0, slash < 0 ? undefined : slash);
    const short = readShortAddress(written.text);
    if (short !== undefined && slash < 0) {
      const help = `write \`${printAddress(4, short)}/${written.text.split('.').length * 8}\``;
      const message = `\`${word.text}\` is a network without a length, which is read in two ways`;
      return bad('bad-value', message, { span: word.span, help });
    }
    const address: Parsed<Address> =
      short === undefined ? parseAddress(written) : good({ family: 4, value: short });
    if (!address.ok) return address;
    const { family, value } = address.value;
    const mask = slash < 0 ? good(fullMask(family)) : parseMask(partOf(word, slash + 1), family);
    if (!mask.ok) return mask;
    if (family === 6 && isMapped(value, mask.value)) {
      const low = 0xffff_ffffn;
      const whole = { kind: 'network', family: 4, mask: mask.value & low } as const;
      const v4 = printNetwork({ ...whole, address: value & mask.value & low });
      return mapped(word, `write \`${v4}\``);
    }
    return good({ kind: 'network', family, address: value & mask.value, mask: mask.value });
  },
  print: printNetwork,
});

/** `FROM-TO`, or one address. */
export const addressRange = defineValue('addressRange', {
  parse: (word) => {
    const dash = word.text.indexOf('-');
    const from = parseAddress(partOf(word, 0, dash < 0 ? undefined : dash));
    if (!from.ok) return from;
    const to = dash < 0 ? from : parseAddress(partOf(word, dash + 1));
    if (!to.ok) return to;
    const family = from.value.family;
    if (family !== to.value.family) {
      const message = `\`${word.text}\` has an IPv4 and an IPv6 end`;
      return bad('mixed-families', message, { span: word.span });
    }
    if (from.value.value > to.value.value) {
      const message = `invalid address range \`${word.text}\`: it ends before it starts`;
      return bad('bad-value', message, { span: word.span });
    }
    if (family === 6 && [from, to].every((end) => end.value.value >> 32n === MAPPED_PREFIX))
      return mapped(word, 'write the IPv4 addresses');
    return good({ kind: 'addressRange', family, from: from.value.value, to: to.value.value });
  },
  print: ({ family, from, to }) => `${printAddress(family, from)}-${printAddress(family, to)}`,
});

/** The family that a value restricts its rule to. */
export function familyOf(value: Value): Family | undefined {
  return value.kind === 'network' || value.kind === 'addressRange' ? value.family : undefined;
}
