/** What a match of nft asks of a socket call. */
import { type Expression, isList, type Match, printExpression } from 'nftables-json';
import { fieldOf, nameOf, option, type Way } from './field.js';
import { type FindSet, isSet, type NftValue, readValues } from './value.js';

/** One of the ways holds, and none of those that are excepted. */
export interface Question {
  readonly ways: readonly Way[];
  readonly except: readonly Way[];
}

export const lost = (reason: string): Question => ({
  ways: [{ tests: [{ lost: reason }] }],
  except: [],
});

const ask = (...ways: readonly Way[]): Question => ({ ways, except: [] });

const FLAGS: Readonly<Record<string, number>> = {
  fin: 1,
  syn: 2,
  rst: 4,
  psh: 8,
  ack: 16,
  urg: 32,
  ecn: 64,
  cwr: 128,
};

/** A call that TCP starts with has this flag and no other. */
const { syn: SYN = 2 } = FLAGS;

function flagBits(value: NftValue): number | undefined {
  const names =
    value.kind === 'bits' ? value.names : value.kind === 'one' ? [value.value] : undefined;
  const bits = names?.map((name) => FLAGS[name] ?? (/^\d+$/.test(name) ? Number(name) : undefined));
  return bits?.reduce<number | undefined>(
    (all, bit) => (all === undefined || bit === undefined ? undefined : all | bit),
    0,
  );
}

/** Of the flags only those that a mask leaves. */
function flagsMask(left: Expression, find: FindSet): number | undefined {
  if (typeof left !== 'object' || isList(left)) return undefined;
  if (nameOf(left) === 'tcp flags') return 255;
  if (!('&' in left)) return undefined;
  const [field, mask] = left['&'];
  if (field === undefined || mask === undefined || nameOf(field) !== 'tcp flags') return undefined;
  const [value] = readValues(mask, find) ?? [];
  return value && flagBits(value);
}

/** Flags are known of a call: the answer is. */
function askFlags({ op, right }: Match, mask: number, find: FindSet): Question | undefined {
  const bits = readValues(right, find)?.map(flagBits);
  if (!bits) return undefined;
  const has = SYN & mask;
  const holds = bits.some((each) => {
    if (each === undefined) return false;
    return op === 'in' || op === '!' ? (has & each) !== 0 : has === each;
  });
  if (bits.includes(undefined)) return undefined;
  if (holds === (op === '!=' || op === '!'))
    return ask({ tests: [{ never: 'a call of TCP has the flag SYN and no other' }] });
  return ask({ tests: [option('-p', false, 'tcp')] });
}

const MAX_PORT = 65535;

/** `>= 1024` as a range of ports. */
function rangeOf(op: string, value: NftValue | undefined): NftValue | undefined {
  if (value?.kind !== 'one' || !/^\d+$/.test(value.value)) return undefined;
  const number = Number(value.value);
  const [from, to] = op.startsWith('<')
    ? [0, op === '<' ? number - 1 : number]
    : [op === '>' ? number + 1 : number, MAX_PORT];
  return from <= to ? { kind: 'range', from: `${from}`, to: `${to}` } : undefined;
}

/** Joins ways that must hold together. */
function both(a: Way, b: Way): Way {
  return { family: a.family ?? b.family, tests: [...a.tests, ...b.tests] };
}

/** What the presence of a field says goes with each way. */
function within(left: Expression, ways: readonly Way[]): readonly Way[] {
  const { family, protocol } = fieldOf(left) ?? {};
  const tests = protocol === undefined ? [] : [option('-p', false, protocol)];
  return ways.map((each) => both({ family, tests }, each));
}

/** The ways for one value of a concatenation. */
function waysOfParts(parts: readonly Expression[], value: NftValue): readonly Way[] | undefined {
  if (value.kind !== 'concat' || value.parts.length !== parts.length) return undefined;
  let all: readonly Way[] = [{ tests: [] }];
  for (const [at, left] of parts.entries()) {
    const part = value.parts[at];
    const one = part && (part.kind === 'any' ? { tests: [] } : fieldOf(left)?.one(part, false));
    if (!one) return undefined;
    all = all.flatMap((each) => within(left, [one]).map((way) => both(each, way)));
  }
  return all;
}

/** The ways for one value of whatever is compared; undefined where it can't be said. */
export function waysOf(left: Expression, value: NftValue): readonly Way[] | undefined {
  if (value.kind === 'any') return within(left, [{ tests: [] }]);
  if (typeof left === 'object' && !isList(left) && 'concat' in left)
    return waysOfParts(left.concat, value);
  const one = fieldOf(left)?.one(value, false);
  return one && within(left, [one]);
}

function known<T>(values: readonly (T | undefined)[]): readonly T[] | undefined {
  const all = values.filter((value) => value !== undefined);
  return all.length === values.length ? all : undefined;
}

/** The comparison with several values. */
function askValues(
  left: Expression,
  values: readonly NftValue[],
  negated: boolean,
): Question | undefined {
  const field = fieldOf(left);
  const [first] = values;
  if (field && first && values.length === 1) {
    const one = field.one(first, negated);
    return one && ask(...within(left, [one]));
  }
  const many = field?.many?.(values, negated);
  if (many) return ask(...within(left, many));
  const ways = known(values.map((value) => waysOf(left, value)))?.flat();
  if (!ways) return undefined;
  return negated ? { ways: within(left, [{ tests: [] }]), except: ways } : ask(...ways);
}

export function printLeft(left: Expression): string {
  try {
    return printExpression(left);
  } catch {
    return 'this expression';
  }
}

export function readMatch(match: Match, find: FindSet): Question {
  const { op, left, right } = match;
  const text = `\`${printLeft(left)}\``;
  const mask = flagsMask(left, find);
  if (mask !== undefined) return askFlags(match, mask, find) ?? lost(`flags in ${text}`);
  const values = readValues(right, find);
  if (!values) return lost(`what ${text} is compared with`);
  if (op === '<' || op === '>' || op === '<=' || op === '>=') {
    const range = fieldOf(left)?.ordered ? rangeOf(op, values[0]) : undefined;
    const asked = range && askValues(left, [range], false);
    return asked ?? lost(`no socket call has ${text}`);
  }
  const negated = op === '!=' || op === '!';
  // Several bits compared as one value are never what a packet has one of.
  if (op === '==' && !isSet(right) && values[0]?.kind === 'bits') return lost(`bits of ${text}`);
  if (values.length === 0)
    return negated ? ask({ tests: [] }) : ask({ tests: [{ never: 'the set is empty' }] });
  return askValues(left, values, negated) ?? lost(`no socket call has ${text}`);
}
