/** A finished diagram, and what it says of a packet. */
import {
  type BuiltinChain,
  type Decision,
  elementAt,
  type Packet,
  type Report,
  type Reporters,
  rewrite,
} from '@sockfilter/table';
import type { Outcome, Outcomes, Verdict } from './outcome.js';
import { pieceValues, RANK } from './piece.js';
import { reportsOf } from './reporting.js';
import type { DiagramStore, Ref } from './store.js';

export interface Layered {
  /** In how many layers the rules of the chain are. */
  readonly layers: number;
  /** How many roots its walks go through, from that with the verdicts of the others on. */
  readonly steps: number;
}

/** A table's decision diagrams, in a store of their own with hardly anything else. */
export interface Diagram {
  readonly store: DiagramStore;
  /**
   * Diagrams to walk, each for its part of the answer, up to the first verdict: those that only count, then the one
   * with the verdicts; behind that, of chains in layers, all steps but the first. A packet's counts are those of all
   * together.
   */
  readonly roots: readonly Ref[];
  /** The number of the root with the verdicts of chains that are one diagram. */
  readonly verdicts: number;
  /** The chains that are not. */
  readonly layered: ReadonlyMap<BuiltinChain, Layered>;
  /** What each terminal means, by its number. */
  readonly outcomes: Outcomes;
  /** Which counters report. One diagram has all counters of a call that may be traced. */
  readonly reporters: Reporters;
}

/** The diagram of the verdicts; of chains in layers, of their first step. */
export function verdictRoot({ roots, verdicts }: Diagram): Ref {
  return elementAt(roots, verdicts);
}

/** The roots that walks of the chain go through. */
export function rootsOf(
  { roots, verdicts, layered }: Diagram,
  chain: BuiltinChain,
): readonly Ref[] {
  return roots.slice(0, verdicts + (layered.get(chain)?.steps ?? 1));
}

/** Whether the test with the number holds of the call as it stands then, each time that it is asked. */
export type Answers = (test: number, packet: Packet) => boolean;

/** For tables without opaque tests. */
export const nobodyAnswers: Answers = (test) => {
  throw new TypeError(`nobody answers for test ${test}`);
};

/** What becomes of a packet: what evaluate() says, but for the order of `counted` and of logs of several diagrams. */
export function decide(
  diagram: Diagram,
  packet: Packet,
  answers: Answers = nobodyAnswers,
): Decision {
  const values = pieceValues(packet);
  const counted: number[] = [];
  const reports: Report[] = [];
  let verdict: Verdict | undefined;
  for (const root of diagram.roots) {
    let isTraced = false;
    for (let at: Ref | undefined = diagram.store.walk(root, values); at !== undefined; ) {
      const outcome: Outcome = diagram.outcomes.of(at);
      for (const counter of outcome.counted) {
        counted.push(counter);
        const reported = reportsOf(diagram.reporters, counter, isTraced);
        reports.push(...reported.reports);
        ({ isTraced } = reported);
      }
      verdict = outcome.verdict;
      if (outcome.rank !== undefined) values[RANK] = outcome.rank;
      const { ask } = outcome;
      at = ask && (answers(ask.test, rewrite(packet, ask.as)) ? ask.holds : ask.fails);
    }
    if (verdict) break;
  }
  if (!verdict) throw new TypeError('the last diagram has no verdicts');
  const { errno, decider, rewriting } = verdict;
  return { errno, decider, counted, reports, packet: rewrite(packet, rewriting) };
}
