/**
 * What a destination becomes: `ADDRESS`, `ADDRESS:PORT`, `:PORT`, `[ADDRESS]:PORT` of IPv6, where `FIRST-LAST` stands for
 * one of those; and ports alone.
 */
import { bad, good, type Names, type Parsed, partOf, type Word } from '@sockfilter/language';
import {
  type AddressSpan,
  destinationCount,
  MAPPED_PREFIX,
  type PortSpan,
  printAddress,
  printDestinations,
  printPorts,
} from '@sockfilter/table';
import { mapped, parseAddress } from './address.js';
import { parseNumber } from './number.js';
import { MAX_PORT } from './port.js';
import { defineValue } from './syntax.js';

/** The drawn number by which one is chosen has 32 bits. */
const MOST_DESTINATIONS = 2 ** 32 - 1;

function parsePort(word: Word, { service }: Names): Parsed<number> {
  const kind = { noun: 'port', least: 1, most: MAX_PORT, separator: '-', name: service };
  return parseNumber(word, kind);
}

/** A port, or two with a hyphen between them. iptables takes no names of services in ranges. */
function parsePorts(word: Word, names: Names): Parsed<PortSpan> {
  const slash = word.text.indexOf('/');
  if (slash > 0)
    return bad('unsupported', `\`${word.text}\` gives each port another one of its own`, {
      span: partOf(word, slash).span,
      help: 'a call gets one of the ports: leave out the base port behind the `/`',
    });
  const [, from] = /^(\d+)-/.exec(word.text) ?? [];
  if (from === undefined) {
    const port = parsePort(word, names);
    return port.ok ? good({ first: port.value, last: port.value }) : port;
  }
  const first = parsePort(partOf(word, 0, from.length), names);
  if (!first.ok) return first;
  const last = parsePort(partOf(word, from.length + 1), names);
  if (!last.ok) return last;
  return ordered(word, first.value, last.value) ?? good({ first: first.value, last: last.value });
}

/** A mistake where the last is before the first. */
function ordered<T extends number | bigint>(word: Word, first: T, last: T) {
  if (first <= last) return undefined;
  return bad('bad-value', `\`${word.text}\` ends before it begins`, {
    span: word.span,
    help: 'write the lower end first',
  });
}

/** Where the port begins, behind its colon; undefined where there is none. */
function portAt({ text }: Word): number | undefined {
  const colon = text.lastIndexOf(':');
  if (text.startsWith('[')) return text[colon - 1] === ']' ? colon + 1 : undefined;
  return colon < 0 || text.indexOf(':') !== colon ? undefined : colon + 1;
}

function parseOneAddress(word: Word) {
  const address = parseAddress(word);
  if (!address.ok) return address;
  const { family, value } = address.value;
  if (family === 6 && value >> 32n === MAPPED_PREFIX)
    return mapped(word, `write \`${printAddress(4, value & 0xffff_ffffn)}\``);
  return good({ family, value });
}

/** An address, or two with a hyphen between them; brackets stand around both. */
function parseAddresses(written: Word): Parsed<AddressSpan> {
  const isBracketed = written.text.startsWith('[') && written.text.endsWith(']');
  const word = isBracketed ? partOf(written, 1, written.text.length - 1) : written;
  const hyphen = /^[\da-f.:]*-/i.test(word.text) ? word.text.indexOf('-') : -1;
  const first = parseOneAddress(hyphen < 0 ? word : partOf(word, 0, hyphen));
  if (!first.ok) return first;
  const { family, value } = first.value;
  if (hyphen < 0) return good({ family, first: value, last: value });
  const last = parseOneAddress(partOf(word, hyphen + 1));
  if (!last.ok) return last;
  if (last.value.family !== family)
    return bad('bad-value', `\`${word.text}\` begins in one family and ends in the other`, {
      span: word.span,
      help: 'write two addresses of IPv4, or two of IPv6',
    });
  const reversed = ordered(word, value, last.value.value);
  return reversed ?? good({ family, first: value, last: last.value.value });
}

export const endpoint = defineValue('endpoint', {
  parse: (word, { names }) => {
    const at = portAt(word);
    const port = at === undefined ? good(undefined) : parsePorts(partOf(word, at), names);
    if (!port.ok) return port;
    const written = at === undefined ? word : partOf(word, 0, at - 1);
    const address = at === 1 ? good(undefined) : parseAddresses(written);
    if (!address.ok) return address;
    const found = {
      ...(address.value && { address: address.value }),
      ...(port.value && { port: port.value }),
    };
    const span = address.value;
    const isHigh = span?.family === 6 && span.first >> 64n !== span.last >> 64n;
    if (isHigh || destinationCount(found) > MOST_DESTINATIONS)
      return bad('unsupported', `\`${word.text}\` is more destinations than one is chosen of`, {
        span: word.span,
        help: 'there may be 4,294,967,295, and of IPv6 addresses the upper 64 bits are the same',
      });
    return good({ kind: 'endpoint', address: address.value, port: port.value });
  },
  print: printDestinations,
});

export const toPort = defineValue('toPort', {
  parse: (word, { names }) => {
    const ports = parsePorts(word, names);
    return ports.ok ? good({ kind: 'toPort', ...ports.value }) : ports;
  },
  print: printPorts,
});
