/** What a commit makes ready before the new generation is in force: hooks that are attached, ids of groups. */
import { type Assignment, assignGroups, hasUnassigned, nextAssignment } from './assignment.js';
import { replacePrograms } from './attaching.js';
import { detach, inspectHook } from './attachment.js';
import { adoptCgroups, type Tree } from './cgrouptree.js';
import type { Header } from './header.js';
import { ANSWER_HOOKS, CALL_HOOKS, type Hook, TRACEPOINTS } from './hooks.js';
import type { Maps } from './maps.js';
import { attachMissing, attachPossible } from './missinghooks.js';
import { type Registered, registeredPaths } from './pathmap.js';
import type { Pins } from './pins.js';
import { programDigest } from './programs.js';

/** From what to what a commit goes. */
export interface Transition {
  /** Of the generation in force. */
  readonly last: Header;
  /** The groups that are to be; undefined where these are those in force. */
  readonly wanted: Registered | undefined;
  /** Whether the table that is to be has work for the hook. */
  readonly needs: (hook: Hook) => boolean;
  /** Whether ids are mended that are not what the groups say, as somebody has changed the map. */
  readonly mendsIds: boolean;
}

function sameEntries(a: Registered, b: Registered): boolean {
  return a.size === b.size && [...a].every(([path, id]) => b.get(path) === id);
}

/**
 * Attaches what is missing and sees to it that all cgroups have their ids; returns which hold. Throws
 * BpfError and CapacityError.
 */
export function prepareRoot(
  pins: Pins,
  tree: Tree,
  maps: Maps,
  { last, wanted, needs, mendsIds }: Transition,
): Assignment {
  const ids: Assignment = { slot: last.idSlot, epoch: last.idEpoch };
  const inForce = () => registeredPaths(maps.paths, ids.slot);
  const isWhole = [...TRACEPOINTS, ...CALL_HOOKS.filter(({ needed }) => needed === 'always')].every(
    (hook) => inspectHook(pins, tree, hook).attached,
  );
  attachMissing(pins, tree, maps, TRACEPOINTS);
  // A root that was made again, and what lies below it, has no ids yet. They come before the hooks:
  // an interruption leaves a hook detached, so that the next commit comes here again.
  if (last.textBytes === 0 || !isWhole) {
    adoptCgroups(maps, tree);
    assignGroups(maps, tree, ids, inForce());
  }
  const needed = CALL_HOOKS.filter(needs);
  attachMissing(pins, tree, maps, needed);
  if (last.programs !== programDigest()) {
    replacePrograms(pins, tree, maps, [...TRACEPOINTS, ...needed]);
    for (const hook of ANSWER_HOOKS) detach(pins, hook);
  }
  attachPossible(pins, tree, maps, ANSWER_HOOKS.filter(needs));
  if (!wanted) return ids;
  if (sameEntries(inForce(), wanted)) {
    if (mendsIds && hasUnassigned(maps.groups, tree, ids, wanted))
      assignGroups(maps, tree, ids, wanted);
    return ids;
  }
  const next = nextAssignment(ids);
  assignGroups(maps, tree, next, wanted);
  return next;
}
