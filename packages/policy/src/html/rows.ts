/** The rows of a page: declared groups, ids that rules name, and everybody else. */
import {
  intersect,
  isEmpty,
  type PacketSet,
  subtract,
  type Universe,
  union,
} from '@sockfilter/diagram';
import { type Group, groupLabel, ruleCondition, type Table } from '@sockfilter/table';

export interface Row {
  readonly label: string;
  readonly set: PacketSet;
}

export interface Rows {
  readonly rows: readonly Row[];
  /** How many groups share one row. */
  readonly cut: number;
}

const MAX_ROWS = 200;

/** The single ids that rules ask for. */
function namedIds(table: Table): readonly number[] {
  const ids = new Set<number>();
  for (const { rules } of table.chains)
    for (const rule of rules)
      for (const clause of ruleCondition(rule, table))
        for (const { field, set } of clause) {
          if (field !== 'group' || set.kind !== 'ranges') continue;
          for (const [from, to] of set.ranges) if (from === to) ids.add(Number(from));
        }
  return [...ids];
}

/**
 * Together they are all of `region`. Past the bound those that meet `preferred` have rows of their own
 * before others.
 */
export function pageRows(
  universe: Universe,
  tables: readonly Table[],
  region: PacketSet,
  preferred: PacketSet,
): Rows {
  const groups = new Map<number, Group>();
  for (const table of tables.toReversed())
    for (const group of table.groups) groups.set(group.id, group);
  const ids = new Set([
    ...tables.flatMap((table) => table.groups.map(({ id }) => id)),
    ...tables.flatMap(namedIds).sort((a, b) => a - b),
  ]);
  const named = [...ids]
    .map((id) => {
      const label = id === 0 ? 'no group (0)' : groupLabel([...groups.values()], id);
      return { label, set: intersect(region, universe.box({ group: [[BigInt(id), BigInt(id)]] })) };
    })
    .filter(({ set }) => !isEmpty(set));
  const wanted = (row: Row) => !isEmpty(intersect(row.set, preferred));
  const own = new Set(
    named.length <= MAX_ROWS
      ? named
      : [...named.filter(wanted), ...named.filter((row) => !wanted(row))].slice(0, MAX_ROWS),
  );
  const shared = named.filter((row) => !own.has(row));
  const all = (rows: readonly Row[]) =>
    rows.reduce((set, row) => union(set, row.set), universe.empty);
  const others = subtract(region, all(named));
  const rest: Row[] = [];
  if (shared.length > 0) rest.push({ label: `${shared.length} more groups`, set: all(shared) });
  if (!isEmpty(others))
    rest.push({ label: named.length === 0 ? 'everybody' : 'everybody else', set: others });
  return { rows: [...named.filter((row) => own.has(row)), ...rest], cut: shared.length };
}
