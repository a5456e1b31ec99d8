/** Declaring groups: names, ids and paths are each unique. */
import { elementAt } from './element.js';
import { TableError } from './error.js';
import { commonPath, isBelow, isNearer } from './grouppath.js';
import { perModel } from './ruleform.js';
import { type Group, MAX_GROUP_ID, type Rule, type Table } from './table.js';
import type { Value } from './value.js';

/** The group of this name; TableError if there is none. */
export function requireGroup(table: Table, name: string): Group {
  const group = table.groups.find((other) => other.name === name);
  if (!group)
    throw new TableError(`No group by the name \`${name}\`.`, `\`sockfilter group add ${name}\``);
  return group;
}

/** What groups may have only one of, and those whose paths may be patterns. */
class GroupIndex {
  readonly #byName = new Map<string, Group>();
  readonly #byId = new Map<number, Group>();
  readonly #byPath = new Map<string, Group>();
  readonly #patterns: Group[] = [];

  constructor(groups: readonly Group[]) {
    for (const group of groups) this.add(group);
  }

  add(group: Group): void {
    const { name, id, path } = group;
    this.#byName.set(name, group);
    this.#byId.set(id, group);
    if (path === undefined) return;
    this.#byPath.set(path, group);
    if (path.includes('*')) this.#patterns.push(group);
  }

  /** What about the group collides with one of these, in words. */
  conflict({ name, id, path }: Group): string | undefined {
    const named = this.#byName.get(name);
    if (named) return `group \`${name}\` exists already (id ${named.id})`;
    const numbered = this.#byId.get(id);
    if (numbered) return `id ${id} belongs to group \`${numbered.name}\` already`;
    if (path === undefined) return undefined;
    const placed = this.#byPath.get(path);
    if (placed)
      return `path \`${path}\` belongs to group \`${placed.name}\` (id ${placed.id}) already`;
    for (const other of path.includes('*') ? this.#patterns : []) {
      const common = other.path === undefined ? undefined : commonPath(path, other.path);
      if (common !== undefined)
        return `\`${path}\` of group \`${name}\` and \`${other.path}\` of group \`${other.name}\` (id ${other.id}) both match \`${common}\``;
    }
    return undefined;
  }
}

/** Of the lists of tables, to which groups are added one by one. */
const INDICES = new WeakMap<readonly Group[], GroupIndex>();

function indexOf(groups: readonly Group[]): GroupIndex {
  const index = INDICES.get(groups) ?? new GroupIndex(groups);
  INDICES.set(groups, index);
  return index;
}

/** What about the group collides with one that is declared, in words. */
export function groupConflict(groups: readonly Group[], group: Group): string | undefined {
  return new GroupIndex(groups).conflict(group);
}

export function addGroup(table: Table, group: Group): Table {
  const index = indexOf(table.groups);
  const conflict = index.conflict(group);
  if (conflict !== undefined) throw new TableError(conflict);
  const groups = [...table.groups, group];
  // The index goes on with the longer list; another one is made should somebody add to the shorter one again.
  INDICES.delete(table.groups);
  index.add(group);
  INDICES.set(groups, index);
  return { ...table, groups };
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

/**
 * The lowest id above `last`, the last that the host has given out by itself, that none of the tables
 * uses. Ids that users choose are skipped and move nothing; the top one is theirs alone.
 */
export function nextGroupId(table: Table, last: number, ...others: readonly Table[]): number {
  const used = [table, ...others].flatMap(usedIds).sort(([a], [b]) => a - b);
  const next = used.reduce((id, [from, to]) => (from <= id && id <= to ? to + 1 : id), last + 1);
  if (next >= MAX_GROUP_ID)
    throw new TableError('every group id has been used', 'choose a free one with `--id`');
  return next;
}

/**
 * Declares a group for each path that a rule names and no group has; its name is the path, and its id the
 * next above `last` that none of the tables uses.
 */
export function registerPaths(table: Table, last: number, ...others: readonly Table[]): Table {
  let given = last;
  return pathsInRules(table)
    .filter((path) => !table.groups.some((group) => group.path === path))
    .reduce((known, path) => {
      given = nextGroupId(known, given, ...others);
      return addGroup(known, { name: path, id: given, path });
    }, table);
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
