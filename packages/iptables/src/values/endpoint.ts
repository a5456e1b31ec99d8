/** What a destination becomes: `ADDRESS`, `ADDRESS:PORT`, `:PORT`, `[ADDRESS]:PORT` of IPv6; and a port alone. */
import { bad, good, type Names, type Parsed, partOf, type Word } from '@sockfilter/language';
import { MAPPED_PREFIX, printAddress, printEndpoint, type Value } from '@sockfilter/table';
import { mapped, parseAddress } from './address.js';
import { parseNumber } from './number.js';
import { MAX_PORT } from './port.js';
import { defineValue } from './syntax.js';

const RANGE_HELP =
  'write a rule for each, with `-m statistic` or another match that tells the calls apart';

/** One destination is written into a call. */
function several(word: Word, what: string): ReturnType<typeof bad> {
  const message = `\`${word.text}\` is more than one ${what}, and a rule has one destination for all calls`;
  return bad('unsupported', message, { span: word.span, help: RANGE_HELP });
}

function parsePort(word: Word, { service }: Names): Parsed<number> {
  if (/^\d+-\d+/.test(word.text)) return several(word, 'port');
  const kind = { noun: 'port', least: 1, most: MAX_PORT, separator: '-', name: service };
  return parseNumber(word, kind);
}

/** Where the port begins, behind its colon; undefined where there is none. */
function portAt({ text }: Word): number | undefined {
  const colon = text.lastIndexOf(':');
  if (text.startsWith('[')) return text[colon - 1] === ']' ? colon + 1 : undefined;
  return colon < 0 || text.indexOf(':') !== colon ? undefined : colon + 1;
}

type Endpoint = Extract<Value, { kind: 'endpoint' }>;

function parseEndpointAddress(word: Word): Parsed<Endpoint['address']> {
  if (word.text.includes('-') && !/[g-z]/i.test(word.text)) return several(word, 'address');
  const isBracketed = word.text.startsWith('[') && word.text.endsWith(']');
  const address = parseAddress(isBracketed ? partOf(word, 1, word.text.length - 1) : word);
  if (!address.ok) return address;
  const { family, value } = address.value;
  if (family === 6 && value >> 32n === MAPPED_PREFIX)
    return mapped(word, `write \`${printAddress(4, value & 0xffff_ffffn)}\``);
  return good({ family, value });
}

export const endpoint = defineValue('endpoint', {
  parse: (word, { names }) => {
    const at = portAt(word);
    const port = at === undefined ? good(undefined) : parsePort(partOf(word, at), names);
    if (!port.ok) return port;
    const written = at === undefined ? word : partOf(word, 0, at - 1);
    const address = at === 1 ? good(undefined) : parseEndpointAddress(written);
    return address.ok
      ? good({ kind: 'endpoint', address: address.value, port: port.value })
      : address;
  },
  print: ({ address, port }) => {
    if (!address) return `:${port}`;
    return port === undefined
      ? printAddress(address.family, address.value)
      : printEndpoint(address.family, address.value, port);
  },
});

export const toPort = defineValue('toPort', {
  parse: (word, { names }) => {
    const port = parsePort(word, names);
    return port.ok ? good({ kind: 'toPort', port: port.value }) : port;
  },
  print: ({ port }) => String(port),
});
