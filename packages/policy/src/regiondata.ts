/** Regions as data: the fields and values that expectations, `--intended` and `query` read. */
import type { Box, MaskedField } from '@sockfilter/diagram';
import {
  BUILTIN_CHAINS,
  callProtocol,
  DETAIL_NAMES,
  FAMILIES,
  type Field,
  protocolName,
  type Range,
} from '@sockfilter/table';
import { leftOut, printSpan } from './address.js';
import { chainsOf, familyOf, hasNoZero } from './describe.js';
import { detailTexts } from './detailtext.js';
import { markWords } from './mark.js';
import type { Region } from './region.js';
import type { RegionKey } from './regionkey.js';

const printNumbers = ([from, to]: Range) => (from === to ? `${from}` : `${from}-${to}`);

/** The protocols of the ranges that some call has; a box may seem to hold for others. */
function protocols(ranges: readonly Range[]): readonly string[] {
  return ranges.flatMap(([from, to]) => {
    const numbers = Array.from({ length: Number(to - from) + 1 }, (_, at) => Number(from) + at);
    return numbers.filter((each) => callProtocol(`${each}`) !== undefined).map(protocolName);
  });
}

const NUMBERS: readonly (readonly [RegionKey, Exclude<Field, MaskedField>])[] = [
  ['group', 'group'],
  ['sport', 'sourcePort'],
  ['dport', 'destinationPort'],
  ['uid', 'uid'],
  ['gid', 'gid'],
];

const ADDRESSES: readonly (readonly [RegionKey, 'source' | 'destination'])[] = [
  ['src', 'source'],
  ['dst', 'destination'],
];

/** The calls of a box as a region that means them, and no others. */
export function regionOfBox(box: Box): Region {
  const values = new Map<RegionKey, readonly string[]>();
  const chains = chainsOf(box);
  if (chains.length < BUILTIN_CHAINS.length) values.set('chain', chains);
  const family = familyOf(box);
  if (box.family)
    values.set(
      'family',
      FAMILIES.filter((each) => family === undefined || family === each).map(String),
    );
  if (box.protocol) values.set('proto', protocols(box.protocol));
  for (const [key, field] of ADDRESSES) {
    const spans = box[field];
    if (!spans || !family) continue;
    const unwanted = leftOut(family, spans, hasNoZero(box, field));
    const wanted = (unwanted ?? spans).map((span) => printSpan(family, span));
    values.set(key, unwanted ? wanted.map((text) => `!${text}`) : wanted);
  }
  for (const detail of DETAIL_NAMES) {
    const ranges = box[detail];
    if (ranges) values.set(detail, detailTexts(detail, ranges));
  }
  for (const [key, field] of NUMBERS) {
    const ranges = box[field];
    if (ranges) values.set(key, ranges.map(printNumbers));
  }
  if (box.mark) {
    const { isNot, texts } = markWords(box.mark);
    values.set('mark', isNot ? texts.map((text) => `!${text}`) : texts);
  }
  return Object.fromEntries(values);
}
