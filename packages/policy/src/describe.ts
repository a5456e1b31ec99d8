/**
 * Regions in words, in the order in which one would say them: `CONNECT, group web (3), tcp, to
 * 10.0.0.0/8 port 80-90`. What is not said may be anything.
 */
import { type Box, isCube, type MaskedField, rangesOf } from '@sockfilter/diagram';
import {
  BUILTIN_CHAINS,
  type BuiltinChain,
  boundOf,
  CHAINS,
  contains,
  DETAIL_NAMES,
  type Family,
  type Field,
  fullMask,
  type Group,
  groupLabel,
  MAX_OWNER_ID,
  protocolName,
  type Range,
} from '@sockfilter/table';
import { allAddresses, leftOut, printAddressRange, printSpan } from './address.js';
import { complement } from './complement.js';
import { detailTexts } from './detailtext.js';
import { markWords } from './mark.js';
import { coveringNetworks } from './network.js';

/** How many pieces of one field are named before the rest is only counted. */
const MAX_PIECES = 12;

export interface DescribeOptions {
  readonly groups: readonly Group[];
}

function cut(pieces: readonly string[]): string {
  if (pieces.length <= MAX_PIECES) return pieces.join(',');
  return `${pieces.slice(0, MAX_PIECES).join(',')} and ${pieces.length - MAX_PIECES} more`;
}

/** The ranges, or `not` and what they leave out where that is shorter; undefined for everything. */
function listRanges(
  ranges: readonly Range[],
  all: Range,
  print: (range: Range) => readonly string[],
): string | undefined {
  const gaps = complement(ranges, all);
  if (gaps.length === 0) return undefined;
  const isOneValue = gaps.length === 1 && gaps.every(([from, to]) => from === to);
  const isEven = gaps.length === ranges.length && isWide(ranges, all);
  if (gaps.length < ranges.length || (isEven && (ranges.length > 1 || isOneValue)))
    return `not ${cut(gaps.flatMap(print))}`;
  return cut(ranges.flatMap(print));
}

/** More than half of all. */
function isWide(ranges: readonly Range[], [low, high]: Range): boolean {
  const size = ranges.reduce((sum, [from, to]) => sum + to - from + 1n, 0n);
  return size * 2n > high - low + 1n;
}

const printRange = ([from, to]: Range): readonly string[] => [
  from === to ? String(from) : `${from}-${to}`,
];

function addressPrinter(family: Family) {
  return (range: Range): readonly string[] => {
    const networks = coveringNetworks(family, range);
    if (networks.length > 2) return [printAddressRange(family, range)];
    return networks.map(({ value, mask }) =>
      printAddressRange(family, [value, value | (fullMask(family) ^ mask)]),
    );
  };
}

/** The family that the box is about, if one alone. */
export function familyOf(box: Box): Family | undefined {
  const [range, more] = box.family ?? [];
  if (!range || more || range[0] !== range[1]) return undefined;
  return range[0] === 4n ? 4 : range[0] === 6n ? 6 : undefined;
}

export function chainsOf(box: Box): readonly BuiltinChain[] {
  const { chain } = box;
  if (!chain) return BUILTIN_CHAINS;
  return BUILTIN_CHAINS.filter((_, at) =>
    chain.some(([from, to]) => from <= BigInt(at) && BigInt(at) <= to),
  );
}

const MAX_ID = 2n ** 32n - 1n;
const MAX_OWNER = BigInt(MAX_OWNER_ID);
const MAX_PORT = 65535n;

function numbers(box: Box, field: Exclude<Field, MaskedField>, high: bigint): string | undefined {
  const ranges = box[field];
  return ranges && listRanges(ranges, [0n, high], printRange);
}

/** Whose calls the region is about; undefined for everybody's. */
function describeGroups(box: Box, groups: readonly Group[]): string | undefined {
  const text =
    box.group &&
    listRanges(box.group, [0n, MAX_ID], ([from, to]) => {
      if (from === to) return [groupLabel(groups, Number(from))];
      const named = groups.filter(({ id }) => from <= BigInt(id) && BigInt(id) <= to);
      const size = to - from + 1n;
      if (size <= 4n && BigInt(named.length) === size)
        return named.map(({ name, id }) => `${name} (${id})`);
      return [`${from}-${to}`];
    });
  if (text === undefined) return undefined;
  return text === 'none (0)' ? 'no group' : text === 'not none (0)' ? 'any group' : `group ${text}`;
}

function protocolText(box: Box): string | undefined {
  const { protocol } = box;
  if (!protocol) return undefined;
  const names: string[] = [];
  for (const [from, to] of protocol) {
    if (to - from > 8n) return listRanges(protocol, [0n, 255n], printRange);
    for (let each = from; each <= to; each++) names.push(protocolName(Number(each)));
  }
  return names.join(',');
}

/** True where no call of the box's chains has address 0 there. */
export function hasNoZero(box: Box, field: 'source' | 'destination'): boolean {
  return chainsOf(box).every((chain) => {
    const bound = boundOf(chain, field);
    return bound && !contains(bound.set, 0n);
  });
}

/** The addresses of an end; undefined for all. One that no call has may as well belong to them. */
function addressText(box: Box, field: 'source' | 'destination'): string | undefined {
  const spans = box[field];
  if (!spans) return undefined;
  const family = familyOf(box) ?? 6;
  const isNever = hasNoZero(box, field);
  if (spans.some(isCube)) {
    const unwanted = leftOut(family, spans, isNever);
    const list = (unwanted ?? spans).map((span) => printSpan(family, span));
    return unwanted ? `not ${cut(list)}` : cut(list);
  }
  const ranges = rangesOf(spans);
  const [first] = ranges;
  const whole = isNever && first?.[0] === 1n ? ranges.with(0, [0n, first[1]]) : ranges;
  return listRanges(whole, allAddresses(family), addressPrinter(family));
}

/** An end: `10.0.0.0/8 port 80`, undefined if it may be any. */
function endText(
  box: Box,
  address: 'source' | 'destination',
  port: 'sourcePort' | 'destinationPort',
): string | undefined {
  const at = addressText(box, address);
  const portText = numbers(box, port, MAX_PORT);
  const parts = [at, portText === undefined ? undefined : `port ${portText}`];
  const said = parts.filter((part) => part !== undefined);
  return said.length === 0 ? undefined : said.join(' ');
}

/** True where the end is what it always is in the chain, so that saying it tells nothing. */
function isFixed(box: Box, chains: readonly BuiltinChain[]): boolean {
  return chains.every((chain) => CHAINS[chain].noPeer !== undefined) && box.source !== undefined;
}

/** `mark 0x10/0xf0`; undefined for every mark. */
function markText({ mark }: Box): string | undefined {
  if (!mark) return undefined;
  const { isNot, texts } = markWords(mark);
  return `${isNot ? 'mark not' : 'mark'} ${cut(texts)}`;
}

/** The region in one line. */
export function describeBox(box: Box, { groups }: DescribeOptions): string {
  const chains = chainsOf(box);
  const family = familyOf(box);
  const source = isFixed(box, chains) ? undefined : endText(box, 'source', 'sourcePort');
  const destination = endText(box, 'destination', 'destinationPort');
  const saysAddress =
    (box.source && source !== undefined) || (box.destination && destination !== undefined);
  const uid = numbers(box, 'uid', MAX_OWNER);
  const gid = numbers(box, 'gid', MAX_OWNER);
  const details = DETAIL_NAMES.flatMap((detail) => {
    const ranges = box[detail];
    return ranges ? [`${detail} ${cut(detailTexts(detail, ranges))}`] : [];
  });
  const parts = [
    chains.length === BUILTIN_CHAINS.length ? 'every chain' : chains.join('/'),
    describeGroups(box, groups),
    family !== undefined && !saysAddress ? `IPv${family}` : undefined,
    protocolText(box),
    source === undefined ? undefined : `from ${source}`,
    destination === undefined ? undefined : `to ${destination}`,
    uid === undefined ? undefined : `uid ${uid}`,
    gid === undefined ? undefined : `gid ${gid}`,
    markText(box),
    ...details,
  ];
  return parts.filter((part) => part !== undefined).join(', ');
}
