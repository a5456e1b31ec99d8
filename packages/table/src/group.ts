/** Declaring groups: names, ids and paths are each unique. */
import { TableError } from './error.js';
import { commonPath, isBelow, isNearer } from './grouppath.js';
import { type Group, MAX_GROUP_ID, type Rule, type Table } from './table.js';

/** The group of this name; TableError if there is none. */
export function requireGroup(table: Table, name: string): Group {
  const group = table.groups.find((other) => other.name === name);
  if (!group)
    throw new TableError(`No group by the name \`${name}\`.`, `\`sockfilter group add ${name}\``);
  return group;
}

/** What about the group collides with one that is declared, in words. */
export function groupConflict(groups: readonly Group[], group: Group): string | undefined {
  for (const other of groups) {
    if (other.name === group.name) return `group \`${group.name}\` exists already (id ${other.id})`;
    if (other.id === group.id) return `id ${group.id} belongs to group \`${other.name}\` already`;
    if (group.path !== undefined && other.path === group.path)
      return `path \`${group.path}\` belongs to group \`${other.name}\` (id ${other.id}) already`;
    const common =
      group.path !== undefined && other.path !== undefined
        ? commonPath(group.path, other.path)
        : undefined;
    if (common !== undefined)
      return `\`${group.path}\` of group \`${group.name}\` and \`${other.path}\` of group \`${other.name}\` (id ${other.id}) both match \`${common}\``;
  }
  return undefined;
}

export function addGroup(table: Table, group: Group): Table {
  const conflict = groupConflict(table.groups, group);
  if (conflict !== undefined) throw new TableError(conflict);
  return { ...table, groups: [...table.groups, group] };
}

export function deleteGroup(table: Table, name: string): Table {
  const group = requireGroup(table, name);
  return { ...table, groups: table.groups.filter((other) => other !== group) };
}

function rulesOf(table: Table): readonly Rule[] {
  return table.chains.flatMap((chain) => chain.rules);
}

const optionValues = (rule: Rule) =>
  rule.matches.flatMap((match) => match.options.map((option) => option.value));

/** The ids that the rules name, in no order; of a range both ends. */
export function idsInRules(table: Table): readonly number[] {
  return rulesOf(table)
    .flatMap(optionValues)
    .flatMap((value) => (value.kind === 'groupRange' ? [value.from, value.to] : []));
}

/** The paths that the rules name, each once. */
export function pathsInRules(table: Table): readonly string[] {
  const paths = rulesOf(table)
    .flatMap(optionValues)
    .flatMap((value) => (value.kind === 'groupPath' ? [value.path] : []));
  return [...new Set(paths)];
}

/**
 * The lowest id above every id that was ever used: `highMark` (the highest that the host remembers),
 * those declared, and those that rules name. The top of the range is left to the user's own choice.
 */
export function nextGroupId(table: Table, highMark: number): number {
  const used = [...table.groups.map(({ id }) => id), ...idsInRules(table)];
  const next = used
    .filter((id) => id < MAX_GROUP_ID)
    .reduce((highest, id) => Math.max(highest, id), highMark);
  if (next >= MAX_GROUP_ID - 1)
    throw new TableError('every group id has been used', 'choose a free one with `--id`');
  return next + 1;
}

/** Declares a group for each path that a rule names and no group has; its name is the path. */
export function registerPaths(table: Table, highMark: number): Table {
  return pathsInRules(table)
    .filter((path) => !table.groups.some((group) => group.path === path))
    .reduce(
      (known, path) => addGroup(known, { name: path, id: nextGroupId(known, highMark), path }),
      table,
    );
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
