/**
 * One field of a set looked at as a whole: which values lead to which rest. The set is looked at
 * together with its care set, outside which nothing about it matters.
 */
import { BUILTIN_CHAINS, type Family, FIELD_BITS, type Field, type Range } from '@sockfilter/table';
import { LimitError } from '../limit.js';
import { fieldBits, firstPiece, pieceAt } from '../piece.js';
import { isTerminal, type Ref } from '../store.js';
import { OUT, type SetStore } from './setstore.js';

/** A set and its care set: the first lies within the second. */
export interface Cared {
  readonly set: Ref;
  readonly care: Ref;
}

/** Values of a field that lead to the same rest. */
export interface FieldClass extends Cared {
  readonly ranges: readonly Range[];
}

/** A field of which each value is a class of its own, since a diagram's intervals say more than is there. */
const FEW_VALUES: Partial<Readonly<Record<Field, readonly number[]>>> = {
  chain: BUILTIN_CHAINS.map((_, value) => value),
  family: [4, 6],
};

/** The last piece of the field. */
function lastPiece(first: number): number {
  let piece = first;
  while (pieceAt(piece).shift > 0) piece++;
  return piece;
}

/** The classes of the field's values with a care set that is not empty, by their lowest value. */
export function splitField(
  store: SetStore,
  whole: Cared,
  field: Field,
  family: Family | undefined,
  limit: number,
): readonly FieldClass[] {
  const { diagrams } = store;
  const asked = (ref: Ref, piece: number) => !isTerminal(ref) && diagrams.pieceOf(ref) === piece;
  const step = (ref: Ref, piece: number, value: number) =>
    asked(ref, piece) ? diagrams.follow(ref, value) : ref;
  const first = firstPiece(field);

  const few = FEW_VALUES[field];
  if (few)
    return few.flatMap((value) => {
      const set = step(whole.set, first, value);
      const care = step(whole.care, first, value);
      return care === OUT ? [] : [{ set, care, ranges: [[BigInt(value), BigInt(value)]] }];
    });

  const last = lastPiece(first);
  const classes = new Map<string, Cared & { readonly ranges: [bigint, bigint][] }>();
  let count = 0;
  const add = ({ set, care }: Cared, from: bigint, to: bigint) => {
    if (care === OUT) return;
    const key = `${set} ${care}`;
    let into = classes.get(key);
    if (!into) {
      into = { set, care, ranges: [] };
      classes.set(key, into);
    }
    const before = into.ranges.at(-1);
    if (before && before[1] + 1n === from) before[1] = to;
    else {
      into.ranges.push([from, to]);
      if (++count > limit) throw new LimitError('boxes', limit);
    }
  };
  const visit = (piece: number, { set, care }: Cared, base: bigint, width: bigint) => {
    if (diagrams.pieceOf(set) > last && diagrams.pieceOf(care) > last) {
      add({ set, care }, base, base + width - 1n);
      return;
    }
    const { shift, bits } = pieceAt(piece);
    const starts = new Set([0]);
    for (const ref of [set, care]) {
      if (!asked(ref, piece)) continue;
      for (let edge = diagrams.firstEdge(ref); edge < diagrams.endEdge(ref); edge++)
        starts.add(diagrams.edgeStart(edge));
    }
    const sorted = [...starts].sort((a, b) => a - b);
    for (const [at, start] of sorted.entries()) {
      const end = sorted[at + 1] ?? 1 << bits;
      const rest = { set: step(set, piece, start), care: step(care, piece, start) };
      const unit = 1n << BigInt(shift);
      const free = diagrams.pieceOf(rest.set) > last && diagrams.pieceOf(rest.care) > last;
      if (free || rest.care === OUT)
        add(rest, base + BigInt(start) * unit, base + BigInt(end) * unit - 1n);
      else
        for (let value = start; value < end; value++)
          visit(piece + 1, rest, base + BigInt(value) * unit, unit);
    }
  };
  const bits = fieldBits(field, family);
  visit(first + (FIELD_BITS[field] - bits) / 16, whole, 0n, 1n << BigInt(bits));
  return [...classes.values()];
}
