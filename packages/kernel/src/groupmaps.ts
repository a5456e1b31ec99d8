/**
 * The network_ids of control groups, in two maps: `groups` by cgroup and `paths` by registered path.
 *
 * An entry has an id for each of two slots, and the generation in force says which slot holds. A
 * commit that changes groups fills the other slot in, then swaps: ids and rules change at once.
 */
import { constants, openSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  BPF_EXIST,
  BPF_F_NO_PREALLOC,
  BPF_NOEXIST,
  BpfError,
  createMap,
  entries,
  type Fd,
  lookup,
  remove,
  update,
} from '@sockfilter/bpf';
import { type Group, groupAt, isBelow, TableError } from '@sockfilter/table';
import { CapacityError } from './capacity.js';
import { GROUP_VALUE, MAX_CGROUPS, MAX_PATHS, PATH_BYTES, PATH_VALUE_BYTES } from './layout.js';
import { using } from './pins.js';

const CGROUP_KEY_BYTES = 8;
const EEXIST = 17;
const ENOENT = 2;
const E2BIG = 7;

export function createGroupMap(): Fd {
  return createMap({
    type: 'hash',
    name: 'sf_groups',
    keySize: CGROUP_KEY_BYTES,
    valueSize: GROUP_VALUE.bytes,
    maxEntries: MAX_CGROUPS,
  });
}

export function createPathMap(): Fd {
  return createMap({
    type: 'hash',
    name: 'sf_paths',
    keySize: PATH_BYTES,
    valueSize: PATH_VALUE_BYTES,
    maxEntries: MAX_PATHS,
    flags: BPF_F_NO_PREALLOC,
  });
}

type Ids = readonly [number, number];

/** The ids at an offset of an entry's value. */
function decodeIds(bytes: Uint8Array, at: number): Ids {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return [view.getUint32(at, true), view.getUint32(at + 4, true)];
}

function encodePathValue(ids: Ids): Uint8Array {
  const view = new DataView(new ArrayBuffer(PATH_VALUE_BYTES));
  ids.forEach((id, slot) => {
    view.setUint32(4 * slot, id, true);
  });
  return new Uint8Array(view.buffer);
}

/** The entry of a cgroup. */
export function encodeGroupValue(cgroup: bigint, ids: Ids): Uint8Array {
  const value = new Uint8Array(GROUP_VALUE.bytes);
  new DataView(value.buffer).setBigUint64(GROUP_VALUE.cgroup, cgroup, true);
  value.set(encodePathValue(ids), GROUP_VALUE.ids);
  return value;
}

function withId(ids: Ids, slot: number, id: number): Ids {
  return slot === 0 ? [id, ids[1]] : [ids[0], id];
}

function pathKey(path: string): Uint8Array {
  const key = new Uint8Array(PATH_BYTES);
  key.set(Buffer.from(path, 'utf8'));
  return key;
}

function cgroupKey(id: bigint): Uint8Array {
  const key = new Uint8Array(CGROUP_KEY_BYTES);
  new DataView(key.buffer).setBigUint64(0, id, true);
  return key;
}

/** The groups that have a path; throws if one can't be policed from `root`, or is too long. */
export function groupsWithPath(
  groups: readonly Group[],
  root: string,
): ReadonlyMap<string, number> {
  const ids = new Map<string, number>();
  for (const { name, id, path } of groups) {
    if (path === undefined) continue;
    if (!isBelow(path, root) && !isBelow(root, path))
      throw new TableError(
        `group \`${name}\`: \`${path}\` lies outside of \`${root}\``,
        'rules police what lies below --root alone',
      );
    const bytes = Buffer.byteLength(path);
    // One NUL at the end, and one byte that tells a path of full length from one that was cut.
    if (bytes > PATH_BYTES - 2) throw new CapacityError('bytes in a path', bytes, PATH_BYTES - 2);
    ids.set(path, id);
  }
  if (ids.size > MAX_PATHS) throw new CapacityError('registered paths', ids.size, MAX_PATHS);
  return ids;
}

/** The registered paths and their ids in a slot. */
export function registeredPaths(paths: Fd, slot: number): ReadonlyMap<string, number> {
  const result = new Map<string, number>();
  const sizes = { keySize: PATH_BYTES, valueSize: PATH_VALUE_BYTES };
  for (const { key, value } of entries(paths, sizes)) {
    const id = decodeIds(value, 0)[slot] ?? 0;
    const path = Buffer.from(key).toString('utf8');
    if (id !== 0) result.set(path.slice(0, path.indexOf('\0')), id);
  }
  return result;
}

/** Makes the slot of the registered paths say exactly these; the other slot keeps what it says. */
function registerPaths(paths: Fd, slot: number, wanted: ReadonlyMap<string, number>): void {
  const sizes = { keySize: PATH_BYTES, valueSize: PATH_VALUE_BYTES };
  for (const { key, value } of [...entries(paths, sizes)]) {
    const path = Buffer.from(key).toString('utf8');
    if (wanted.has(path.slice(0, path.indexOf('\0')))) continue;
    const ids = withId(decodeIds(value, 0), slot, 0);
    if (ids[0] === 0 && ids[1] === 0) remove(paths, key);
    else update(paths, key, encodePathValue(ids), BPF_EXIST);
  }
  for (const [path, id] of wanted) {
    const key = pathKey(path);
    const known = lookup(paths, key, PATH_VALUE_BYTES);
    update(paths, key, encodePathValue(withId(known ? decodeIds(known, 0) : [0, 0], slot, id)));
  }
}

/** Sets the slot of a cgroup's entry; a cgroup that has none gets the id in both slots. */
function setCgroup(groups: Fd, cgroup: bigint, slot: number, id: number): void {
  const key = cgroupKey(cgroup);
  for (;;) {
    const known = lookup(groups, key, GROUP_VALUE.bytes);
    const old = known && decodeIds(known, GROUP_VALUE.ids);
    if (old?.[slot] === id) return;
    const value = encodeGroupValue(cgroup, old ? withId(old, slot, id) : [id, id]);
    try {
      // The programs add and remove entries meanwhile; an entry that is gone must stay gone.
      update(groups, key, value, known ? BPF_EXIST : BPF_NOEXIST);
      return;
    } catch (error) {
      if (!(error instanceof BpfError)) throw error;
      if (error.errno === E2BIG)
        throw new CapacityError('control groups', MAX_CGROUPS + 1, MAX_CGROUPS);
      if (error.errno === ENOENT) return;
      if (error.errno !== EEXIST) throw error;
    }
  }
}

/** Runs the body, which may find that a control group has gone. */
function ignoreGone(body: () => void): void {
  try {
    body();
  } catch (error) {
    const code = typeof error === 'object' && error && 'code' in error ? error.code : undefined;
    if (code !== 'ENOENT') throw error;
  }
}

/** Where the tree of control groups is, and the part of it that is policed. */
export interface Tree {
  /** The mount point of cgroup2. */
  readonly mount: string;
  /** The policed cgroup's path below it, `/` for all. */
  readonly root: string;
}

/** A path with so many bytes is left for a descriptor's: PATH_MAX bounds none in a tree. */
const LONG_PATH = 2048;

/**
 * Sets the slot of every cgroup of the tree. Paths are strings of bytes (latin1) in here: who may make
 * control groups may give them any name and any depth, and must not be passed over for that.
 */
function scan(groups: Fd, tree: Tree, slot: number, wanted: ReadonlyMap<string, number>): void {
  const bytesOf = (path: string) => Buffer.from(path).toString('latin1');
  const ids = new Map([...wanted].map(([path, id]) => [bytesOf(path), id]));
  const visit = (path: string, folder: Buffer, inherited: number): void => {
    if (folder.length > LONG_PATH) {
      const fd = openSync(folder, constants.O_RDONLY | constants.O_DIRECTORY);
      using(fd, () => visit(path, Buffer.from(`/proc/self/fd/${fd}`), inherited));
      return;
    }
    const id = ids.get(path) ?? inherited;
    setCgroup(groups, statSync(folder, { bigint: true }).ino, slot, id);
    for (const entry of readdirSync(folder, { withFileTypes: true, encoding: 'latin1' })) {
      if (!entry.isDirectory()) continue;
      const below = Buffer.concat([folder, Buffer.from(`/${entry.name}`, 'latin1')]);
      ignoreGone(() => visit(`${path === '/' ? '' : path}/${entry.name}`, below, id));
    }
  };
  const root = join(tree.mount, tree.root);
  visit(bytesOf(tree.root), Buffer.from(root), inheritedBy(tree.root, wanted));
}

/** The id that the policed cgroup has from the nearest of its registered ancestors. */
function inheritedBy(root: string, wanted: ReadonlyMap<string, number>): number {
  const above = [...wanted].map(([path, id]): Group => ({ name: path, path, id }));
  return groupAt(above, root)?.id ?? 0;
}

/**
 * Returns when every mkdir of a cgroup that was under way has ended. Enabling controllers takes the
 * mutex that mkdir holds, cgroup_mutex, also where it names none.
 */
function passBarrier(tree: Tree): void {
  writeFileSync(join(tree.mount, tree.root, 'cgroup.subtree_control'), '\n');
}

/**
 * Gives every cgroup of the tree its id in the slot. One that is made meanwhile has it from its
 * first instant; the second scan is for those whose mkdir had read its parent's entry before the
 * first scan wrote it.
 */
export function assignGroups(
  maps: { readonly groups: Fd; readonly paths: Fd },
  tree: Tree,
  slot: number,
  wanted: ReadonlyMap<string, number>,
): void {
  registerPaths(maps.paths, slot, wanted);
  scan(maps.groups, tree, slot, wanted);
  passBarrier(tree);
  scan(maps.groups, tree, slot, wanted);
}

/** How many control groups have an entry. */
export function countCgroups(groups: Fd): number {
  let count = 0;
  const sizes = { keySize: CGROUP_KEY_BYTES, valueSize: GROUP_VALUE.bytes };
  for (const _ of entries(groups, sizes)) count++;
  return count;
}
