/**
 * The paths and patterns that network_ids are registered for, as the program that sees new control
 * groups finds them: `paths`, and for patterns `shapes`, which says of a folder what to look for.
 */
import {
  BPF_F_NO_PREALLOC,
  createMap,
  type Fd,
  lookupBatch,
  mapInfo,
  remove,
  update,
} from '@sockfilter/bpf';
import { type Group, isBelow, patternOf, TableError, unescapePath } from '@sockfilter/table';
import { CapacityError } from './capacity.js';
import { type Slots, withSlot } from './groupmap.js';
import {
  MAX_PATHS,
  MAX_PATTERNS_IN_FOLDER,
  PATH_BYTES,
  PATH_ENTRIES,
  PATH_VALUE_BYTES,
  PATTERN_SIGN,
  SHAPES,
} from './layout.js';

export function createPathMap(): Fd {
  return createMap({
    type: 'hash',
    name: 'sf_paths',
    keySize: PATH_BYTES,
    valueSize: PATH_VALUE_BYTES,
    maxEntries: PATH_ENTRIES,
    flags: BPF_F_NO_PREALLOC,
  });
}

export function createShapeMap(): Fd {
  return createMap({
    type: 'hash',
    name: 'sf_shapes',
    keySize: PATH_BYTES,
    valueSize: SHAPES.bytes,
    maxEntries: PATH_ENTRIES,
    flags: BPF_F_NO_PREALLOC,
  });
}

/** What is registered: network_ids by the text of their key. */
export type Registered = ReadonlyMap<string, number>;

/** A pattern's parts, as bytes of the kernel's path; its folder is empty for the root. */
export interface KeyPattern {
  readonly folder: string;
  readonly prefix: string;
  readonly suffix: string;
}

function keyText(path: string): string {
  const pattern = patternOf(path);
  if (!pattern) return unescapePath(path);
  const folder = pattern.folder === '/' ? '' : unescapePath(pattern.folder);
  return `${folder}/${pattern.prefix}${PATTERN_SIGN}${pattern.suffix}`;
}

/** The pattern that a key's text is, if it is one. */
export function keyPattern(text: string): KeyPattern | undefined {
  const sign = text.indexOf(PATTERN_SIGN);
  if (sign < 0) return undefined;
  const slash = text.lastIndexOf('/');
  return {
    folder: text.slice(0, slash),
    prefix: text.slice(slash + 1, sign),
    suffix: text.slice(sign + 1),
  };
}

function encodeKey(text: string): Uint8Array {
  const key = new Uint8Array(PATH_BYTES);
  key.set(Buffer.from(text, 'utf8'));
  return key;
}

function decodeKey({ buffer, byteOffset, length }: Uint8Array): string {
  const key = Buffer.from(buffer, byteOffset, length);
  return key.toString('utf8', 0, key.indexOf(0));
}

/** What is to be registered; throws if a path can't be policed from `root`, or is too long. */
export function registrationOf(groups: readonly Group[], root: string): Registered {
  const ids = new Map<string, number>();
  for (const { name, id, path } of groups) {
    if (path === undefined) continue;
    if (!isBelow(path, root) && !isBelow(root, path))
      throw new TableError(
        `group \`${name}\`: \`${path}\` lies outside of \`${root}\``,
        'rules police what lies below --root alone',
      );
    const text = keyText(path);
    const bytes = Buffer.byteLength(text);
    // One NUL at the end, and one byte that tells a path of full length from one that was cut.
    if (bytes > PATH_BYTES - 2) throw new CapacityError('bytes in a path', bytes, PATH_BYTES - 2);
    ids.set(text, id);
  }
  if (ids.size > MAX_PATHS) throw new CapacityError('registered paths', ids.size, MAX_PATHS);
  for (const [folder, shapes] of shapesOf(ids.keys()))
    if (shapes.size > MAX_PATTERNS_IN_FOLDER)
      throw new CapacityError(
        `patterns in \`${folder || '/'}\``,
        shapes.size,
        MAX_PATTERNS_IN_FOLDER,
      );
  return ids;
}

const NO_IDS: Slots = [0, 0];

const PATH_SIZES = { keySize: PATH_BYTES, valueSize: PATH_VALUE_BYTES };

function decodeIds({ buffer, byteOffset }: Uint8Array): Slots {
  const view = new DataView(buffer, byteOffset);
  return [view.getUint32(0, true), view.getUint32(4, true)];
}

function encodeIds(ids: Slots): Uint8Array {
  const view = new DataView(new ArrayBuffer(PATH_VALUE_BYTES));
  for (const slot of [0, 1] as const) view.setUint32(4 * slot, ids[slot], true);
  return new Uint8Array(view.buffer);
}

function* pathEntries(paths: Fd): Generator<{ readonly text: string; readonly ids: Slots }> {
  for (const { key, value } of lookupBatch(paths, PATH_SIZES))
    yield { text: decodeKey(key), ids: decodeIds(value) };
}

/** What is registered in a slot. */
export function registeredPaths(paths: Fd, slot: number): Registered {
  const result = new Map<string, number>();
  for (const { text, ids } of pathEntries(paths)) {
    const id = ids[slot] ?? 0;
    if (id !== 0) result.set(text, id);
  }
  return result;
}

/** The lengths of a pattern's parts, by folder, each once. */
function shapesOf(texts: Iterable<string>): ReadonlyMap<string, ReadonlySet<number>> {
  const shapes = new Map<string, Set<number>>();
  for (const text of texts) {
    const pattern = keyPattern(text);
    if (!pattern) continue;
    const known = shapes.get(pattern.folder) ?? new Set();
    shapes.set(pattern.folder, known);
    known.add(Buffer.byteLength(pattern.prefix) | (Buffer.byteLength(pattern.suffix) << 8));
  }
  return shapes;
}

function encodeShapes(shapes: ReadonlySet<number>): Uint8Array {
  const view = new DataView(new ArrayBuffer(SHAPES.bytes));
  view.setUint8(SHAPES.count, shapes.size);
  [...shapes].forEach((shape, n) => {
    view.setUint16(SHAPES.first + SHAPES.each * n, shape, true);
  });
  return new Uint8Array(view.buffer);
}

/** Makes the shapes those of the patterns that are registered in either slot. */
function registerShapes(shapes: Fd, texts: Iterable<string>): void {
  const wanted = new Map(
    Array.from(shapesOf(texts), ([folder, each]) => [folder, encodeShapes(each)] as const),
  );
  const sizes = { keySize: PATH_BYTES, valueSize: SHAPES.bytes };
  for (const { key, value } of [...lookupBatch(shapes, sizes)]) {
    const folder = decodeKey(key);
    const each = wanted.get(folder);
    if (!each) remove(shapes, key);
    else if (Buffer.compare(each, value) === 0) wanted.delete(folder);
  }
  for (const [folder, each] of wanted) update(shapes, encodeKey(folder), each);
}

/** Makes an entry say the ids; one that says none goes. What it says already is not written. */
function writeIds(paths: Fd, text: string, before: Slots | undefined, ids: Slots): void {
  if (before?.[0] === ids[0] && before[1] === ids[1]) return;
  if (ids[0] === 0 && ids[1] === 0) remove(paths, encodeKey(text));
  else update(paths, encodeKey(text), encodeIds(ids));
}

/**
 * Makes a slot of the registered paths say exactly these; the other slot keeps what it says. Throws CapacityError, and has changed
 * nothing, where an older release made the map, and it has no room for the paths of both.
 */
export function registerPaths(
  maps: { readonly paths: Fd; readonly shapes: Fd },
  slot: number,
  wanted: Registered,
): void {
  const { paths } = maps;
  const known = new Map(Array.from(pathEntries(paths), ({ text, ids }) => [text, ids] as const));
  const others = [...known].filter(([, ids]) => ids[1 - slot] !== 0).map(([text]) => text);
  const texts = new Set([...others, ...wanted.keys()]);
  const { maxEntries } = mapInfo(paths);
  if (texts.size > maxEntries)
    throw new CapacityError(
      'registered paths of two tables',
      texts.size,
      maxEntries,
      'restore a table with fewer groups first',
    );
  for (const [text, ids] of known)
    if (!wanted.has(text)) writeIds(paths, text, ids, withSlot(ids, slot, 0));
  registerShapes(maps.shapes, texts);
  for (const [text, id] of wanted) {
    const ids = known.get(text);
    writeIds(paths, text, ids, withSlot(ids ?? NO_IDS, slot, id));
  }
}
