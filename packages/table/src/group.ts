/** Declaring groups: names, ids and paths are each unique. */
import { elementAt } from './element.js';
import { TableError } from './error.js';
import { commonPath, isBelow, isNearer, patternOf } from './grouppath.js';
import { findNamed } from './named.js';
import { perList } from './perobject.js';
import { perModel } from './ruleform.js';
import { type Group, MAX_GROUP_ID, type Rule, type Table } from './table.js';
import type { Value } from './value.js';

/** The group of this name; TableError if there is none. */
export function requireGroup(table: Table, name: string): Group {
  const group = findNamed(table.groups, name);
  if (!group)
    throw new TableError(`No group by the name \`${name}\`.`, `\`sockfilter group add ${name}\``);
  return group;
}

/** What groups may have only one of beside their names, and those whose paths are patterns. */
interface GroupIndex {
  readonly byId: Map<number, Group>;
  readonly byPath: Map<string, Group>;
  /** By their folder: in others they match nothing that these do. */
  readonly patterns: Map<string, Group[]>;
}

const indexOf = perList(
  (): GroupIndex => ({ byId: new Map(), byPath: new Map(), patterns: new Map() }),
  ({ byId, byPath, patterns }, group: Group) => {
    byId.set(group.id, group);
    if (group.path === undefined) return;
    byPath.set(group.path, group);
    const folder = patternOf(group.path)?.folder;
    if (folder !== undefined) patterns.set(folder, [...(patterns.get(folder) ?? []), group]);
  },
);

/** What about the group collides with one that is declared, in words. The list may grow. */
export function groupConflict(
  groups: readonly Group[],
  { name, id, path }: Group,
): string | undefined {
  const { byId, byPath, patterns } = indexOf(groups);
  const named = findNamed(groups, name);
  if (named) return `group \`${name}\` exists already (id ${named.id})`;
  const numbered = byId.get(id);
  if (numbered) return `id ${id} belongs to group \`${numbered.name}\` already`;
  if (path === undefined) return undefined;
  const placed = byPath.get(path);
  if (placed)
    return `path \`${path}\` belongs to group \`${placed.name}\` (id ${placed.id}) already`;
  const folder = patternOf(path)?.folder;
  for (const other of (folder !== undefined && patterns.get(folder)) || []) {
    const common = other.path === undefined ? undefined : commonPath(path, other.path);
    if (common !== undefined)
      return `\`${path}\` of group \`${name}\` and \`${other.path}\` of group \`${other.name}\` (id ${other.id}) both match \`${common}\``;
  }
  return undefined;
}

/** Throws TableError if the group collides with one that is declared. */
export function requireNoConflict(groups: readonly Group[], group: Group): void {
  const conflict = groupConflict(groups, group);
  if (conflict !== undefined) throw new TableError(conflict);
}

export function addGroup(table: Table, group: Group): Table {
  requireNoConflict(table.groups, group);
  return { ...table, groups: [...table.groups, group] };
}

export function deleteGroup(table: Table, name: string): Table {
  const group = requireGroup(table, name);
  return { ...table, groups: table.groups.filter((other) => other !== group) };
}

/** Calls with what the options of the rule say. */
function eachValue({ matches }: Rule, use: (value: Value) => void): void {
  for (const { options } of matches)
    for (let at = 0; at < options.length; at++) use(elementAt(options, at).value);
}

const NO_PATHS: readonly string[] = [];

const pathsIn = perModel((rule) => {
  let paths = NO_PATHS;
  eachValue(rule, (value) => {
    if (value.kind === 'groupPath') paths = [...paths, value.path];
  });
  return paths;
});

/** The paths that the rules name, each once. */
export function pathsInRules({ chains }: Pick<Table, 'chains'>): readonly string[] {
  const paths = new Set<string>();
  for (const { rules } of chains)
    for (let n = 0; n < rules.length; n++)
      for (const path of pathsIn(elementAt(rules, n))) paths.add(path);
  return [...paths];
}

type IdRange = readonly [from: number, to: number];

/** The ids that groups have or rules name; a range up to the top is of all groups, and names none. */
function usedIds(table: Table): readonly IdRange[] {
  const used = table.groups.map(({ id }): IdRange => [id, id]);
  const use = (value: Value) => {
    if (value.kind === 'groupRange' && (value.from === value.to || value.to < MAX_GROUP_ID))
      used.push([value.from, value.to]);
  };
  for (const { rules } of table.chains) for (const rule of rules) eachValue(rule, use);
  return used;
}

/** The ids above `last`, in their order, that none of the tables uses; the top one is for users alone. */
function* freeIds(tables: readonly Table[], last: number): Generator<number, never> {
  const used = tables.flatMap(usedIds).sort(([a], [b]) => a - b);
  let id = last + 1;
  for (const [from, to] of used) {
    for (; id < from && id < MAX_GROUP_ID; id++) yield id;
    id = Math.max(id, to + 1);
  }
  for (; id < MAX_GROUP_ID; id++) yield id;
  throw new TableError('every group id has been used', 'choose a free one with `--id`');
}

/**
 * The lowest id above `last`, the last that the host has given out by itself, that none of the tables
 * uses. Ids that users choose are skipped and move nothing; the top one is theirs alone.
 */
export function nextGroupId(table: Table, last: number, ...others: readonly Table[]): number {
  return freeIds([table, ...others], last).next().value;
}

/**
 * Declares a group for each path that a rule names and no group has; its name is the path, and its id the
 * next above `last` that none of the tables uses.
 */
export function registerPaths(table: Table, last: number, ...others: readonly Table[]): Table {
  const known = new Set(table.groups.map(({ path }) => path));
  const missing = pathsInRules(table).filter((path) => !known.has(path));
  if (missing.length === 0) return table;
  const groups = [...table.groups];
  const free = freeIds([table, ...others], last);
  for (const path of missing) {
    const group = { name: path, id: free.next().value, path };
    requireNoConflict(groups, group);
    groups.push(group);
  }
  return { ...table, groups };
}

/** The group that a control group at the path belongs to: its own or its nearest ancestor's. */
export function groupAt(groups: readonly Group[], path: string): Group | undefined {
  let nearest: Group | undefined;
  for (const group of groups) {
    if (group.path === undefined || !isBelow(path, group.path)) continue;
    if (nearest?.path === undefined || isNearer(group.path, nearest.path)) nearest = group;
  }
  return nearest;
}
