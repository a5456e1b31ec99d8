/** What a diagram may cost: past a limit the build fails, it never hangs or eats the machine. */

export interface Limits {
  /** Edges in one node pool while building, garbage included; an edge takes 6 bytes. */
  readonly poolEdges: number;
  /** Edges in the pool from which on rules are put into layers, if they can be; as many more for each 10,000 rules. */
  readonly layerEdges: number;
  /** Edges of the finished diagram. */
  readonly edges: number;
  /** Edges looked at while building: the bound on time. */
  readonly steps: number;
  /** Counters in the lists of all terminals together. */
  readonly counted: number;
  /** Opaque tests that one call is asked, one after the other. Who goes along them calls itself for each. */
  readonly asked: number;
  /** Diagrams that only count, beside the one of the verdicts. */
  readonly countingDiagrams: number;
  /** Ways in which calls can be rewritten, at all places of the chains together. */
  readonly rewritings: number;
  /** Rules of a chain in layers, each once for each call of its chain. */
  readonly entries: number;
  /** Boxes to describe a set of packets with. */
  readonly boxes: number;
}

export const DEFAULT_LIMITS: Limits = {
  poolEdges: 16_000_000,
  layerEdges: 1_000_000,
  edges: 4_000_000,
  steps: 100_000_000,
  counted: 2_000_000,
  asked: 1024,
  countingDiagrams: 64,
  rewritings: 4096,
  entries: 0xffff,
  boxes: 10_000,
};

/** Rules for which a diagram may cost as much again as one of few before layers are tried. */
export const RULES_EACH = 10_000;

const WORDS: Readonly<Record<keyof Limits, string>> = {
  poolEdges: 'edges while it is built',
  layerEdges: 'edges of a layer',
  edges: 'edges',
  steps: 'steps to build',
  counted: 'counters in its terminals',
  asked: 'tests of a set, a state, a clock or chance for one call',
  countingDiagrams: 'diagrams to count with',
  rewritings: 'ways in which calls are rewritten',
  entries: 'rules, each where it is called,',
  boxes: 'boxes to describe a set of packets',
};

/** Rules of a chain by number, both ends included; only the chain when there is no one rule to blame. */
export interface RuleSpan {
  readonly chain: string;
  readonly rules?: readonly [from: number, to: number];
}

function spanText({ chain, rules }: RuleSpan): string {
  if (!rules) return `chain ${chain}`;
  const [from, to] = rules;
  return from === to
    ? `rule ${from} of chain ${chain}`
    : `rules ${from} to ${to} of chain ${chain}`;
}

/** What is known of why a limit is reached. */
interface LimitCause {
  readonly span?: RuleSpan | undefined;
  readonly help?: string | undefined;
}

/** What can be done where one call can meet too many rules that let it go on. */
export const MEET_FEWER =
  'name an address, a port or a group in each, so that no call meets many of them, or have fewer';

/** A limit was reached. */
export class LimitError extends Error {
  override readonly name = 'LimitError';
  readonly limit: keyof Limits;
  readonly figure: number;
  readonly span: RuleSpan | undefined;
  /** What can be done about it. */
  readonly help: string | undefined;

  constructor(limit: keyof Limits, figure: number, { span, help }: LimitCause = {}) {
    const place = span ? `: stuck at ${spanText(span)}` : '';
    super(`the decision diagram needs more than ${figure} ${WORDS[limit]}${place}`);
    this.limit = limit;
    this.figure = figure;
    this.span = span;
    this.help = help;
  }
}

/** Adds the rules at work to a limit that is reached, unless inner ones are named. */
export function blame<T>(span: RuleSpan, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof LimitError && !error.span)
      throw new LimitError(error.limit, error.figure, { span });
    throw error;
  }
}
