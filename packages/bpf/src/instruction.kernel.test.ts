import fc from 'fast-check';
import * as bpf from './index.js';
import { index, kernelTests, wordAt, words } from './testing/kernelTests.js';

const { R0, R6, R7, R9, R10 } = bpf;

const u64 = (value: bigint): bigint => BigInt.asUintN(64, value);
const u32 = (value: bigint): bigint => BigInt.asUintN(32, value);

type Binary = (dst: bpf.Register, src: bpf.Register) => bpf.Item;
type Immediate = (dst: bpf.Register, imm: number) => bpf.Item;

interface Operation {
  readonly name: string;
  readonly forms: readonly [Binary, Binary, Immediate, Immediate];
  /** On unsigned operands of `bits` bits. */
  readonly meaning: (a: bigint, b: bigint, bits: 32 | 64) => bigint;
}

const shift = (b: bigint, bits: 32 | 64): bigint => b & BigInt(bits - 1);

const OPERATIONS: readonly Operation[] = [
  { name: 'mov', forms: [bpf.mov, bpf.mov32, bpf.movImm, bpf.movImm32], meaning: (_, b) => b },
  { name: 'add', forms: [bpf.add, bpf.add32, bpf.addImm, bpf.addImm32], meaning: (a, b) => a + b },
  { name: 'sub', forms: [bpf.sub, bpf.sub32, bpf.subImm, bpf.subImm32], meaning: (a, b) => a - b },
  { name: 'mul', forms: [bpf.mul, bpf.mul32, bpf.mulImm, bpf.mulImm32], meaning: (a, b) => a * b },
  {
    name: 'div',
    forms: [bpf.div, bpf.div32, bpf.divImm, bpf.divImm32],
    meaning: (a, b) => (b === 0n ? 0n : a / b),
  },
  {
    name: 'mod',
    forms: [bpf.mod, bpf.mod32, bpf.modImm, bpf.modImm32],
    meaning: (a, b) => (b === 0n ? a : a % b),
  },
  { name: 'or', forms: [bpf.or, bpf.or32, bpf.orImm, bpf.orImm32], meaning: (a, b) => a | b },
  { name: 'and', forms: [bpf.and, bpf.and32, bpf.andImm, bpf.andImm32], meaning: (a, b) => a & b },
  { name: 'xor', forms: [bpf.xor, bpf.xor32, bpf.xorImm, bpf.xorImm32], meaning: (a, b) => a ^ b },
  {
    name: 'lsh',
    forms: [bpf.lsh, bpf.lsh32, bpf.lshImm, bpf.lshImm32],
    meaning: (a, b, bits) => a << shift(b, bits),
  },
  {
    name: 'rsh',
    forms: [bpf.rsh, bpf.rsh32, bpf.rshImm, bpf.rshImm32],
    meaning: (a, b, bits) => a >> shift(b, bits),
  },
  {
    name: 'arsh',
    forms: [bpf.arsh, bpf.arsh32, bpf.arshImm, bpf.arshImm32],
    meaning: (a, b, bits) => BigInt.asIntN(bits, a) >> shift(b, bits),
  },
];

interface Comparison {
  readonly condition: bpf.Condition;
  readonly holds: (a: bigint, b: bigint, bits: 32 | 64) => boolean;
}

const COMPARISONS: readonly Comparison[] = [
  { condition: 'eq', holds: (a, b) => a === b },
  { condition: 'ne', holds: (a, b) => a !== b },
  { condition: 'gt', holds: (a, b) => a > b },
  { condition: 'ge', holds: (a, b) => a >= b },
  { condition: 'lt', holds: (a, b) => a < b },
  { condition: 'le', holds: (a, b) => a <= b },
  { condition: 'set', holds: (a, b) => (a & b) !== 0n },
  { condition: 'sgt', holds: (a, b, bits) => BigInt.asIntN(bits, a) > BigInt.asIntN(bits, b) },
  { condition: 'sge', holds: (a, b, bits) => BigInt.asIntN(bits, a) >= BigInt.asIntN(bits, b) },
  { condition: 'slt', holds: (a, b, bits) => BigInt.asIntN(bits, a) < BigInt.asIntN(bits, b) },
  { condition: 'sle', holds: (a, b, bits) => BigInt.asIntN(bits, a) <= BigInt.asIntN(bits, b) },
];

/** Loads `a` and `b` from the map to r6 and r7 each time, and stores what each body leaves in r6. */
function calculator(bodies: readonly (readonly bpf.Item[])[]): bpf.ProgramSpec {
  return {
    name: 'calculator',
    type: 'sched_cls',
    license: 'GPL',
    items: [
      bpf.loadMapValue(R9, 'memory', 0),
      ...bodies.flatMap((body, place) => [
        bpf.load(8, R6, R9, 0),
        bpf.load(8, R7, R9, 8),
        ...body,
        bpf.store(8, R9, 16 + 8 * place, R6),
      ]),
      bpf.movImm(R0, 0),
      bpf.exit(),
    ],
  };
}

function runner(bodies: readonly (readonly bpf.Item[])[]): {
  readonly run: (a: bigint, b: bigint) => bigint[];
  readonly end: () => void;
} {
  const valueSize = 16 + 8 * bodies.length;
  const memory = bpf.createMap({
    type: 'array',
    name: 'memory',
    keySize: 4,
    valueSize,
    maxEntries: 1,
  });
  const program = bpf.loadProgram(calculator(bodies), { memory });
  return {
    run(a, b) {
      const value = new Uint8Array(valueSize);
      value.set(words(a, b));
      bpf.update(memory, index(0), value);
      bpf.testRun(program, { dataIn: new Uint8Array(14) });
      const after = bpf.lookup(memory, index(0), valueSize) ?? new Uint8Array(0);
      return bodies.map((_, place) => wordAt(after, 2 + place));
    },
    end() {
      bpf.close(program);
      bpf.close(memory);
    },
  };
}

const word = fc.oneof(
  fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
  fc.constantFrom(0n, 1n, 63n, 1n << 31n, (1n << 32n) - 1n, 1n << 32n, 1n << 63n, (1n << 64n) - 1n),
);

kernelTests('instructions', () => {
  test('arithmetic of registers', () => {
    const { run, end } = runner(
      OPERATIONS.flatMap(({ forms: [wide, narrow] }) => [[wide(R6, R7)], [narrow(R6, R7)]]),
    );
    try {
      fc.assert(
        fc.property(word, word, (a, b) => {
          const expected = OPERATIONS.flatMap(({ meaning }) => [
            u64(meaning(a, b, 64)),
            u32(meaning(u32(a), u32(b), 32)),
          ]);
          expect(run(a, b)).toEqual(expected);
        }),
        { numRuns: 500 },
      );
    } finally {
      end();
    }
  });

  test('arithmetic with immediates', () => {
    // The verifier refuses constant shifts by the width or more, and constant division by zero.
    const isTaken = (name: string, imm: number): boolean => {
      if (name === 'div' || name === 'mod') return imm !== 0;
      return !name.endsWith('sh') || (imm >= 0 && imm < 32);
    };
    const imm = fc.oneof(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }), fc.nat(31));
    fc.assert(
      fc.property(imm, word, (value, a) => {
        const taken = OPERATIONS.filter(({ name }) => isTaken(name, value));
        const { run, end } = runner(
          taken.flatMap(({ forms: [, , wide, narrow] }) => [
            [wide(R6, value)],
            [narrow(R6, value)],
          ]),
        );
        try {
          const b = BigInt(value);
          const expected = taken.flatMap(({ meaning }) => [
            u64(meaning(a, u64(b), 64)),
            u32(meaning(u32(a), u32(b), 32)),
          ]);
          expect(run(a, 0n)).toEqual(expected);
        } finally {
          end();
        }
      }),
    );
  });

  test('negation and byte order', () => {
    const { run, end } = runner([
      [bpf.neg(R6)],
      [bpf.neg32(R6)],
      [bpf.toBig(R6, 16)],
      [bpf.toBig(R6, 32)],
      [bpf.toBig(R6, 64)],
      [bpf.toLittle(R6, 16)],
    ]);
    const a = 0x1122334455667788n;
    expect(run(a, 0n)).toEqual([
      u64(-a),
      u32(-a),
      0x8877n,
      0x88776655n,
      0x8877665544332211n,
      0x7788n,
    ]);
    end();
  });

  test('conditional jumps', () => {
    const decide = (tag: string, build: (target: string) => bpf.Item): bpf.Item[] => [
      build(`yes ${tag}`),
      bpf.movImm(R6, 0),
      bpf.jump(`end ${tag}`),
      bpf.label(`yes ${tag}`),
      bpf.movImm(R6, 1),
      bpf.label(`end ${tag}`),
    ];
    const { run, end } = runner(
      COMPARISONS.flatMap(({ condition }) => [
        decide(`${condition} 64`, (target) => bpf.jumpIf(condition, R6, R7, target)),
        decide(`${condition} 32`, (target) => bpf.jumpIf32(condition, R6, R7, target)),
        decide(`${condition} 64 imm`, (target) => bpf.jumpIf(condition, R6, -7, target)),
        decide(`${condition} 32 imm`, (target) => bpf.jumpIf32(condition, R6, 0xfffffff9, target)),
      ]),
    );
    const near = fc.oneof(word, fc.constantFrom(u64(-7n), u32(-7n), u64(-8n), u64(-6n)));
    try {
      fc.assert(
        fc.property(near, near, (a, b) => {
          const expected = COMPARISONS.flatMap(({ holds }) =>
            [
              holds(a, b, 64),
              holds(u32(a), u32(b), 32),
              holds(a, u64(-7n), 64),
              holds(u32(a), u32(-7n), 32),
            ].map((is) => (is ? 1n : 0n)),
          );
          expect(run(a, b)).toEqual(expected);
        }),
        { numRuns: 500 },
      );
    } finally {
      end();
    }
  });

  test('memory of every size and atomic addition', () => {
    const { run, end } = runner([
      [bpf.storeImm(8, R10, -8, -1), bpf.store(1, R10, -8, R6), bpf.load(8, R6, R10, -8)],
      [bpf.storeImm(8, R10, -8, -1), bpf.store(2, R10, -8, R6), bpf.load(8, R6, R10, -8)],
      [bpf.storeImm(8, R10, -8, -1), bpf.store(4, R10, -8, R6), bpf.load(8, R6, R10, -8)],
      [bpf.store(8, R10, -8, R6), bpf.atomicAdd(8, R10, -8, R7), bpf.load(8, R6, R10, -8)],
      [bpf.store(8, R10, -8, R6), bpf.atomicAdd(4, R10, -8, R7), bpf.load(8, R6, R10, -8)],
      [bpf.store(8, R10, -8, R6), bpf.load(1, R6, R10, -7)],
      [bpf.store(8, R10, -8, R6), bpf.load(2, R6, R10, -6)],
      [bpf.store(8, R10, -8, R6), bpf.load(4, R6, R10, -4)],
    ]);
    const a = 0x8899aabbccddeeffn;
    expect(run(a, 0x1111111111111111n)).toEqual([
      0xffffffffffffffffn,
      0xffffffffffffeeffn,
      0xffffffffccddeeffn,
      0x99aabbccddef0010n,
      0x8899aabbddef0010n,
      0xeen,
      0xccddn,
      0x8899aabbn,
    ]);
    end();
  });
});
