/** Ports and lists of ports, by number or by the name of a service. */
import { good, type Names } from '@sockfilter/language';
import { type NumberKind, parseRange, parseRanges, printRange } from './number.js';
import { defineValue } from './syntax.js';

export const MAX_PORT = 65535;

const port = (names: Names): NumberKind => ({
  noun: 'port',
  least: 0,
  most: MAX_PORT,
  separator: ':',
  open: true,
  name: names.service,
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
