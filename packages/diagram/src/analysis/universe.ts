/** Where sets of packets and tables are compared: one store, so that equal sets are equal numbers. */
import type { Assume, Clause, Rule, Table } from '@sockfilter/table';
import { DEFAULT_LIMITS, type Limits } from '../limit.js';
import { explainLimit } from '../wayout.js';
import { type Box, boxClauses } from './box.js';
import { LoadedTable } from './loadedtable.js';
import { type PacketSet, packetSet } from './packetset.js';
import { possibleRef } from './possible.js';
import { IN, OUT, SetStore } from './setstore.js';

export class Universe {
  readonly limits: Limits;
  /** All packets that can happen, of every chain and family. */
  readonly possible: PacketSet;
  readonly empty: PacketSet;
  readonly #store: SetStore;

  /** @param limits what all its sets and tables may cost together */
  constructor(limits: Partial<Limits> = {}) {
    this.limits = { ...DEFAULT_LIMITS, ...limits };
    this.#store = new SetStore(this.limits, possibleRef);
    this.possible = packetSet(this.#store, this.#store.possible);
    this.empty = packetSet(this.#store, OUT);
  }

  /** The possible packets for which all the clauses hold. */
  matching(clauses: readonly Clause[]): PacketSet {
    const condition = this.#store.conditions.compile(clauses, IN);
    return packetSet(this.#store, this.#store.intersect(this.possible.ref, condition));
  }

  /** The possible packets that the rule matches, or may match: opaque tests have a say. */
  matchingRule(rule: Rule, table: Table): PacketSet {
    const condition = this.#store.conditions.compileRule({ rule }, table, IN);
    return packetSet(this.#store, this.#store.intersect(this.possible.ref, condition));
  }

  /** The possible packets in the box. Without a family its addresses are numbers, of both families. */
  box(box: Box): PacketSet {
    return this.matching(boxClauses(box));
  }

  /** Decides the table for all packets at once. It must be valid; LimitError where it costs too much. */
  load(table: Table, assume?: Assume): LoadedTable {
    return explainLimit(table, () => new LoadedTable(this.#store, table, assume));
  }
}
