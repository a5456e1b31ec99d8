/** The cells of a page: what becomes of the calls of a group to a destination, and what changed. */
import {
  boxes,
  type Difference,
  equals,
  intersect,
  isEmpty,
  LimitError,
  type PacketSet,
  subtract,
  union,
  witness,
} from '@sockfilter/diagram';
import type { BuiltinChain, Packet } from '@sockfilter/table';
import { CHANGE_KINDS, type ChangeKind } from '../change.js';
import type { CheckContext } from '../context.js';
import { changedSets } from '../intended.js';
import { sameOwner } from '../rulefile.js';
import type { Cell, CellChange, CellPart, CellState, Outcome } from './model.js';
import type { RuleList } from './rulelist.js';
import { describeWithin } from './within.js';

const MAX_REGIONS = 12;
const MAX_RULES = 6;

export interface Compared {
  readonly before: CheckContext;
  readonly sets: Readonly<Record<ChangeKind, PacketSet>>;
  readonly changed: PacketSet;
}

export function compareSets(before: CheckContext, found: Difference): Compared {
  const sets = changedSets(found);
  return { before, sets, changed: Object.values(sets).reduce(union) };
}

interface Listed {
  readonly numbers: readonly number[];
  readonly more: number;
}

export class CellMaker {
  readonly #context: CheckContext;
  readonly #compared: Compared | undefined;
  readonly #rules: RuleList;

  constructor(context: CheckContext, compared: Compared | undefined, rules: RuleList) {
    this.#context = context;
    this.#compared = compared;
    this.#rules = rules;
  }

  /** The cell of these calls. */
  make(chain: BuiltinChain, calls: PacketSet): Cell {
    if (isEmpty(calls)) return { state: 'void', parts: [] };
    const outcomes = this.#outcomes(calls);
    const [only] = outcomes;
    const state: CellState = only && outcomes.length === 1 ? only[0] : 'mixed';
    const changes = this.#changes(chain, calls);
    const [first] = changes;
    if (first && changes.length === 1 && first.regions.length === 0 && !first.isCut)
      return { state, change: changeOf(changes), parts: changes };
    const parts = outcomes.map(([outcome, set]) => this.#part(outcome, chain, set, calls));
    return { state, change: changeOf(changes), parts: [...changes, ...parts] };
  }

  /** What becomes of the calls, and of which. */
  #outcomes(calls: PacketSet): readonly (readonly [Outcome, PacketSet])[] {
    const { accepted, refused } = this.#context;
    const [may, mayNot] = [intersect(calls, accepted), intersect(calls, refused)];
    const parts = [
      ['accepted', subtract(may, mayNot)],
      ['refused', subtract(mayNot, may)],
      ['open', intersect(may, mayNot)],
    ] as const;
    return parts.filter(([, set]) => !isEmpty(set));
  }

  #changes(chain: BuiltinChain, calls: PacketSet): readonly CellPart[] {
    const compared = this.#compared;
    if (!compared || isEmpty(intersect(calls, compared.changed))) return [];
    return CHANGE_KINDS.flatMap((kind) => {
      const set = intersect(calls, compared.sets[kind]);
      return isEmpty(set) ? [] : [this.#part(kind, chain, set, calls)];
    });
  }

  #part(kind: CellPart['kind'], chain: BuiltinChain, set: PacketSet, calls: PacketSet): CellPart {
    const packet = witness(set);
    if (!packet) throw new TypeError('an empty set has no call');
    const now = this.#deciders(this.#context, set, packet);
    const compared = this.#compared;
    const isChange = kind !== 'accepted' && kind !== 'refused' && kind !== 'open';
    const old = isChange && compared ? this.#deciders(compared.before, set, packet) : undefined;
    const { call, command } = this.#context.witness(packet);
    const { regions, isCut } = equals(set, calls)
      ? { regions: [], isCut: false }
      : regionsOf(set, chain);
    return {
      kind,
      regions,
      isCut,
      rules: now.numbers,
      ...(old && { before: old.numbers }),
      moreRules: now.more + (old?.more ?? 0),
      call,
      command,
    };
  }

  #deciders(context: CheckContext, set: PacketSet, packet: Packet): Listed {
    const { file, loaded, tracer } = context;
    const { decider } = tracer.decide(packet);
    const others = loaded
      .deciders(set)
      .map((counter) => loaded.ownerOf(counter))
      .filter((owner) => !sameOwner(owner, decider));
    const shown = [decider, ...others.slice(0, MAX_RULES - 1)];
    return {
      numbers: shown.map((owner) => this.#rules.numberOf(file, owner)),
      more: others.length + 1 - shown.length,
    };
  }
}

function changeOf(changes: readonly CellPart[]): CellChange | undefined {
  const kinds = new Set(changes.map(({ kind }) => kind));
  if (kinds.has('newly accepted')) return kinds.has('newly refused') ? 'both' : 'newly accepted';
  if (kinds.has('newly refused')) return 'newly refused';
  return CHANGE_KINDS.find((kind) => kinds.has(kind));
}

function regionsOf(set: PacketSet, chain: BuiltinChain) {
  try {
    const found = [...new Set(boxes(set, 256).map((box) => describeWithin(box, chain)))];
    return { regions: found.slice(0, MAX_REGIONS), isCut: found.length > MAX_REGIONS };
  } catch (error) {
    if (error instanceof LimitError) return { regions: [], isCut: true };
    throw error;
  }
}
