import fc from 'fast-check';
import {
  add,
  addImm32,
  arsh32,
  assemble,
  atomicAdd,
  atomicCompareExchange,
  atomicFetchAdd,
  callHelper,
  callLabel,
  disassemble,
  exit,
  type Item,
  jump,
  jumpIf,
  jumpIf32,
  label,
  load,
  loadImm64,
  loadMap,
  loadMapValue,
  mayGoto,
  mov,
  movImm,
  movImm32,
  neg,
  R0,
  R1,
  R2,
  R3,
  R6,
  R7,
  R10,
  type Register,
  store,
  storeImm,
  subImm,
  toBig,
  toLittle,
} from './index.js';

const hex = (items: readonly Item[]): string =>
  Buffer.from(assemble(items, () => 0x11)).toString('hex');

// Opcodes worked out by hand from the tables of RFC 9669; the first is the document's own example.
const ENCODINGS: readonly (readonly [Item, string, string])[] = [
  [addImm32(R1, 0x11223344), '0401000044332211', 'w1 += 287454020'],
  [movImm(R0, -1), 'b7000000ffffffff', 'r0 = -1'],
  [movImm32(R0, 0xffffffff), 'b4000000ffffffff', 'w0 = -1'],
  [mov(R6, R1), 'bf16000000000000', 'r6 = r1'],
  [add(R2, R10), '0fa2000000000000', 'r2 += r10'],
  [subImm(R2, 8), '1702000008000000', 'r2 -= 8'],
  [arsh32(R3, R7), 'cc73000000000000', 'w3 s>>= w7'],
  [neg(R3), '8703000000000000', 'r3 = -r3'],
  [toBig(R1, 16), 'dc01000010000000', 'r1 = be16 r1'],
  [toLittle(R1, 64), 'd401000040000000', 'r1 = le64 r1'],
  [load(1, R0, R1, 5), '7110050000000000', 'r0 = *(u8 *)(r1 +5)'],
  [load(2, R0, R1, -2), '6910feff00000000', 'r0 = *(u16 *)(r1 -2)'],
  [load(4, R0, R1, 4), '6110040000000000', 'r0 = *(u32 *)(r1 +4)'],
  [load(8, R0, R10, -8), '79a0f8ff00000000', 'r0 = *(u64 *)(r10 -8)'],
  [store(8, R10, -8, R1), '7b1af8ff00000000', '*(u64 *)(r10 -8) = r1'],
  [storeImm(4, R10, -4, 0x80000000), '620afcff00000080', '*(u32 *)(r10 -4) = -2147483648'],
  [atomicAdd(8, R1, 16, R2), 'db21100000000000', 'lock *(u64 *)(r1 +16) += r2'],
  [atomicAdd(4, R1, 16, R2), 'c321100000000000', 'lock *(u32 *)(r1 +16) += r2'],
  [atomicFetchAdd(8, R1, 16, R2), 'db21100001000000', 'r2 = fetch_add(*(u64 *)(r1 +16), r2)'],
  [
    atomicCompareExchange(8, R1, 16, R2),
    'db211000f1000000',
    'r0 = cmpxchg(*(u64 *)(r1 +16), r0, r2)',
  ],
  [callHelper('map_lookup_elem'), '8500000001000000', 'call map_lookup_elem'],
  [callHelper(9999), '850000000f270000', 'call #9999'],
  [exit(), '9500000000000000', 'exit'],
  [
    loadImm64(R1, 0x1122334455667788n),
    '18010000887766550000000044332211',
    'r1 = 0x1122334455667788 ll',
  ],
  [loadImm64(R1, -1n), '18010000ffffffff00000000ffffffff', 'r1 = 0xffffffffffffffff ll'],
  [loadMap(R1, 'counters'), '18110000110000000000000000000000', 'r1 = map[fd:17]'],
  [loadMapValue(R1, { fd: 3 }, 24), '18210000030000000000000018000000', 'r1 = map_value[fd:3]+24'],
];

test.each(ENCODINGS)('%j', (item, encoding, text) => {
  expect(hex([item])).toBe(encoding);
  expect(disassemble(assemble([item], () => 0x11))).toBe(`0: ${text}`);
});

// Condition codes of RFC 9669, section 4.3; class 5 is JMP, 6 JMP32; 8 marks a register operand.
const CONDITIONS = [
  ['eq', '1', '=='],
  ['gt', '2', '>'],
  ['ge', '3', '>='],
  ['set', '4', '&'],
  ['ne', '5', '!='],
  ['sgt', '6', 's>'],
  ['sge', '7', 's>='],
  ['lt', 'a', '<'],
  ['le', 'b', '<='],
  ['slt', 'c', 's<'],
  ['sle', 'd', 's<='],
] as const;

test.each(CONDITIONS)('condition %s', (condition, code, sign) => {
  const items = [
    jumpIf(condition, R1, -3, 'end'),
    jumpIf(condition, R1, R2, 'end'),
    jumpIf32(condition, R1, 0xfffffffd, 'end'),
    jumpIf32(condition, R1, R2, 'end'),
    label('end'),
  ];
  expect(hex(items)).toBe(
    [
      `${code}5010300fdffffff`,
      `${code}d21020000000000`,
      `${code}6010100fdffffff`,
      `${code}e21000000000000`,
    ].join(''),
  );
  expect(disassemble(assemble(items))).toBe(
    [
      `0: if r1 ${sign} -3 goto 4`,
      `1: if r1 ${sign} r2 goto 4`,
      `2: if w1 ${sign} -3 goto 4`,
      `3: if w1 ${sign} w2 goto 4`,
    ].join('\n'),
  );
});

// BPF_JCOND of linux/bpf.h, which the RFC has not.
test('may_goto', () => {
  const items = [label('step'), movImm(R0, 0), mayGoto('end'), jump('step'), label('end')];
  expect(hex(items)).toBe('b700000000000000e5000100000000000500fdff00000000');
  expect(disassemble(assemble(items))).toBe('0: r0 = 0\n1: may_goto 3\n2: goto 0');
});

test('labels count slots, and a wide instruction takes two', () => {
  const items = [
    label('top'),
    loadImm64(R1, 1n),
    callLabel('twice'),
    jump('top'),
    label('twice'),
    mov(R0, R1),
    exit(),
  ];
  expect(disassemble(assemble(items))).toBe(
    ['0: r1 = 0x1 ll', '2: call 4', '3: goto 0', '4: r0 = r1', '5: exit'].join('\n'),
  );
});

describe('refused', () => {
  test.each<[string, readonly Item[]]>([
    ['label `nowhere` is not defined', [jump('nowhere')]],
    ['label `nowhere` is not defined', [callLabel('nowhere')]],
    ['label `here` is defined twice', [label('here'), exit(), label('here')]],
    ['no descriptor for map `table`', [loadMap(R1, 'table')]],
  ])('%s', (message, items) => {
    expect(() => assemble(items)).toThrow(message);
  });

  const filler = (count: number): Item[] => Array.from({ length: count }, () => exit());

  test('a jump of more than 16 bits', () => {
    expect(() => assemble([jump('end'), ...filler(32767), label('end')])).not.toThrow();
    expect(() => assemble([jump('end'), ...filler(32768), label('end')])).toThrow(
      'jump to label `end` is too far: 32768 slots',
    );
    expect(() => assemble([label('top'), ...filler(32767), jump('top')])).not.toThrow();
    expect(() => assemble([label('top'), ...filler(32768), jump('top')])).toThrow(
      'jump to label `top` is too far: -32769 slots',
    );
  });

  test.each([
    () => movImm(R0, 0x80000000),
    () => movImm32(R0, 0x100000000),
    () => movImm(R0, 1.5),
    () => storeImm(1, R10, -1, 256),
    () => storeImm(8, R10, -8, 0x80000000),
    () => load(4, R0, R1, 32768),
    () => jumpIf('eq', R0, 0xffffffff, 'x'),
    () => loadImm64(R0, 1n << 64n),
  ])('%s', (build) => {
    expect(build).toThrow(RangeError);
  });
});

test('items are frozen', () => {
  for (const [item] of ENCODINGS) expect(Object.isFrozen(item)).toBe(true);
});

test('the text tells instructions apart', () => {
  const register = fc.constantFrom<Register>(R0, R1, R2, R6, R10);
  const imm = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
  const offset = fc.integer({ min: -32768, max: 32767 });
  const item: fc.Arbitrary<Item> = fc.oneof(
    fc.tuple(register, register).map(([dst, src]) => mov(dst, src)),
    fc.tuple(register, imm).map(([dst, value]) => movImm(dst, value)),
    fc.tuple(register, imm).map(([dst, value]) => addImm32(dst, value)),
    fc.tuple(register, register, offset).map(([dst, src, at]) => load(4, dst, src, at)),
    fc.tuple(register, offset, register).map(([dst, at, src]) => store(2, dst, at, src)),
    fc.tuple(register, offset, imm).map(([dst, at, value]) => storeImm(8, dst, at, value)),
    fc
      .tuple(register, fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }))
      .map(([dst, value]) => loadImm64(dst, value)),
    fc.tuple(register, imm).map(([dst, value]) => jumpIf('slt', dst, value, 'end')),
  );
  fc.assert(
    fc.property(fc.array(item), fc.array(item), (left, right) => {
      const a = assemble([...left, label('end')]);
      const b = assemble([...right, label('end')]);
      const sameBytes = Buffer.compare(a, b) === 0;
      expect(disassemble(a) === disassemble(b)).toBe(sameBytes);
      expect(disassemble(a)).not.toContain('unknown');
    }),
  );
});

test('bytes that are no instruction are said to be', () => {
  expect(disassemble(Uint8Array.of(0xff, 0, 0, 0, 0, 0, 0, 0))).toBe('0: unknown opcode 0xff');
  expect(() => disassemble(new Uint8Array(7))).toThrow(RangeError);
});
