/** Tests of packet fields in nft's syntax. */
import {
  addressBits,
  contains,
  type Family,
  fullMask,
  prefixMask,
  printAddress,
  type Range,
  type Test,
  type ValueSet,
} from '@sockfilter/table';

/** A set in nft's syntax: one value, a range, or several in braces. */
function printRanges(ranges: readonly Range[], print: (value: bigint) => string): string {
  const texts = ranges.map(([from, to]) =>
    from === to ? print(from) : `${print(from)}-${print(to)}`,
  );
  return texts.length === 1 ? (texts[0] ?? '') : `{ ${texts.join(', ')} }`;
}

function compared(
  left: string,
  { set, negated }: Test,
  print: (value: bigint) => string,
): string | undefined {
  if (set.kind === 'masked')
    return `${left} & ${print(set.mask)} ${negated ? '!=' : '=='} ${print(set.value)}`;
  if (set.ranges.length === 0) return undefined;
  return `${left} ${negated ? '!= ' : ''}${printRanges(set.ranges, print)}`;
}

const KEYS: Readonly<Record<string, string>> = {
  protocol: 'meta l4proto',
  sourcePort: 'th sport',
  destinationPort: 'th dport',
  uid: 'meta skuid',
  gid: 'meta skgid',
};

const SIDES: Readonly<Record<string, string>> = { source: 'saddr', destination: 'daddr' };

/** The whole of an address is no test. */
function isWhole({ set, negated }: Test, family: Family): boolean {
  const every: ValueSet = { kind: 'ranges', ranges: [[0n, fullMask(family)]] };
  if (negated) return false;
  if (set.kind === 'masked') return set.mask === 0n;
  return JSON.stringify(set.ranges.map(String)) === JSON.stringify(every.ranges.map(String));
}

/** The family that tests leave; undefined for both, `none` for neither. */
export function familyIn(tests: readonly Test[]): Family | undefined | 'none' {
  const left = ([4, 6] as const).filter((family) =>
    tests.every(
      ({ field, set, negated }) => field !== 'family' || contains(set, BigInt(family)) !== negated,
    ),
  );
  return left.length === 2 ? undefined : (left[0] ?? 'none');
}

/** How many bits the mask of a prefix has; undefined where it has holes. */
function prefixLength(mask: bigint, family: Family): number | undefined {
  const bits = addressBits(family);
  const length = mask.toString(2).padStart(bits, '0').indexOf('0');
  const known = length < 0 ? bits : length;
  return prefixMask(family, known) === mask ? known : undefined;
}

function addressText(left: string, test: Test, family: Family): string | undefined {
  const { set, negated } = test;
  const length = set.kind === 'masked' ? prefixLength(set.mask, family) : undefined;
  if (set.kind !== 'masked' || length === undefined)
    return compared(left, test, (value) => printAddress(family, value));
  const prefix = length === addressBits(family) ? '' : `/${length}`;
  return `${left} ${negated ? '!= ' : ''}${printAddress(family, set.value)}${prefix}`;
}

/** In nft's words; undefined where it has none for them together. The family is that of `familyIn`. */
export function printTests(
  tests: readonly Test[],
  family: Family | undefined,
): readonly string[] | undefined {
  const words: string[] = family === undefined ? [] : [`meta nfproto ipv${family}`];
  // nft wants to know the protocol before it looks at ports.
  const ordered = tests.toSorted(
    (a, b) => Number(b.field === 'protocol') - Number(a.field === 'protocol'),
  );
  for (const test of ordered) {
    if (test.field === 'family') continue;
    const side = SIDES[test.field];
    if (side !== undefined) {
      if (family === undefined) return undefined;
      if (isWhole(test, family)) continue;
      const text = addressText(`ip${family === 4 ? '' : '6'} ${side}`, test, family);
      if (text === undefined) return undefined;
      words.push(text);
      continue;
    }
    const key = KEYS[test.field];
    const text = key === undefined ? undefined : compared(key, test, String);
    if (text === undefined) return undefined;
    words.push(text);
  }
  return words;
}
