/**
 * Assigning network_ids to the control groups that have an entry: in a slot that no generation reads,
 * under a number of its own. `groups` holds the whole tree, so that what a tenant makes of it costs no
 * more than its entries: neither paths nor directories are walked.
 */
import { randomInt } from 'node:crypto';
import type { Fd } from '@sockfilter/bpf';
import { passBarrier, registeredCgroups, rootCgroup, type Tree } from './cgrouptree.js';
import { type GroupEntry, groupEntries, replaceEntry, withSlot } from './groupmap.js';
import { FIRST_EPOCH } from './layout.js';
import { keyPattern, type Registered, registerPaths } from './pathmap.js';

/** A slot of ids, and the number of the assignment that it holds. */
export interface Assignment {
  readonly slot: number;
  readonly epoch: number;
}

/** An assignment to the slot that is not in force. An interrupted one's number is not given again. */
export function nextAssignment({ slot }: Assignment): Assignment {
  return { slot: 1 - slot, epoch: randomInt(FIRST_EPOCH + 1, 2 ** 32) };
}

interface Maps {
  readonly groups: Fd;
  readonly paths: Fd;
  readonly shapes: Fd;
}

/** The id that the policed cgroup has from the nearest of its registered ancestors, or its own. */
function inheritedBy(root: string, registered: Registered): number {
  const names = root === '/' ? [] : root.slice(1).split('/');
  let id = registered.get('/') ?? 0;
  names.forEach((name, at) => {
    const folder = names
      .slice(0, at)
      .map((each) => `/${each}`)
      .join('');
    id = registered.get(`${folder}/${name}`) ?? matching(registered, folder, name) ?? id;
  });
  return id;
}

function matching(registered: Registered, folder: string, name: string): number | undefined {
  for (const [text, id] of registered) {
    const pattern = keyPattern(text);
    if (pattern?.folder !== folder) continue;
    const { prefix, suffix } = pattern;
    if (name.length < prefix.length + suffix.length) continue;
    if (name.startsWith(prefix) && name.endsWith(suffix)) return id;
  }
  return undefined;
}

/**
 * The id of each entry: its own, else its nearest ancestor's. Entries that no known one is above are
 * missing.
 */
function resolveIds(
  entries: readonly GroupEntry[],
  own: ReadonlyMap<number, number>,
): ReadonlyMap<number, number> {
  const byCgroup = new Map(entries.map((entry) => [entry.cgroup, entry]));
  const ids = new Map(own);
  for (const entry of entries) {
    const path: number[] = [];
    let at: GroupEntry | undefined = entry;
    while (at && !ids.has(at.cgroup)) {
      path.push(at.cgroup);
      at = byCgroup.get(at.parent);
    }
    const id = at && ids.get(at.cgroup);
    if (id !== undefined) for (const cgroup of path) ids.set(cgroup, id);
  }
  return ids;
}

/** An entry that does not hold the id that its control group is to have. */
export interface Unassigned {
  readonly entry: GroupEntry;
  readonly id: number;
}

/** Those of the entries. */
export function* unassigned(
  groups: Fd,
  tree: Tree,
  { slot, epoch }: Assignment,
  registered: Registered,
): Generator<Unassigned> {
  // Entries first: one that is made later has its ids from its path already.
  const entries = [...groupEntries(groups)];
  const own = new Map(registeredCgroups(tree, registered));
  own.set(rootCgroup(tree), inheritedBy(tree.root, registered));
  const ids = resolveIds(entries, own);
  for (const entry of entries) {
    const id = ids.get(entry.cgroup);
    if (id === undefined || (entry.ids[slot] === id && entry.epochs[slot] === epoch)) continue;
    yield { entry, id };
  }
}

/** Whether there is one. */
export function hasUnassigned(...kernel: Parameters<typeof unassigned>): boolean {
  return unassigned(...kernel).next().done === false;
}

/** Sets the slot of every entry that it does not hold for yet; returns how many those were. */
function assignOnce(
  { groups }: Maps,
  tree: Tree,
  assignment: Assignment,
  registered: Registered,
): number {
  const { slot, epoch } = assignment;
  let changed = 0;
  for (const { entry, id } of unassigned(groups, tree, assignment, registered)) {
    const next = withSlot(entry.ids, slot, id);
    replaceEntry(groups, { ...entry, ids: next, epochs: withSlot(entry.epochs, slot, epoch) });
    changed++;
  }
  return changed;
}

/** Passes at most: who makes control groups faster than that has some that fail closed. */
const PASSES = 8;

/**
 * Registers paths and gives every control group its id. One that is made meanwhile inherits what its
 * parent has by then, and what it inherited is of another assignment if it comes too early. A pass
 * that finds nothing to do after a barrier says that there is no such one, and will be none.
 */
export function assignGroups(
  maps: Maps,
  tree: Tree,
  assignment: Assignment,
  registered: Registered,
): void {
  registerPaths(maps, assignment.slot, registered);
  for (let pass = 0; pass < PASSES; pass++) {
    const changed = assignOnce(maps, tree, assignment, registered);
    if (pass > 0 && changed === 0) return;
    passBarrier(tree);
  }
}
