/** What is told where a call could take more steps than the programs make: whose call, at which rules, and what can be done. */
import { firstPiece, MEET_FEWER } from '@sockfilter/diagram';
import {
  BUILTIN_CHAINS,
  type BuiltinChain,
  type CounterOwner,
  chainNumber,
  elementAt,
  type PlacedTest,
} from '@sockfilter/table';
import type { Blob } from './blob.js';
import { CapacityError } from './capacity.js';
import { ASK_NODES, MOST_STEPS, NODE, OP, placeFor, placesIn, SWITCH } from './layout.js';
import { stepsOf } from './summary.js';

type Tests = readonly PlacedTest[];

/** Where the rules are: of chains, that which has the most of them. */
export function ruleSpan(owners: readonly CounterOwner[]): string {
  const byChain = new Map<string, number[]>();
  for (const { chain, number } of owners) {
    const numbers = byChain.get(chain.name) ?? [];
    byChain.set(chain.name, numbers);
    numbers.push(number);
  }
  const all = [...byChain].map(([chain, numbers]) => ({ chain, numbers }));
  const { chain, numbers } = all.reduce((a, b) => (b.numbers.length > a.numbers.length ? b : a));
  const from = numbers.reduce((a, b) => Math.min(a, b));
  const to = numbers.reduce((a, b) => Math.max(a, b));
  return from === to
    ? `rule ${from} of chain ${chain}`
    : `rules ${from} to ${to} of chain ${chain}`;
}

const CHAIN = firstPiece('chain');

/** The addresses that the node leads to for calls of the chain. */
function behind(words: Uint32Array, at: number, address: number, chain: number): readonly number[] {
  const head = elementAt(words, at);
  const target = elementAt(words, at + 1);
  const op = head >>> 24;
  if (op === OP.jump) return [target];
  if (op === OP.count || op === OP.report || op === OP.rewrite) return [address + 1];
  if (op === OP.ask) return [target, address + ASK_NODES];
  const value = head & 0xffff;
  const isOfChain = ((head >>> 16) & 0xff) === CHAIN;
  if (op !== OP.switch) {
    const isElsewhere = op === OP.less ? chain < value : chain !== value;
    return isOfChain ? [isElsewhere ? target : address + 1] : [target, address + 1];
  }
  const places = placesIn(elementAt(words, at + SWITCH.places / 4));
  if (isOfChain) return [placeFor(target, places, chain - value)];
  return Array.from({ length: places.last + 1 }, (_, n) => target + (n << places.width));
}

/** The rules that a walk meets which cost it steps of their own, by counter, and those of them that ask. */
interface Met {
  readonly chain: BuiltinChain;
  readonly rules: ReadonlySet<number>;
  readonly asking: ReadonlySet<number>;
}

/** Those of the longest walk of calls of the chain. */
function metIn({ words, first, entries, summaries }: Blob, chain: BuiltinChain, tests: Tests): Met {
  const rules = new Set<number>();
  const asking = new Set<number>();
  // Where a walk is longer than a summary can say, the nodes at its end have none.
  const stepsFrom = (address: number) => {
    const isEnd = elementAt(words, 2 * (address - first)) >>> 24 === OP.verdict;
    return isEnd ? 0 : 1 + stepsOf(elementAt(summaries, address - first));
  };
  for (let address = entries[chain]; ; ) {
    const at = 2 * (address - first);
    const op = elementAt(words, at) >>> 24;
    if (op === OP.verdict) return { chain, rules, asking };
    if (op === OP.count) rules.add(elementAt(words, at + 1));
    if (op === OP.ask) {
      const { counter } = elementAt(tests, elementAt(words, at + NODE.test / 4));
      rules.add(counter);
      asking.add(counter);
    }
    const longest = (a: number, b: number) => (stepsFrom(b) > stepsFrom(a) ? b : a);
    address = behind(words, at, address, chainNumber(chain)).reduce(longest);
  }
}

/** From so few rules on a walk it is their fields that cost the steps. */
const FEW_RULES = MOST_STEPS / 4;

function wayOut(rules: number, asking: number): string {
  if (rules < FEW_RULES)
    return 'let fewer of them overlap: name both ends, or one group in each with `-m cgroup --id`';
  const kinds = [
    asking > 0 ? `${asking} ask a set, a state, a clock or chance` : [],
    rules > asking ? `${rules - asking} only count, log, mark or call a chain` : [],
  ].flat();
  return `of these ${rules} rules ${kinds.join(' and ')}, and calls go on behind them: ${MEET_FEWER}`;
}

/** The limit that the blob has reached; `tests` and `owners` are the table's. */
export function longWalkError(
  blob: Blob,
  tests: Tests,
  owners: readonly CounterOwner[],
): CapacityError {
  const { chain, rules, asking } = BUILTIN_CHAINS.map((name) => metIn(blob, name, tests)).reduce(
    (a, b) => (b.rules.size > a.rules.size ? b : a),
  );
  const met = [...rules].map((counter) => elementAt(owners, counter));
  const through = met.length === 0 ? '' : `, which can meet ${ruleSpan(met)}`;
  const what = `steps of a call in ${chain}${through}`;
  return new CapacityError(what, undefined, MOST_STEPS, wayOut(met.length, asking.size));
}
