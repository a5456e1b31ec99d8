/**
 * Named sets in the kernel: each is a map of its own in a slot of the pin `sets`, or `nets` if its elements are
 * networks. A generation says which slot each of its sets has, so that sets change at once with rules; and an
 * element that is added to a set in force is one update of its map.
 *
 * Comments, which no program looks at, are in maps of their own in the same slots of the pin `comments`. One is written
 * before its element and removed after it, so that what is interrupted leaves at most a comment of nothing.
 */
import {
  BPF_F_NO_PREALLOC,
  BpfError,
  close,
  createMap,
  entries,
  type Fd,
  lookup,
  lookupBatch,
  type MapSpec,
  mapById,
  remove,
  update,
  updateBatch,
} from '@sockfilter/bpf';
import {
  elementAt,
  fullSet,
  type NamedSet,
  replacing,
  type SetElement,
  TableError,
} from '@sockfilter/table';
import { bootTime } from './bootclock.js';
import { DamageError } from './damage.js';
import { SET_COMMENT, SET_KEY, SET_SLOTS, SET_VALUE } from './layout.js';
import { using } from './pins.js';
import {
  commentKey,
  decode,
  decodeComment,
  encodeComment,
  encodeKey,
  encodeValue,
  KINDS,
  keyStart,
  kindOf,
  readWord,
  type SetKind,
  writeKey,
  writeValue,
} from './setentry.js';
import { slotKey } from './slotkey.js';

/** A full hash, and a full trie. */
const FULL = [7, 28];
/** The maps of maps by kind, and that of comments; releases before format 13 have none of these. */
export type SetMaps = Readonly<Record<SetKind, Fd>> & { readonly comments: Fd | undefined };

function specOf(kind: keyof SetMaps, maxEntries: number): MapSpec {
  const sizes =
    kind === 'comments'
      ? ({ type: 'hash', keySize: SET_KEY.bytes, valueSize: SET_COMMENT.bytes } as const)
      : { ...KINDS[kind], valueSize: SET_VALUE.bytes };
  return { ...sizes, name: `sf_${kind}`, maxEntries, flags: BPF_F_NO_PREALLOC };
}

/** The map of all sets of a kind, or of all comments. */
export function createSetMaps(kind: keyof SetMaps): Fd {
  return using(createMap(specOf(kind, 1)), (innerMapFd) =>
    createMap({
      type: 'array_of_maps',
      name: `sf_all_${kind}`,
      keySize: 4,
      valueSize: 4,
      maxEntries: SET_SLOTS,
      innerMapFd,
    }),
  );
}

/** The slot of each set of a table. */
export type SetSlots = readonly number[];

/** Which set of the table before each set goes on, with what that holds; undefined: it begins anew. */
export type SetOrigins = readonly (number | undefined)[];

function* entriesOf(fd: Fd, kind: SetKind) {
  const sizes = { keySize: KINDS[kind].keySize, valueSize: SET_VALUE.bytes };
  yield* kind === 'nets' ? entries(fd, sizes) : lookupBatch(fd, sizes);
}

const order = (a: SetElement, b: SetElement) =>
  (a.address < b.address ? -1 : a.address > b.address ? 1 : 0) ||
  a.prefix - b.prefix ||
  a.protocol - b.protocol ||
  a.port - b.port;

/** A map of the comments of the set's elements. */
function makeComments(set: NamedSet): Fd {
  const fd = createMap(specOf('comments', set.maxelem));
  try {
    for (const element of set.elements)
      if (element.comment !== undefined)
        update(fd, commentKey(set, element), encodeComment(element.comment));
  } catch (error) {
    close(fd);
    throw error;
  }
  return fd;
}

/** A map of the set with its elements. */
function makeSet(set: NamedSet, now: bigint): Fd {
  const fd = createMap(specOf(kindOf(set), set.maxelem));
  const { elements } = set;
  const start = keyStart(set);
  const keySize = SET_KEY.bytes - start;
  const keys = new Uint8Array(keySize * elements.length);
  const values = new Uint8Array(SET_VALUE.bytes * elements.length);
  const [keyView, valueView] = [new DataView(keys.buffer), new DataView(values.buffer)];
  elements.forEach((element, n) => {
    writeKey(keyView, keySize * n - start, set, element);
    writeValue(valueView, SET_VALUE.bytes * n, set, element, now);
  });
  try {
    updateBatch(fd, keys, values, elements.length);
  } catch (error) {
    close(fd);
    throw error;
  }
  return fd;
}

function openSlot(map: Fd, { name }: NamedSet, slot: number): Fd {
  const id = lookup(map, slotKey(slot), 4);
  const fd = id && mapById(new DataView(id.buffer).getUint32(0, true));
  if (fd === undefined)
    throw new DamageError(
      `what set \`${name}\` holds is gone`,
      'save the rules, run `sockfilter teardown`, and restore them',
    );
  return fd;
}

/**
 * Opens the map of a set in the slot, and that of its comments if it can have some, for `use`. Throws DamageError if
 * there is none.
 */
function withSetMap<T>(
  maps: SetMaps,
  set: NamedSet,
  slot: number,
  use: (fd: Fd, comments: Fd | undefined) => T,
): T {
  return using(openSlot(maps[kindOf(set)], set, slot), (fd) =>
    set.comments && maps.comments !== undefined
      ? using(openSlot(maps.comments, set, slot), (comments) => use(fd, comments))
      : use(fd, undefined),
  );
}

const latin1 = (key: Uint8Array) => Buffer.from(key).toString('latin1');

/** The comments in a map, by their keys in Latin-1. */
function readComments(fd: Fd): ReadonlyMap<string, string> {
  const sizes = { keySize: SET_KEY.bytes, valueSize: SET_COMMENT.bytes };
  return new Map(
    [...lookupBatch(fd, sizes)].map(({ key, value }) => [latin1(key), decodeComment(value)]),
  );
}

/** The set with what it holds at the moment, in order. */
export function readSet(maps: SetMaps, set: NamedSet, slot: number): NamedSet {
  return withSetMap(maps, set, slot, (fd, commentMap) => {
    const now = bootTime();
    const elements: SetElement[] = [];
    const comments = commentMap === undefined ? undefined : readComments(commentMap);
    for (const entry of entriesOf(fd, kindOf(set))) {
      const element = decode(set, entry, now);
      if (!element) continue;
      const comment = comments?.get(latin1(commentKey(set, element)));
      elements.push(comment === undefined ? element : { ...element, comment });
    }
    return { ...set, elements: elements.sort(order) };
  });
}

/**
 * Gives each set a slot: that of the one that it goes on, else one in no use, with a map of what it holds. No
 * program looks there before a generation says so. Timeouts run from `now`, in ns since boot.
 */
export function placeSets(
  maps: SetMaps,
  sets: readonly NamedSet[],
  origins: SetOrigins,
  inUse: SetSlots,
  now = bootTime(),
): SetSlots {
  const taken = new Set(inUse);
  let next = 0;
  return sets.map((set, n) => {
    const origin = origins[n];
    if (origin !== undefined) return elementAt(inUse, origin);
    do next++;
    while (taken.has(next));
    putSet(maps, set, next, now);
    return next;
  });
}

function putSet(maps: SetMaps, set: NamedSet, slot: number, now: bigint): void {
  putMap(maps[kindOf(set)], slot, makeSet(set, now));
  if (!set.comments) return;
  if (maps.comments === undefined) throw new TypeError('no map for comments');
  putMap(maps.comments, slot, makeComments(set));
}

/** Puts a map into a slot, and closes it. */
function putMap(all: Fd, slot: number, made: Fd): void {
  using(made, (fd) => {
    const value = new Uint8Array(4);
    new DataView(value.buffer).setUint32(0, fd, true);
    update(all, slotKey(slot), value);
  });
}

/** Lets go of the sets of a generation that is not in force any more, but for the slots that are kept. */
export function dropSets(maps: SetMaps, slots: SetSlots, kept: SetSlots): void {
  for (const slot of slots) {
    if (kept.includes(slot)) continue;
    // Removing waits for the programs that run, looking does not.
    for (const map of [maps.sets, maps.nets, maps.comments])
      if (map !== undefined && lookup(map, slotKey(slot), 4)) remove(map, slotKey(slot));
  }
}

/** The maps of a set in force. */
interface OpenSet {
  readonly set: NamedSet;
  readonly fd: Fd;
  readonly comments: Fd | undefined;
}

/** Removes elements whose time is over, and comments of what is not there, but for that of the element. */
function purge({ set, fd, comments }: OpenSet, element: SetElement): void {
  const now = bootTime();
  const kept = new Set([latin1(commentKey(set, element))]);
  for (const entry of [...entriesOf(fd, kindOf(set))]) {
    const alive = decode(set, entry, now);
    if (alive) kept.add(latin1(commentKey(set, alive)));
    else remove(fd, entry.key);
  }
  if (comments === undefined) return;
  for (const key of readComments(comments).keys())
    if (!kept.has(key)) remove(comments, Buffer.from(key, 'latin1'));
}

const isFull = (error: unknown) => error instanceof BpfError && FULL.includes(error.errno);

/** What is at the key itself, its time over or not. */
function valueAt(fd: Fd, set: NamedSet, key: Uint8Array): Uint8Array | undefined {
  const value = lookup(fd, key, SET_VALUE.bytes);
  if (!value || keyStart(set) !== 0) return value;
  // A trie gives the longest network that holds the one that is looked for.
  const wanted = new DataView(key.buffer).getUint32(SET_KEY.prefix, true);
  return readWord(value).keyBits === wanted ? value : undefined;
}

/** The element at the key itself, if its time is not over. */
function findAlive(fd: Fd, set: NamedSet, key: Uint8Array): SetElement | undefined {
  const value = valueAt(fd, set, key);
  return value && decode(set, { key, value }, bootTime());
}

/** The element at the key, or the longest network that holds it; of those whose time is not over. */
function findHolder(fd: Fd, set: NamedSet, key: Uint8Array): SetElement | undefined {
  const now = bootTime();
  const shorter = key.slice();
  const view = new DataView(shorter.buffer);
  for (;;) {
    const value = lookup(fd, shorter, SET_VALUE.bytes);
    if (!value) return undefined;
    const found = decode(set, { key: shorter, value }, now);
    if (found || keyStart(set) !== 0) return found;
    const { keyBits } = readWord(value);
    if (keyBits === 0) return undefined;
    view.setUint32(SET_KEY.prefix, keyBits - 1, true);
  }
}

/** How a set takes what it has, and lets go of what it has not. */
export interface ElementOptions {
  readonly exist: boolean;
}

/**
 * Adds elements to a set in force, or puts them in the place of those that are there if `exist`, which keep what they
 * have counted if nothing else is said. All or none: TableError for one that is there, and past maxelem.
 */
export function addToSet(
  maps: SetMaps,
  set: NamedSet,
  slot: number,
  elements: readonly SetElement[],
  { exist }: ElementOptions,
): void {
  withSetMap(maps, set, slot, (fd, comments) => {
    const olds = elements.map((element) => findAlive(fd, set, encodeKey(set, element)));
    if (!exist && olds.some((old) => old !== undefined))
      throw new TableError("Element cannot be added to the set: it's already added");
    const now = bootTime();
    const undo: (() => void)[] = [];
    try {
      elements.forEach((element, n) => {
        const added = replacing(olds[n], element);
        addOne({ set, fd, comments }, added, now, (step) => undo.push(step));
      });
    } catch (error) {
      for (const step of undo.reverse()) step();
      throw isFull(error) ? fullSet(set) : error;
    }
  });
}

/** Writes the comment and the element; `onUndo` is given what takes back each of the two, before the next is done. */
function addOne(
  open: OpenSet,
  element: SetElement,
  now: bigint,
  onUndo: (step: () => void) => void,
): void {
  const { set, fd, comments } = open;
  const put = (map: Fd, key: Uint8Array, value: Uint8Array, before: Uint8Array | undefined) => {
    try {
      update(map, key, value);
    } catch (error) {
      // What has timed out takes no room.
      if (!isFull(error) || (set.timeout === undefined && comments === undefined)) throw error;
      purge(open, element);
      update(map, key, value);
    }
    onUndo(() => {
      if (before) update(map, key, before);
      else remove(map, key);
    });
  };
  if (comments !== undefined) {
    const key = commentKey(set, element);
    const before = lookup(comments, key, SET_COMMENT.bytes);
    if (element.comment !== undefined)
      put(comments, key, encodeComment(element.comment), before ?? undefined);
    else if (before) {
      remove(comments, key);
      onUndo(() => update(comments, key, before));
    }
  }
  const key = encodeKey(set, element);
  put(fd, key, encodeValue(set, element, now), valueAt(fd, set, key));
}

/** Takes elements out of a set in force. TableError for one that is not there, unless that is no fault. */
export function deleteFromSet(
  maps: SetMaps,
  set: NamedSet,
  slot: number,
  elements: readonly SetElement[],
  { exist }: ElementOptions,
): void {
  withSetMap(maps, set, slot, (fd, comments) => {
    const isThere = (element: SetElement) => findAlive(fd, set, encodeKey(set, element));
    if (!exist && !elements.every(isThere))
      throw new TableError("Element cannot be deleted from the set: it's not added");
    for (const element of elements) {
      remove(fd, encodeKey(set, element));
      if (comments !== undefined) remove(comments, commentKey(set, element));
    }
  });
}

/** Whether the set in force has the element, or of the networks that hold it the longest is of its kind. */
export function hasElement(
  maps: SetMaps,
  set: NamedSet,
  slot: number,
  element: SetElement,
): boolean {
  return withSetMap(
    maps,
    set,
    slot,
    (fd) => findHolder(fd, set, encodeKey(set, element))?.nomatch === element.nomatch,
  );
}

/** Empties a set in force, at one moment: an empty map takes the place of its map. */
export function emptySet(maps: SetMaps, set: NamedSet, slot: number): void {
  putSet(maps, { ...set, elements: [] }, slot, 0n);
}
