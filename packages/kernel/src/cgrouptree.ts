/** The tree of control groups: where it is, and every control group in it. */
import { readdirSync, readFileSync, type Stats, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { close, type Fd, openCgroup, openDirectory } from '@sockfilter/bpf';
import { dropEntry, groupEntries, makeEntry, retireEntry } from './groupmap.js';
import { keyPattern, type Registered } from './pathmap.js';
import { using } from './pins.js';

/** Where the tree of control groups is, and the part of it that is policed. */
export interface Tree {
  /** The mount point of cgroup2. */
  readonly mount: string;
  /** The policed cgroup's path below it, `/` for all. */
  readonly root: string;
}

/** The body's result, or undefined where it finds that a control group has gone. */
function unlessGone<T>(body: () => T): T | undefined {
  try {
    return body();
  } catch (error) {
    const code = typeof error === 'object' && error && 'code' in error ? error.code : undefined;
    if (code !== 'ENOENT' && code !== 'ENODEV') throw error;
    return undefined;
  }
}

/** The directory's inode, which is the cgroup, and its links; undefined if it is none or is gone. */
function cgroupAt(path: string | Buffer): Stats | undefined {
  const found = unlessGone(() => statSync(path, { throwIfNoEntry: false }));
  return found?.isDirectory() ? found : undefined;
}

/** The policed cgroup's id; throws if it is gone. */
export function rootCgroup({ mount, root }: Tree): number {
  return statSync(join(mount, root)).ino;
}

/** The names in a directory. Names are bytes (latin1): who may make control groups may give any. */
function folderNames(folder: string): readonly string[] {
  const entries = readdirSync(folder, { withFileTypes: true, encoding: 'latin1' });
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
}

function below(folder: string | Buffer, name: string): Buffer {
  return Buffer.concat([Buffer.from(folder), Buffer.from(`/${name}`, 'latin1')]);
}

/** The control groups that are there now at what is registered; a path goes before a pattern. */
export function registeredCgroups(
  { mount }: Tree,
  registered: Registered,
): ReadonlyMap<number, number> {
  const own = new Map<number, number>();
  const latin1 = (text: string) => Buffer.from(text).toString('latin1');
  const exact: (readonly [number, number])[] = [];
  for (const [text, id] of registered) {
    const pattern = keyPattern(text);
    if (!pattern) {
      const cgroup = cgroupAt(join(mount, text))?.ino;
      if (cgroup !== undefined) exact.push([cgroup, id]);
      continue;
    }
    const folder = join(mount, pattern.folder);
    const [prefix, suffix] = [latin1(pattern.prefix), latin1(pattern.suffix)];
    for (const name of unlessGone(() => folderNames(folder)) ?? []) {
      if (name.length < prefix.length + suffix.length) continue;
      if (!name.startsWith(prefix) || !name.endsWith(suffix)) continue;
      const cgroup = cgroupAt(below(folder, name))?.ino;
      if (cgroup !== undefined) own.set(cgroup, id);
    }
  }
  for (const [cgroup, id] of exact) own.set(cgroup, id);
  return own;
}

/**
 * Returns when every mkdir and rmdir of a cgroup that was under way has ended. Enabling controllers
 * takes the mutex that they hold, cgroup_mutex, also where it names none.
 */
export function passBarrier(tree: Tree): void {
  writeFileSync(join(tree.mount, tree.root, 'cgroup.subtree_control'), '\n');
}

/** Of a directory without subdirectories; each of them has a link to it. */
const LEAF_LINKS = 2;

/** Takes a control group in; returns what its directory was last seen to be, if it is there still. */
type Enter = (path: Buffer, found: Stats, parent: number) => Stats | undefined;

/**
 * Visits every control group below the root, each after its parent. Directories are opened by the ids
 * of their cgroups, one at a time: neither depth nor names cost stack or descriptors.
 */
function walkTree(tree: Tree, mount: Fd, enter: Enter): void {
  const waiting = [rootCgroup(tree)];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const parent = next;
    const fd = openCgroup(mount, BigInt(parent));
    if (fd === undefined) continue;
    using(fd, () => {
      const folder = `/proc/self/fd/${fd}`;
      for (const name of unlessGone(() => folderNames(folder)) ?? []) {
        const path = below(folder, name);
        const found = cgroupAt(path);
        const seen = found && enter(path, found, parent);
        if (seen && seen.nlink > LEAF_LINKS) waiting.push(seen.ino);
      }
    });
  }
}

interface Maps {
  readonly groups: Fd;
  readonly removed: Fd;
}

/** Makes an entry for those that have none; returns how many it made, and all control groups it met. */
function makeEntries({ groups }: Maps, tree: Tree, mount: Fd) {
  const root = rootCgroup(tree);
  const met = new Set([root]);
  let made = makeEntry(groups, root, 0) ? 1 : 0;
  walkTree(tree, mount, (path, found, parent) => {
    if (makeEntry(groups, found.ino, parent)) {
      made++;
      // If it was removed before its entry was made, nobody else would remove that.
      const now = cgroupAt(path);
      if (now?.ino !== found.ino) {
        dropEntry(groups, found.ino);
        return undefined;
      }
      met.add(found.ino);
      return now;
    }
    met.add(found.ino);
    return found;
  });
  return { made, met };
}

/** Entries of what was removed while no program saw it. */
function retireRemoved(maps: Maps, met: ReadonlySet<number>, mount: Fd): void {
  for (const entry of [...groupEntries(maps.groups)]) {
    if (met.has(entry.cgroup)) continue;
    const fd = openCgroup(mount, BigInt(entry.cgroup));
    if (fd === undefined) retireEntry(maps, entry);
    else close(fd);
  }
}

/** Walks at most; what is made faster than that has no entry, and fails closed. */
const WALKS = 8;

/**
 * Makes an entry for every control group of the tree. The programs see those that come and go
 * meanwhile, and give an entry to a new one whose parent has one. So walks go on until one has
 * nothing to do after a barrier.
 */
export function adoptCgroups(maps: Maps, tree: Tree): void {
  using(openDirectory(tree.mount), (mount) => {
    for (let walk = 0; walk < WALKS; walk++) {
      const { made, met } = makeEntries(maps, tree, mount);
      if (walk === 0) retireRemoved(maps, met, mount);
      else if (made === 0) return;
      passBarrier(tree);
    }
  });
}

/** A control group with threads of its own alone has its processes where its domain is. */
const THREADED = ['EOPNOTSUPP', 'ENOTSUP'];

function processesIn(folder: Buffer): number {
  try {
    const text = unlessGone(() => readFileSync(below(folder, 'cgroup.procs'), 'utf8'));
    return text?.match(/\d+/g)?.length ?? 0;
  } catch (error) {
    const code = typeof error === 'object' && error && 'code' in error ? error.code : undefined;
    if (typeof code === 'string' && THREADED.includes(code)) return 0;
    throw error;
  }
}

/** How many processes the control groups of each network_id have; nothing of ids that none has. */
export function countProcesses(groups: Fd, tree: Tree, slot: number): ReadonlyMap<number, number> {
  const ids = new Map<number, number>();
  for (const entry of groupEntries(groups)) ids.set(entry.cgroup, entry.ids[slot] ?? 0);
  const counts = new Map<number, number>();
  const count = (folder: Buffer, cgroup: number) => {
    const id = ids.get(cgroup) ?? 0;
    if (id !== 0) counts.set(id, (counts.get(id) ?? 0) + processesIn(folder));
  };
  count(Buffer.from(join(tree.mount, tree.root)), rootCgroup(tree));
  using(openDirectory(tree.mount), (mount) =>
    walkTree(tree, mount, (path, found) => {
      count(path, found.ino);
      return found;
    }),
  );
  return counts;
}
