import { existsSync } from 'node:fs';
import {
  type Btf,
  fieldOffset,
  findField,
  findFlag,
  kernelBtf,
  parseBtf,
  structSize,
} from './index.js';

/** Writes BTF: types are lists of words, of which a string stands for its name. */
function writeBtf(types: readonly (readonly (number | string)[])[]): Uint8Array {
  let strings = '\0';
  const words = types.flat().map((word) => {
    if (typeof word === 'number') return word;
    const at = strings.length;
    strings += `${word}\0`;
    return at;
  });
  const typesLength = 4 * words.length;
  const header = new DataView(new ArrayBuffer(24));
  header.setUint16(0, 0xeb9f, true);
  header.setUint8(2, 1);
  header.setUint32(4, 24, true);
  header.setUint32(12, typesLength, true);
  header.setUint32(16, typesLength, true);
  header.setUint32(20, strings.length, true);
  return Buffer.concat([
    new Uint8Array(header.buffer),
    new Uint8Array(Uint32Array.from(words).buffer),
    Buffer.from(strings, 'latin1'),
  ]);
}

const info = (kind: number, vlen = 0, kindFlag = 0): number =>
  ((kindFlag << 31) | (kind << 24) | vlen) >>> 0;

// 1 int; 2 struct inner { int a; int b; }; 3 const inner; 4 inner_t = const inner;
// 5 union { int x; inner_t y; }; 6 inner *; 7 int[3];
// 8 struct outer { int :4 low; inner_t named; union {5}; inner *next; int list[3]; void fn }
const TYPES = [
  ['int', info(1), 4, 32],
  ['inner', info(4, 2), 8, 'a', 1, 0, 'b', 1, 32],
  [0, info(10), 2],
  ['inner_t', info(8), 3],
  [0, info(5, 2), 8, 'x', 1, 0, 'y', 4, 0],
  [0, info(2), 2],
  [0, info(3), 0, 1, 1, 3],
  [
    'outer',
    info(4, 5, 1),
    48,
    ...['low', 1, (4 << 24) | 0],
    ...['named', 4, 64],
    ...[0, 5, 128],
    ...['next', 6, 192],
    ...['list', 7, 256],
  ],
] as const;

const btf = parseBtf(writeBtf(TYPES));

test('a bit is found in a bit-field and in a field of bytes', () => {
  expect(findFlag(btf, 'outer', 'low', 3)).toEqual({ offset: 0, mask: 8 });
  expect(findFlag(btf, 'outer', 'named.b', 9)).toEqual({ offset: 13, mask: 2 });
  expect(() => findFlag(btf, 'outer', 'low', 4)).toThrow('`outer.low` has 4 bits, so no bit 4');
});

test.each([
  ['inner', 'b', 4, 4],
  ['inner_t', 'b', 4, 4],
  ['outer', 'named', 8, 8],
  ['outer', 'named.b', 12, 4],
  ['outer', 'x', 16, 4],
  ['outer', 'y.b', 20, 4],
  ['outer', 'next', 24, 8],
  ['outer', 'list', 32, 12],
])('%s.%s is at %d, %d bytes', (struct, path, offset, size) => {
  expect(findField(btf, struct, path)).toEqual({ offset, size });
  expect(fieldOffset(btf, struct, path)).toBe(offset);
});

test.each([
  ['absent', 'a', "this kernel's BTF has no struct `absent`"],
  ['int', 'a', "this kernel's BTF has no struct `int`"],
  ['outer', 'absent', '`outer` has no member `absent`'],
  ['outer', 'named.absent', '`outer.named` has no member `absent`'],
  ['outer', 'next.a', '`outer.next` is a pointer: it has no member `a`'],
  ['outer', 'x.a', '`outer.x` is no struct: it has no member `a`'],
  ['outer', 'low', '`outer.low` is a bit-field: it has no byte offset'],
])('%s.%s is refused', (struct, path, message) => {
  expect(() => fieldOffset(btf, struct, path)).toThrow(message);
});

test('sizes', () => {
  expect(structSize(btf, 'outer')).toBe(48);
  expect(() => structSize(btf, 'absent')).toThrow('no struct `absent`');
});

test('what is not BTF is refused', () => {
  const good = writeBtf(TYPES);
  expect(() => parseBtf(new Uint8Array(3))).toThrow('shorter than its header');
  expect(() => parseBtf(new Uint8Array(64))).toThrow('wrong magic number');
  expect(() => parseBtf(good.subarray(0, good.length - 1))).toThrow('cut short');
  expect(() => parseBtf(writeBtf([['x', info(31), 0]]))).toThrow('kind 31, which is not known');
  expect(() => parseBtf(writeBtf([['x', info(4, 9), 0]]))).toThrow('cut short');
  const version = Uint8Array.from(good);
  version[2] = 2;
  expect(() => parseBtf(version)).toThrow('version 2');
});

test('data need not be aligned', () => {
  const shifted = new Uint8Array(writeBtf(TYPES).length + 1);
  shifted.set(writeBtf(TYPES), 1);
  expect(fieldOffset(parseBtf(shifted.subarray(1)), 'outer', 'named.b')).toBe(12);
});

const hasBtf = existsSync('/sys/kernel/btf/vmlinux');
const reason = hasBtf ? '' : ' [skipped: this kernel has no /sys/kernel/btf/vmlinux]';

(hasBtf ? describe : describe.skip)(`the running kernel${reason}`, () => {
  let kernel: Btf;
  beforeAll(() => {
    kernel = kernelBtf();
  });

  test.each([
    ['sock', 'sk_cgrp_data.cgroup', 8],
    ['sock', 'sk_uid', 4],
    ['sock', 'sk_protocol', 2],
    ['sock', '__sk_common.skc_daddr', 4],
    ['sock_common', 'skc_state', 1],
    ['sock_common', 'skc_num', 2],
    ['sock_common', 'skc_dport', 2],
    ['sock_common', 'skc_family', 2],
    ['sock_common', 'skc_v6_daddr', 16],
    ['sock_common', 'skc_v6_rcv_saddr', 16],
    ['inet_sock', 'inet_saddr', 4],
    ['cgroup', 'kn', 8],
    ['cgroup', 'level', 4],
    ['cgroup', 'root', 8],
    ['cgroup', 'ancestors', 0],
    ['cgroup_root', 'hierarchy_id', 4],
    ['kernfs_node', 'id', 8],
    ['task_struct', 'flags', 4],
    ['sk_buff', 'head', 8],
    ['sk_buff', 'sk', 8],
    ['sk_buff', 'transport_header', 2],
    ['sk_buff', 'network_header', 2],
    ['socket', 'sk', 8],
  ])('%s.%s', (struct, path, size) => {
    const field = findField(kernel, struct, path);
    expect(field.size).toBe(size);
    expect(field.offset).toBeLessThanOrEqual(structSize(kernel, struct));
    // What BTF calls a field of this size lies at a multiple of it, up to a word.
    expect(field.offset % Math.min(Math.max(size, 1), 4)).toBe(0);
  });
});
