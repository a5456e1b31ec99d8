/** Registered paths in their maps: of two slots, one that is written and one that programs read meanwhile. */
import { BPF_F_NO_PREALLOC, close, createMap, lookupBatch } from '@sockfilter/bpf';
import fc from 'fast-check';
import {
  MAX_PATHS,
  PATH_BYTES,
  PATH_VALUE_BYTES,
  SHAPES,
} from '../../packages/kernel/src/layout.js';
import {
  createPathMap,
  createShapeMap,
  keyPattern,
  type Registered,
  registeredPaths,
  registerPaths,
} from '../../packages/kernel/src/pathmap.js';
import { describeKernel } from '../harness/kernel.js';
import { propertyRuns } from '../harness/length.js';

/** Paths, and patterns, whose `*` is a newline; few, so that they come and go. */
const TEXTS = ['/a', '/a/b', '/é', '/a/\n', '/a/x\n', '/a/\nyé', '/\n', '/\nz', '/a/b/\n.slice'];

const registrations: fc.Arbitrary<Registered> = fc
  .uniqueArray(fc.tuple(fc.constantFrom(...TEXTS), fc.integer({ min: 1, max: 3 })), {
    selector: ([text]) => text,
  })
  .map((entries) => new Map(entries));

const sorted = (registered: Registered) => [...registered].toSorted();

/** `FOLDER BEFORE AFTER` of patterns, in bytes. */
function shapesOf(texts: readonly string[]): readonly string[] {
  const shapes = texts.flatMap((text) => keyPattern(text) ?? []);
  const bytes = (text: string) => Buffer.byteLength(text);
  const lines = shapes.map((each) => `${each.folder} ${bytes(each.prefix)} ${bytes(each.suffix)}`);
  return [...new Set(lines)].toSorted();
}

function shapesIn(shapes: number): readonly string[] {
  const sizes = { keySize: PATH_BYTES, valueSize: SHAPES.bytes };
  return [...lookupBatch(shapes, sizes)]
    .flatMap(({ key, value }) => {
      const folder = Buffer.from(key.subarray(0, key.indexOf(0))).toString();
      return Array.from({ length: value[SHAPES.count] ?? 0 }, (_, n) => {
        const at = SHAPES.first + SHAPES.each * n;
        return `${folder} ${value[at]} ${value[at + 1]}`;
      });
    })
    .toSorted();
}

function entriesOf(paths: number): number {
  return [...lookupBatch(paths, { keySize: PATH_BYTES, valueSize: PATH_VALUE_BYTES })].length;
}

describeKernel('registered paths', () => {
  test('whatever was registered, a slot says what it is to say, and the other one what it said', () => {
    fc.assert(
      fc.property(fc.array(registrations, { minLength: 1, maxLength: 6 }), (all) => {
        const maps = { paths: createPathMap(), shapes: createShapeMap() };
        try {
          let last: Registered = new Map();
          all.forEach((wanted, n) => {
            const slot = n % 2;
            registerPaths(maps, slot, wanted);
            expect(sorted(registeredPaths(maps.paths, slot))).toEqual(sorted(wanted));
            expect(sorted(registeredPaths(maps.paths, 1 - slot))).toEqual(sorted(last));
            const texts = new Set([...last.keys(), ...wanted.keys()]);
            expect(entriesOf(maps.paths)).toBe(texts.size);
            expect(shapesIn(maps.shapes)).toEqual(shapesOf([...texts]));
            last = wanted;
          });
        } finally {
          for (const fd of Object.values(maps)) close(fd);
        }
      }),
      { numRuns: propertyRuns(200) },
    );
  });

  test('while one table follows another there is room for as many paths as each may have', () => {
    const maps = { paths: createPathMap(), shapes: createShapeMap() };
    try {
      for (const slot of [0, 1, 0]) {
        const folder = `/${slot}`;
        const wanted = new Map(Array.from({ length: MAX_PATHS }, (_, n) => [`${folder}/${n}`, 1]));
        registerPaths(maps, slot, wanted);
        expect(registeredPaths(maps.paths, slot)).toEqual(wanted);
      }
      expect(entriesOf(maps.paths)).toBe(2 * MAX_PATHS);
    } finally {
      for (const fd of Object.values(maps)) close(fd);
    }
  });

  test('a map that has no room for both is told, and nothing changes', () => {
    const sizes = { keySize: PATH_BYTES, valueSize: PATH_VALUE_BYTES, maxEntries: 3 };
    const paths = createMap({ type: 'hash', name: 'sf_paths', ...sizes, flags: BPF_F_NO_PREALLOC });
    const maps = { paths, shapes: createShapeMap() };
    const both = (folder: string): Registered => new Map([1, 2].map((n) => [`${folder}/${n}`, n]));
    try {
      registerPaths(maps, 0, both('/a'));
      expect(() => registerPaths(maps, 1, both('/b'))).toThrow(
        'registered paths of two tables: 4 are needed, the limit is 3',
      );
      expect(sorted(registeredPaths(paths, 0))).toEqual(sorted(both('/a')));
      expect(sorted(registeredPaths(paths, 1))).toEqual([]);
    } finally {
      for (const fd of Object.values(maps)) close(fd);
    }
  });
});
