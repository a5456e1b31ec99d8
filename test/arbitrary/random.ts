import { elementAt } from '@sockfilter/table';

/** A seeded source of choices, for loops in which fast-check's arbitraries would cost too much. */
export interface Random {
  /** An integer from 0 up to, without, `end`. */
  below(end: number): number;
  /** True once in so many times. */
  oneIn(times: number): boolean;
  pick<T>(values: readonly T[]): T;
  /** An unsigned integer of so many bits. */
  bits(count: number): bigint;
}

/** Mulberry32, by Tommy Ettinger: 32 bits of state are plenty for a test. */
export function seeded(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
  const below = (end: number) => Math.floor((next() / 2 ** 32) * end);
  return {
    below,
    oneIn: (times) => below(times) === 0,
    pick: (values) => elementAt(values, below(values.length)),
    bits: (count) => {
      let value = 0n;
      for (let got = 0; got < count; got += 32) value = (value << 32n) | BigInt(next());
      return BigInt.asUintN(count, value);
    },
  };
}
