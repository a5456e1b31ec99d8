/**
 * What a call draws where rules have several destinations for it: a number by which one of them is chosen. It is a
 * field of the packet to diagrams and programs; no rule tests it, nobody writes it down, and what is told of calls
 * holds for some number.
 */

/** How many bits each number has. `chance` is another one for each call, `persistence` the same for each caller. */
export const LUCK_BITS = { chance: 32, persistence: 16 } as const;

export type Luck = keyof typeof LUCK_BITS;

export const LUCKS: readonly Luck[] = ['chance', 'persistence'];

export function isLuck(name: string): name is Luck {
  return Object.hasOwn(LUCK_BITS, name);
}

/** One of several values of a part: the number of it is `(drawn * of >> bits) / step % count`, rounded down. */
export interface Choice {
  readonly by: Luck;
  /** How many destinations there are: values of all parts, each with each; below 2^32. */
  readonly of: number;
  /** By how many of them the next value of this part comes. */
  readonly step: number;
  readonly count: number;
  /** The first and last number that is still possible where the walk of rules is. */
  readonly within?: readonly [first: number, last: number];
}

/** The numbers of values that are possible. */
export function possibleNumbers({ within, count }: Choice): readonly [first: number, last: number] {
  return within ?? [0, count - 1];
}

/** Which of so many destinations a drawn number stands for. */
export function drawnNumber(drawn: number, { by, of }: Pick<Choice, 'by' | 'of'>): number {
  return Number((BigInt(drawn) * BigInt(of)) >> BigInt(LUCK_BITS[by]));
}

/** The drawn numbers that stand for the destinations from `first` to `last`; undefined for none. */
export function drawsOf(
  { by, of }: Pick<Choice, 'by' | 'of'>,
  first: number,
  last: number,
): readonly [from: bigint, to: bigint] | undefined {
  const all = BigInt(of);
  const lowest = (n: number) => ((BigInt(n) << BigInt(LUCK_BITS[by])) + all - 1n) / all;
  const [from, to] = [lowest(first), lowest(last + 1) - 1n];
  return from <= to ? [from, to] : undefined;
}
