import { renameSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import * as bpf from './index.js';
import { index, kernelTests, withPinDirectory, wordAt, words } from './testing/kernelTests.js';

const { R0, R1, R2, R10 } = bpf;

kernelTests('maps', () => {
  test('a hash map is a map', () => {
    const sizes = { keySize: 8, valueSize: 8 };
    const fd = bpf.createMap({
      type: 'hash',
      name: 'model',
      ...sizes,
      maxEntries: 64,
      flags: bpf.BPF_F_NO_PREALLOC,
    });
    const model = new Map<bigint, bigint>();
    const sorted = (entries: Iterable<readonly [bigint, bigint]>): string[] =>
      Array.from(entries, ([key, value]) => `${key}=${value}`).sort();
    const read = (entries: Iterable<bpf.Entry>): string[] =>
      sorted(Array.from(entries, ({ key, value }) => [wordAt(key, 0), wordAt(value, 0)] as const));
    const action = fc.record({
      key: fc.bigInt({ min: 0n, max: 20n }),
      value: fc.option(fc.bigInt({ min: 0n, max: (1n << 64n) - 1n })),
    });
    fc.assert(
      fc.property(fc.array(action), (actions) => {
        for (const { key, value } of actions) {
          if (value === null) {
            expect(bpf.remove(fd, words(key))).toBe(model.delete(key));
          } else {
            bpf.update(fd, words(key), words(value));
            model.set(key, value);
          }
        }
        expect(read(bpf.entries(fd, sizes))).toEqual(sorted(model));
        expect(read(bpf.lookupBatch(fd, sizes, 4))).toEqual(sorted(model));
        for (let key = 0n; key <= 20n; key += 1n) {
          const value = bpf.lookup(fd, words(key), 8);
          expect(value && wordAt(value, 0)).toBe(model.get(key));
        }
      }),
    );
    bpf.close(fd);
  });

  test('flags of an update, and a full map', () => {
    const fd = bpf.createMap({
      type: 'hash',
      name: 'two',
      keySize: 8,
      valueSize: 8,
      maxEntries: 2,
    });
    const put = (key: bigint, flags?: number): void => bpf.update(fd, words(key), words(1n), flags);
    expect(() => put(1n, bpf.BPF_EXIST)).toThrow(/: ENOENT$/);
    put(1n, bpf.BPF_NOEXIST);
    expect(() => put(1n, bpf.BPF_NOEXIST)).toThrow(/: EEXIST$/);
    put(2n);
    expect(() => put(3n)).toThrow(/: E2BIG$/);
    bpf.freeze(fd);
    expect(() => put(1n)).toThrow(/: EPERM$/);
    bpf.close(fd);
  });

  test('many entries in one call', () => {
    const count = 50_000;
    const sizes = { keySize: 8, valueSize: 8 };
    const fd = bpf.createMap({ type: 'hash', name: 'many', ...sizes, maxEntries: count });
    const numbers = words(...Array.from({ length: count }, (_, each) => BigInt(each)));
    bpf.updateBatch(fd, numbers, numbers, count);
    let seen = 0;
    for (const { key, value } of bpf.lookupBatch(fd, sizes)) {
      expect(wordAt(key, 0)).toBe(wordAt(value, 0));
      seen += 1;
    }
    expect(seen).toBe(count);
    bpf.close(fd);
  });

  test('values of an array that follow each other, in one call', () => {
    const valueSize = 16;
    const spec = { name: 'run', keySize: 4, valueSize, maxEntries: 5, flags: 0 } as const;
    const fd = bpf.createMap({ type: 'array', ...spec });
    const values = (...numbers: readonly number[]) =>
      words(...numbers.flatMap((n) => [BigInt(n), 2n ** 64n - 1n - BigInt(n)]));
    bpf.updateRun(fd, 0, values(1), valueSize);
    bpf.updateRun(fd, 2, values(3, 4, 5), valueSize);
    const read = (first: number, count: number) => {
      const into = new Uint8Array(count * valueSize);
      return [bpf.lookupRun(fd, first, into, valueSize), into];
    };
    expect(read(2, 3)).toEqual([3, values(3, 4, 5)]);
    expect(read(0, 1)).toEqual([1, values(1)]);
    expect(read(0, 5)).toEqual([
      5,
      new Uint8Array([...values(1), ...words(0n, 0n), ...values(3, 4, 5)]),
    ]);
    expect(read(4, 3)).toEqual([1, new Uint8Array([...values(5), ...words(0n, 0n, 0n, 0n)])]);
    expect(read(0, 0)).toEqual([0, new Uint8Array()]);
    expect(() => bpf.updateRun(fd, 4, values(5, 6), valueSize)).toThrow(/: E2BIG$/);
    bpf.close(fd);
  });

  test('info, ids', () => {
    const spec = {
      type: 'array',
      name: 'described',
      keySize: 4,
      valueSize: 12,
      maxEntries: 3,
    } as const;
    const fd = bpf.createMap(spec);
    const info = bpf.mapInfo(fd);
    const { type, ...rest } = spec;
    expect(info).toMatchObject({ ...rest, type: bpf.MAP_TYPES[type], flags: 0 });
    expect([...bpf.mapIds()]).toContain(info.id);
    const again = bpf.mapById(info.id);
    if (again === undefined) throw new Error('gone');
    expect(bpf.mapInfo(again)).toEqual(info);
    bpf.close(again);
    bpf.close(fd);
    expect(() => bpf.close(fd)).toThrow('EBADF');
  });

  test('inner maps share the value size and may differ in entries', () => {
    const inner = (maxEntries: number, flags: number): bpf.Fd =>
      bpf.createMap({ type: 'array', name: 'inner', keySize: 4, valueSize: 64, maxEntries, flags });
    const outer = (innerMapFd: bpf.Fd): bpf.Fd =>
      bpf.createMap({
        type: 'array_of_maps',
        name: 'outer',
        keySize: 4,
        valueSize: 4,
        maxEntries: 2,
        innerMapFd,
      });
    const put = (into: bpf.Fd, at: number, fd: bpf.Fd): void =>
      bpf.update(into, index(at), index(fd));

    const rigid = [inner(1, 0), inner(4, 0)] as const;
    const rigidOuter = outer(rigid[0]);
    expect(() => put(rigidOuter, 0, rigid[1])).toThrow(expect.objectContaining({ code: 'EINVAL' }));

    const small = inner(1, bpf.BPF_F_INNER_MAP);
    const large = inner(4, bpf.BPF_F_INNER_MAP);
    const generations = outer(small);
    const value = new Uint8Array(64);
    value.set(words(77n));
    bpf.update(large, index(3), value);

    const program = bpf.loadProgram(
      {
        name: 'walk',
        type: 'sched_cls',
        license: 'GPL',
        items: [
          bpf.storeImm(4, R10, -4, 0),
          bpf.loadMap(R1, 'generations'),
          bpf.mov(R2, R10),
          bpf.addImm(R2, -4),
          bpf.callHelper('map_lookup_elem'),
          bpf.jumpIf('eq', R0, 0, 'none'),
          bpf.storeImm(4, R10, -4, 3),
          bpf.mov(R1, R0),
          bpf.mov(R2, R10),
          bpf.addImm(R2, -4),
          bpf.callHelper('map_lookup_elem'),
          bpf.jumpIf('eq', R0, 0, 'none'),
          bpf.load(4, R0, R0, 0),
          bpf.exit(),
          bpf.label('none'),
          bpf.movImm(R0, 0),
          bpf.exit(),
        ],
      },
      { generations },
    );
    const run = (): number => bpf.testRun(program, { dataIn: new Uint8Array(14) }).retval;
    expect(run()).toBe(0);
    put(generations, 0, small);
    expect(run()).toBe(0);
    put(generations, 0, large);
    expect(run()).toBe(77);
    // Read from user space, the value is the inner map's id.
    const id = bpf.lookup(generations, index(0), 4);
    expect(id).toEqual(index(bpf.mapInfo(large).id));
    for (const fd of [program, generations, small, large, rigidOuter, ...rigid]) bpf.close(fd);
  });

  test('pins', () => {
    withPinDirectory((directory) => {
      expect(bpf.isBpffs(directory)).toBe(true);
      expect(bpf.isBpffs('/')).toBe(false);
      const spec = { type: 'array', keySize: 4, valueSize: 4, maxEntries: 1 } as const;
      const one = bpf.createMap({ ...spec, name: 'one' });
      const two = bpf.createMap({ ...spec, name: 'two' });
      const path = join(directory, 'map');
      expect(bpf.openPinned(path)).toBeUndefined();
      bpf.pin(one, path);
      expect(() => bpf.pin(two, path)).toThrow(expect.objectContaining({ code: 'EEXIST' }));
      expect(() => bpf.pin(two, `${path}.new`)).toThrow(expect.objectContaining({ code: 'EPERM' }));
      bpf.pin(two, `${path}_new`);
      renameSync(`${path}_new`, path);
      bpf.close(one);
      bpf.close(two);
      const again = bpf.openPinned(path);
      if (again === undefined) throw new Error('gone');
      expect(bpf.mapInfo(again).name).toBe('two');
      expect(bpf.openPinned(`${path}_new`)).toBeUndefined();
      bpf.close(again);
    });
  });
});
