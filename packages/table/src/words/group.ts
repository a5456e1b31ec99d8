/** Groups by name, id and path. */
import { groupAt } from '../group.js';
import { type Group, groupsBelow, MAX_GROUP_ID } from '../table.js';

/** `web (3)`, `7` where no group has the id, `none (0)`. */
export function groupLabel(groups: readonly Group[], id: number): string {
  if (id === 0) return 'none (0)';
  const group = groups.find((other) => other.id === id);
  return group ? `${group.name} (${id})` : String(id);
}

/** The path without slashes at its end. */
function tidyPath(path: string): string {
  return path.length > 1 ? path.replace(/\/+$/, '') || '/' : path;
}

/**
 * The network_id of one caller: a declared group's name, `none`, an id, or the path of a control
 * group, which has its own group's or its nearest ancestor's. Undefined for an unknown name.
 */
export function readGroupId(text: string, groups: readonly Group[]): number | undefined {
  const named = groups.find(({ name }) => name === text);
  if (named) return named.id;
  if (text === 'none') return 0;
  if (text.startsWith('/')) return groupAt(groups, tidyPath(text))?.id ?? 0;
  const id = Number(text);
  return /^\d+$/.test(text) && id <= MAX_GROUP_ID ? id : undefined;
}

/** The network_ids of callers in the control group at the path and in all below it. */
export function idsWithin(path: string, groups: readonly Group[]): readonly number[] {
  const at = tidyPath(path);
  const own = groupAt(groups, at)?.id ?? 0;
  return [...new Set([own, ...groupsBelow(groups, at).map(({ id }) => id)])];
}

/** What could have been meant, for messages. */
export function knownGroups(groups: readonly Group[]): string {
  const names = groups.map(({ name }) => name);
  const known = names.length > 8 ? [...names.slice(0, 8), '...'] : names;
  return known.length === 0 ? 'no group is declared' : `the groups are ${known.join(', ')}`;
}
