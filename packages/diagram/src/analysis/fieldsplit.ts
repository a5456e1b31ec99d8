/**
 * One field of a set looked at as a whole: which values lead to which rest. The set is looked at
 * together with its care set, outside which nothing about it matters.
 */
import { BUILTIN_CHAINS, type Family, FIELD_BITS, type Field } from '@sockfilter/table';
import { LimitError } from '../limit.js';
import { fieldBits, firstPiece, pieceAt } from '../piece.js';
import { isMasked } from './box.js';
import { type Cared, type FieldClass, step, stepsOf } from './cared.js';
import { cubeClasses } from './cubesplit.js';
import { OUT, type SetStore } from './setstore.js';

/** A field of which each value is a class of its own, since a diagram's intervals say more than is there. */
const FEW_VALUES: Partial<Readonly<Record<Field, readonly number[]>>> = {
  chain: BUILTIN_CHAINS.map((_, value) => value),
  family: [4, 6],
};

/** So many ranges are read more easily than cubes; more of them, if cubes are not far fewer. */
const FEW_RANGES = 16;
const FAR_FEWER = 8;

/** What is split: the field's pieces, and how to step through them. */
interface Split {
  readonly store: SetStore;
  readonly whole: Cared;
  readonly first: number;
  readonly last: number;
  readonly bits: number;
}

/** The last piece of the field. */
function lastPiece(first: number): number {
  let piece = first;
  while (pieceAt(piece).shift > 0) piece++;
  return piece;
}

/** The classes as ranges; undefined past so many. */
function rangeClasses(
  { store, whole, first, last, bits }: Split,
  limit: number,
): readonly FieldClass[] | undefined {
  const { diagrams } = store;
  const classes = new Map<string, Cared & { readonly spans: [bigint, bigint][] }>();
  let count = 0;
  const add = ({ set, care }: Cared, from: bigint, to: bigint) => {
    if (care === OUT) return;
    const key = `${set} ${care}`;
    const into = classes.get(key) ?? { set, care, spans: [] };
    classes.set(key, into);
    const before = into.spans.at(-1);
    if (before && before[1] + 1n === from) before[1] = to;
    else {
      into.spans.push([from, to]);
      count++;
    }
  };
  const isFree = ({ set, care }: Cared) =>
    diagrams.pieceOf(set) > last && diagrams.pieceOf(care) > last;
  /** False past the limit. */
  const visit = (piece: number, cared: Cared, base: bigint, width: bigint): boolean => {
    if (isFree(cared)) add(cared, base, base + width - 1n);
    else {
      const unit = 1n << BigInt(pieceAt(piece).shift);
      for (const { start, end, rest } of stepsOf(store, cared, piece)) {
        if (isFree(rest) || rest.care === OUT)
          add(rest, base + BigInt(start) * unit, base + BigInt(end) * unit - 1n);
        else
          for (let value = start; value < end; value++)
            if (!visit(piece + 1, rest, base + BigInt(value) * unit, unit)) return false;
      }
    }
    return count <= limit;
  };
  if (!visit(first, whole, 0n, 1n << BigInt(bits))) return undefined;
  return [...classes.values()];
}

/** The classes of the field's values with a care set that is not empty, by their lowest value. */
export function splitField(
  store: SetStore,
  whole: Cared,
  field: Field,
  family: Family | undefined,
  limit: number,
): readonly FieldClass[] {
  const bits = fieldBits(field, family);
  const first = firstPiece(field) + (FIELD_BITS[field] - bits) / 16;
  const last = lastPiece(first);
  const values = FEW_VALUES[field];
  if (values)
    return values.flatMap((value) => {
      const rest = step(store, whole, first, value);
      return rest.care === OUT ? [] : [{ ...rest, spans: [[BigInt(value), BigInt(value)]] }];
    });
  const split = { store, whole, first, last, bits };
  if (!isMasked(field)) {
    const ranges = rangeClasses(split, limit);
    if (!ranges) throw new LimitError('boxes', limit);
    return ranges;
  }
  const few = rangeClasses(split, FEW_RANGES);
  if (few) return few;
  const cubes = cubeClasses(store, whole, last);
  const count = cubes?.reduce((sum, { spans }) => sum + spans.length, 0) ?? limit;
  const classes = rangeClasses(split, Math.min(limit, count * FAR_FEWER)) ?? cubes;
  if (!classes) throw new LimitError('boxes', limit);
  return classes;
}
