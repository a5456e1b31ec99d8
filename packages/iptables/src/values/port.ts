/** Ports and lists of ports, by number or by the name of a service. */
import { good, type Names } from '@sockfilter/language';
import { type NumberKind, parseRange, parseRanges, printRange } from './number.js';
import { defineValue } from './syntax.js';

export const MAX_PORT = 65535;

/** Names of services have a letter (RFC 6335, section 5.1): for what has none nobody reads a list of them. */
const LETTER = /[A-Za-z]/;

const port = (names: Names): NumberKind => ({
  noun: 'port',
  least: 0,
  most: MAX_PORT,
  separator: ':',
  open: true,
  name: (text) => (LETTER.test(text) ? names.service(text) : undefined),
});

export const portRange = defineValue('portRange', {
  parse: (word, { names }) => {
    const range = parseRange(word, port(names));
    return range.ok ? good({ kind: 'portRange', ...range.value }) : range;
  },
  print: (range) => printRange(range, ':'),
});

export const portList = defineValue('portList', {
  parse: (word, { names }) => {
    const ranges = parseRanges(word, { ...port(names), open: false });
    return ranges.ok ? good({ kind: 'portList', ranges: ranges.value }) : ranges;
  },
  print: ({ ranges }) => ranges.map((range) => printRange(range, ':')).join(','),
});
