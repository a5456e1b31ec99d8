/**
 * A field's values by the rest they lead to, as cubes: along the pieces of the field, so that a mask with
 * holes is as long as the mask, however many ranges it stands for.
 */
import { pieceAt } from '../piece.js';
import { type Cared, type FieldClass, stepsOf } from './cared.js';
import { OUT, type SetStore } from './setstore.js';
import { type Cube, cubesOfRange, mergeCubes, READABLE } from './span.js';

interface CubeClass extends Cared {
  readonly cubes: readonly Cube[];
}

/** Values of one piece that lead to the same rest. */
interface Branch extends Cared {
  readonly ranges: (readonly [bigint, bigint])[];
  size: number;
}

const keyOf = ({ set, care }: Cared) => `${set} ${care}`;

/**
 * The classes of the field's values with a care set that is not empty, and what nobody cares about in any; undefined
 * where they take more cubes than anybody reads.
 */
export function cubeClasses(
  store: SetStore,
  whole: Cared,
  last: number,
): readonly FieldClass[] | undefined {
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

  const classesOf = (cared: Cared): readonly CubeClass[] | undefined => {
    if (cared.care === OUT) return [];
    const piece = Math.min(diagrams.pieceOf(cared.set), diagrams.pieceOf(cared.care));
    if (piece > last) return [{ ...cared, cubes: [{ value: 0n, mask: 0n }] }];
    const found = known.get(keyOf(cared));
    if (found) return found;
    const { bits, shift } = pieceAt(piece);
    const classes = new Map<string, Cared & { readonly cubes: Cube[] }>();
    for (const branch of branchesOf(cared, piece)) {
      const heads = mergeCubes(branch.ranges.flatMap((range) => cubesOfRange(range, bits)));
      const below = classesOf(branch);
      if (!below) return undefined;
      for (const { cubes, set, care } of below) {
        const key = keyOf({ set, care });
        const into = classes.get(key) ?? { set, care, cubes: [] };
        classes.set(key, into);
        if (into.cubes.length + heads.length * cubes.length > READABLE) return undefined;
        for (const head of heads)
          for (const { value, mask } of cubes)
            into.cubes.push({
              value: (head.value << BigInt(shift)) | value,
              mask: (head.mask << BigInt(shift)) | mask,
            });
      }
    }
    const result = [...classes.values()];
    known.set(keyOf(cared), result);
    return result;
  };

  return classesOf(whole)?.map(({ set, care, cubes }) => ({ set, care, spans: mergeCubes(cubes) }));
}
