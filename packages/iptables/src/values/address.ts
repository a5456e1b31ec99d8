/** Addresses and networks of both families. Host names are never looked up. */
import { bad, good, type Parsed, partOf, type Word } from '@sockfilter/language';
import {
  type Address,
  addressBits,
  type Family,
  fullMask,
  MAPPED_PREFIX,
  printAddress,
  printNetwork,
  readAddress,
  readMask,
  readShortAddress,
  type Value,
} from '@sockfilter/table';
import { defineValue } from './syntax.js';

function isMapped(address: bigint, mask: bigint): boolean {
  return address >> 32n === MAPPED_PREFIX && mask >> 32n === (1n << 96n) - 1n;
}

export function parseAddress(word: Word): Parsed<Address> {
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
      help: 'what a name stands for changes after the rule is made: write the address, or put what it stands for into a set with `set add --resolve`',
    });
  return bad('bad-value', `invalid address \`${word.text}\``, at);
}

export const mapped = (word: Word, help: string) =>
  bad('unsupported', `\`${word.text}\` is an IPv4-mapped address: such a call is an IPv4 packet`, {
    span: word.span,
    help,
  });

function parseMask(word: Word, family: Family): Parsed<bigint> {
  const bits = addressBits(family);
  const mask = readMask(word.text, family);
  if (mask !== undefined) return good(mask);
  const message = `invalid mask \`${word.text}\`: an IPv${family} network takes /0 to /${bits} or a netmask`;
  return bad('bad-value', message, { span: word.span });
}

/** `ADDRESS`, `ADDRESS/LENGTH` or `ADDRESS/NETMASK`; bits outside the mask are cleared. */
export const network = defineValue('network', {
  parse: (word) => {
    const slash = word.text.indexOf('/');
    const written = partOf(word, 0, slash < 0 ? undefined : slash);
    const short = readShortAddress(written.text);
    if (short !== undefined && slash < 0) {
      const help = `write \`${printAddress(4, short.value)}/${written.text.split('.').length * 8}\``;
      const message = `\`${word.text}\` is a network without a length, which is read in two ways`;
      return bad('bad-value', message, { span: word.span, help });
    }
    const address: Parsed<Address> = short === undefined ? parseAddress(written) : good(short);
    if (!address.ok) return address;
    const { family, value } = address.value;
    const mask = slash < 0 ? good(fullMask(family)) : parseMask(partOf(word, slash + 1), family);
    if (!mask.ok) return mask;
    if (family === 6 && isMapped(value, mask.value)) {
      const low = 0xffff_ffffn;
      const v4 = printNetwork({
        family: 4,
        value: value & mask.value & low,
        mask: mask.value & low,
      });
      return mapped(word, `write \`${v4}\``);
    }
    return good({ kind: 'network', family, address: value & mask.value, mask: mask.value });
  },
  print: ({ family, address, mask }) => printNetwork({ family, value: address, mask }),
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
