/** The rows of a page: declared groups, ids that rules name, and everybody else. */
import {
  intersect,
  isEmpty,
  type PacketSet,
  project,
  subtract,
  type Universe,
  union,
} from '@sockfilter/diagram';
import { FIELDS, type Group, groupLabel, ruleCondition, type Table } from '@sockfilter/table';

interface Named {
  readonly label: string;
  readonly set: PacketSet;
}

export interface Row extends Named {
  /** The groups that share the row since the same becomes of their calls; empty for one alone. */
  readonly names: readonly string[];
}

export interface Rows {
  readonly rows: readonly Row[];
  /** How many groups share one row. */
  readonly cut: number;
}

const MAX_ROWS = 600;
/** Groups that the label of a row names. */
const MAX_LABELLED = 2;

const BUT_GROUP = FIELDS.filter((field) => field !== 'group');

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

function labelOf(names: readonly string[]): string {
  const more = names.length - MAX_LABELLED;
  if (more <= 1) return names.join(', ');
  return `${names.slice(0, MAX_LABELLED).join(', ')} and ${more} more`;
}

/** One row for all groups of which the same calls are told the same. */
function joinEqual(named: readonly Named[], told: readonly PacketSet[]): readonly Row[] {
  const alike = new Map<string, Named[]>();
  for (const each of named) {
    const calls = [each.set, ...told.map((set) => intersect(set, each.set))];
    const key = calls.map((set) => project(set, BUT_GROUP).ref).join();
    const others = alike.get(key);
    if (others) others.push(each);
    else alike.set(key, [each]);
  }
  return [...alike.values()].map((rows) => {
    const names = rows.map(({ label }) => label);
    const set = rows.map((row) => row.set).reduce(union);
    return { label: labelOf(names), set, names: names.length > 1 ? names : [] };
  });
}

/**
 * @param told what a page tells of calls: groups that differ in none of these sets share a row
 *
 * Together the rows are all of `region`. Past the bound those that meet `preferred` have rows of their own
 * before others.
 */
export function pageRows(
  universe: Universe,
  tables: readonly Table[],
  region: PacketSet,
  { preferred, told }: { readonly preferred: PacketSet; readonly told: readonly PacketSet[] },
): Rows {
  const groups = new Map<number, Group>();
  for (const table of tables.toReversed())
    for (const group of table.groups) groups.set(group.id, group);
  const ids = new Set([
    ...tables.flatMap((table) => table.groups.map(({ id }) => id)),
    ...tables.flatMap(namedIds).sort((a, b) => a - b),
  ]);
  const known = [...ids]
    .map((id) => {
      const label = id === 0 ? 'no group (0)' : groupLabel([...groups.values()], id);
      return { label, set: intersect(region, universe.box({ group: [[BigInt(id), BigInt(id)]] })) };
    })
    .filter(({ set }) => !isEmpty(set));
  const named = joinEqual(known, told);
  const wanted = (row: Row) => !isEmpty(intersect(row.set, preferred));
  const own = new Set(
    named.length <= MAX_ROWS
      ? named
      : [...named.filter(wanted), ...named.filter((row) => !wanted(row))].slice(0, MAX_ROWS),
  );
  const shared = named.filter((row) => !own.has(row));
  const all = (rows: readonly Named[]) =>
    rows.reduce((set, row) => union(set, row.set), universe.empty);
  const others = subtract(region, all(named));
  const rest: Row[] = [];
  const cut = shared.reduce((sum, { names }) => sum + Math.max(names.length, 1), 0);
  if (cut > 0) rest.push({ label: `${cut} more groups`, set: all(shared), names: [] });
  if (!isEmpty(others)) {
    const label = named.length === 0 ? 'everybody' : 'everybody else';
    rest.push({ label, set: others, names: [] });
  }
  return { rows: [...named.filter((row) => own.has(row)), ...rest], cut };
}
