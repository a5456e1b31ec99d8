/**
 * A field's values by the rest they lead to, as cubes: along the pieces of the field, so that a mask with
 * holes is as long as the mask, however many ranges it stands for.
 */
import { LimitError } from '../limit.js';
import { pieceAt } from '../piece.js';
import { type Cared, type FieldClass, stepsOf } from './cared.js';
import { OUT, type SetStore } from './setstore.js';
import { type Cube, cubesOfRange, mergeCubes, mergeReadable } from './span.js';

interface CubeClass extends Cared {
  readonly cubes: readonly Cube[];
}

/** Values of one piece that lead to the same rest. */
interface Branch extends Cared {
  readonly ranges: (readonly [bigint, bigint])[];
  size: number;
}

const keyOf = ({ set, care }: Cared) => `${set} ${care}`;

/** The classes of the field's values with a care set that is not empty, and what nobody cares about in any. */
export function cubeClasses(
  store: SetStore,
  whole: Cared,
  last: number,
  limit: number,
): readonly FieldClass[] {
  const { diagrams } = store;
  const known = new Map<string, readonly CubeClass[]>();
  const branchesOf = (cared: Cared, piece: number): readonly Branch[] => {
    const branches = new Map<string, Branch>();
    for (const { start, end, rest } of stepsOf(store, cared, piece)) {
      const key = rest.care === OUT ? '' : keyOf(rest);
      const branch = branches.get(key) ?? { ...rest, ranges: [], size: 0 };
      branch.ranges.push([BigInt(start), BigInt(end - 1)]);
      branch.size += end - start;
      branches.set(key, branch);
    }
    const free = branches.get('');
    branches.delete('');
    const bySize = [...branches.values()].toSorted((a, b) => b.size - a.size);
    if (free) bySize[0]?.ranges.push(...free.ranges);
    return bySize;
  };

  const classesOf = (cared: Cared): readonly CubeClass[] => {
    if (cared.care === OUT) return [];
    const piece = Math.min(diagrams.pieceOf(cared.set), diagrams.pieceOf(cared.care));
    if (piece > last) return [{ ...cared, cubes: [{ value: 0n, mask: 0n }] }];
    const found = known.get(keyOf(cared));
    if (found) return found;
    const { bits, shift } = pieceAt(piece);
    const classes = new Map<string, Cared & { readonly cubes: Cube[] }>();
    for (const branch of branchesOf(cared, piece)) {
      const heads = mergeCubes(branch.ranges.flatMap((range) => cubesOfRange(range, bits)));
      for (const { cubes, set, care } of classesOf(branch)) {
        const key = keyOf({ set, care });
        const into = classes.get(key) ?? { set, care, cubes: [] };
        classes.set(key, into);
        for (const head of heads)
          for (const { value, mask } of cubes)
            into.cubes.push({
              value: (head.value << BigInt(shift)) | value,
              mask: (head.mask << BigInt(shift)) | mask,
            });
        if (into.cubes.length > limit) throw new LimitError('boxes', limit);
      }
    }
    const result = [...classes.values()].map((each) => ({
      ...each,
      cubes: mergeCubes(each.cubes),
    }));
    known.set(keyOf(cared), result);
    return result;
  };

  return classesOf(whole).map(({ set, care, cubes }) => ({
    set,
    care,
    spans: mergeReadable(cubes),
  }));
}
