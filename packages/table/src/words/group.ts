/** Groups by name, id and path. */
import { groupAt } from '../group.js';
import { groupsBelow } from '../groupsbelow.js';
import { type Group, MAX_GROUP_ID } from '../table.js';
import { type PathFault, readPath } from './path.js';

/** `web (3)`, `7` where no group has the id, `none (0)`. */
export function groupLabel(groups: readonly Group[], id: number): string {
  if (id === 0) return 'none (0)';
  const group = groups.find((other) => other.id === id);
  return group ? `${group.name} (${id})` : String(id);
}

/** Whether the text stands for a path, and for no group that has it for a name. */
function isPath(text: string, groups: readonly Group[]): boolean {
  return text.startsWith('/') && !groups.some(({ name }) => name === text);
}

/** What is wrong with a caller's path, if it is given by one. */
export function pathFault(text: string, groups: readonly Group[]): PathFault | undefined {
  if (!isPath(text, groups)) return undefined;
  const read = readPath(text);
  return 'fault' in read ? read.fault : undefined;
}

/** The canonical path; what can be none stays as it is, and is no group's. */
function tidyPath(text: string): string {
  const read = readPath(text);
  return 'path' in read ? read.path : text;
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
