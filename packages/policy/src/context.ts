/** What all checks of one file share, each thing made when it is first asked. */
import { intersect, type LoadedTable, type PacketSet, Universe, union } from '@sockfilter/diagram';
import {
  assumeIn,
  type BuiltinChain,
  type Chain,
  type Circumstances,
  type CounterOwner,
  calledChain,
  chainNumber,
  counterOwners,
  isBuiltinChain,
  isFree,
  type Packet,
  placedTests,
  type Rule,
  registerPaths,
  type Table,
  valueSet,
} from '@sockfilter/table';
import { makeWitness } from './call.js';
import { CATALOGUE, type Code } from './catalogue.js';
import type { Finding, Place, Proof, Witness } from './finding.js';
import type { RuleFile } from './rulefile.js';
import { Tracer } from './trace.js';

/** The chain alone, as a set. */
export function chainSet(universe: Universe, chain: BuiltinChain): PacketSet {
  const set = valueSet(chainNumber(chain));
  return universe.matching([[{ field: 'chain', set, negated: false }]]);
}

/** What a check says; the rest of the finding follows from its code. */
export interface Said {
  readonly place: Place;
  readonly message: string;
  readonly notes?: Finding['notes'];
  readonly packet?: Packet | undefined;
  readonly fix?: string | undefined;
  /** In the stead of notes and packet, where they cost something and most are never read. */
  readonly proof?: (() => Pick<Said, 'notes' | 'packet'>) | undefined;
}

export class CheckContext {
  readonly file: RuleFile;
  /** With a group for each path that a rule names, as loading the file would make it. */
  readonly table: Table;
  readonly universe: Universe;
  readonly loaded: LoadedTable;
  readonly owners: readonly CounterOwner[];
  readonly tracer: Tracer;
  readonly #matching = new Map<Rule, PacketSet>();
  readonly #entering = new Map<Chain, PacketSet>();
  readonly #callers = new Map<string, Rule[]>();
  readonly #owners: ReadonlyMap<Rule, CounterOwner>;
  /** Whether a rule asks more than fields of calls. */
  readonly hasTests: boolean;
  /** Of findings whose proof is yet to be made. */
  readonly #proofs = new Map<Finding, () => Proof>();
  readonly #loadedIn = new Map<string, LoadedTable>();
  #dead: ReadonlySet<number> | undefined;
  /** Rules that some call meets. */
  #met: ReadonlySet<Rule> | undefined;
  #accepted: PacketSet | undefined;
  #refused: PacketSet | undefined;

  constructor(file: RuleFile, universe = new Universe()) {
    this.file = file;
    this.table = registerPaths(file.table, 0);
    this.universe = universe;
    this.loaded = universe.load(this.table);
    this.owners = counterOwners(this.table);
    this.#owners = new Map(
      this.owners.flatMap((owner) => (owner.rule ? [[owner.rule, owner]] : [])),
    );
    this.tracer = new Tracer(this.table);
    this.hasTests = placedTests(this.table).some(({ test }) => isFree(test));
    for (const { rule } of this.owners) {
      if (!rule) continue;
      const called = calledChain(rule.target);
      if (called === undefined) continue;
      const known = this.#callers.get(called);
      if (known) known.push(rule);
      else this.#callers.set(called, [rule]);
    }
  }

  get accepted(): PacketSet {
    this.#accepted ??= this.loaded.mayAccept;
    return this.#accepted;
  }

  get refused(): PacketSet {
    this.#refused ??= this.loaded.mayRefuse;
    return this.#refused;
  }

  /** The table as it decides in such circumstances. */
  loadedIn(circumstances: Circumstances): LoadedTable {
    const key = JSON.stringify(circumstances);
    const known = key === '{}' || !this.hasTests ? this.loaded : this.#loadedIn.get(key);
    if (known) return known;
    const loaded = this.universe.load(this.table, assumeIn(circumstances));
    this.#loadedIn.set(key, loaded);
    return loaded;
  }

  /** Counters of rules and policies that no call can meet. */
  get dead(): ReadonlySet<number> {
    this.#dead ??= new Set(this.loaded.deadCounters());
    return this.#dead;
  }

  /** Where a rule of the table stands. */
  ownerOf(rule: Rule): CounterOwner | undefined {
    return this.#owners.get(rule);
  }

  /** Calls that the rule's own options match. */
  matching(rule: Rule): PacketSet {
    const known = this.#matching.get(rule);
    if (known !== undefined) return known;
    const set = this.universe.matchingRule(rule, this.table);
    this.#matching.set(rule, set);
    return set;
  }

  /** The rules that jump or go to the chain. */
  callersOf(chain: Chain): readonly Rule[] {
    return this.#callers.get(chain.name) ?? [];
  }

  /** False for a user chain that no call enters. */
  isReached(chain: Chain): boolean {
    if (chain.policy !== undefined) return true;
    this.#met ??= new Set(
      this.owners.flatMap(({ rule }, counter) => (rule && !this.dead.has(counter) ? [rule] : [])),
    );
    const met = this.#met;
    return this.callersOf(chain).some((rule) => met.has(rule));
  }

  /** Calls that would enter the chain if no rule decided before: what its callers let in. */
  entering(chain: Chain): PacketSet {
    const known = this.#entering.get(chain);
    if (known !== undefined) return known;
    let set = this.universe.empty;
    if (isBuiltinChain(chain.name)) set = chainSet(this.universe, chain.name);
    else
      for (const rule of this.callersOf(chain)) {
        const from = this.ownerOf(rule)?.chain;
        if (from) set = union(set, intersect(this.entering(from), this.matching(rule)));
      }
    this.#entering.set(chain, set);
    return set;
  }

  witness(packet: Packet): Witness {
    return makeWitness(packet, this.table.groups, this.file.name);
  }

  find(code: Code, { place, message, notes = [], packet, fix, proof }: Said): Finding {
    const { severity } = CATALOGUE[code];
    const witness = packet && this.witness(packet);
    const finding = { code, severity, place, message, notes, witness, fix };
    if (proof)
      this.#proofs.set(finding, () => {
        const made = proof();
        return {
          notes: made.notes ?? [],
          witness: made.packet && this.witness(made.packet),
        };
      });
    return finding;
  }

  /** How the finding is shown to be so, if that is not made yet. */
  readonly proofOf = (finding: Finding): (() => Proof) | undefined => this.#proofs.get(finding);
}

export type Check = (context: CheckContext) => Iterable<Finding>;
