/** What commands make of the rules of a chain that is kept as its lines, which are not read: those that stay stay lines. */
import {
  nextLine,
  numberOfRule,
  placeOfRule,
  placesOfLine,
  printRule,
  type RuleDraft,
  type RulePlace,
} from '@sockfilter/iptables';
import { noSuchRule, type Rule, type RuleSplice, requireChain } from '@sockfilter/table';
import type { KeptTable } from './opentable.js';

/** A rule that comes, and its line. */
interface NewRule {
  readonly rule: Rule;
  readonly line: string;
}

/** Lines that stay, by their rules' numbers from 0, or a rule that comes. */
type Piece = { readonly from: number; readonly to: number } | NewRule;

const lengthOf = (piece: Piece) => ('rule' in piece ? 1 : piece.to - piece.from);

/** Lines of a chain that go, and rules that come in their place. */
export interface LineChange {
  /** The number of the first that goes, or of the one before which rules come, from 0. */
  readonly index: number;
  /** Where that line begins, and where the first behind those that go does. */
  readonly at: number;
  readonly next: number;
  readonly gone: readonly string[];
  readonly added: readonly NewRule[];
}

/** A chain that becomes another. */
export interface EditedChain {
  readonly name: string;
  /** In the order of its lines, some of which stay between two. */
  readonly changes: readonly LineChange[];
}

class KeptDraft implements RuleDraft {
  readonly #table: KeptTable;
  readonly #chain: string;
  /** Where lines stand that have been looked for by what they say, by their numbers from 0. */
  readonly #found = new Map<number, number>();
  readonly #pieces: Piece[];
  #length: number;

  /** Throws TableError where there is no such chain. */
  constructor(table: KeptTable, chain: string) {
    requireChain(table.head, chain);
    this.#table = table;
    this.#chain = chain;
    this.#length = table.kept.rulesOf(chain);
    this.#pieces = [{ from: 0, to: this.#length }];
  }

  get length(): number {
    return this.#length;
  }

  append(rules: readonly Rule[]): void {
    this.splice({ at: this.#length, removed: 0, added: rules });
  }

  splice({ at, removed, added }: RuleSplice): void {
    const first = this.#cut(at);
    const pieces = added.map((rule) => ({ rule, line: this.#lineOf(rule) }));
    this.#pieces.splice(first, this.#cut(at + removed) - first, ...pieces);
    this.#length += added.length - removed;
  }

  /** The number of the piece that begins at the place, where one does then. */
  #cut(place: number): number {
    let left = place;
    for (let n = 0; n < this.#pieces.length; n++) {
      const piece = this.#pieces[n];
      if (!piece || left === 0) return n;
      const length = lengthOf(piece);
      if (left < length && !('rule' in piece)) {
        const middle = piece.from + left;
        this.#pieces.splice(n, 1, { ...piece, to: middle }, { ...piece, from: middle });
        return n + 1;
      }
      left -= length;
    }
    return this.#pieces.length;
  }

  #lineOf(rule: Rule): string {
    return `${printRule(this.#chain, rule)}\n`;
  }

  readonly find = (rule: Rule): number => {
    const line = this.#lineOf(rule);
    const kept = this.#standing(line) ?? -1;
    let number = 1;
    for (const piece of this.#pieces) {
      if ('rule' in piece) {
        if (piece.line === line) return number;
      } else if (piece.from <= kept && kept < piece.to) return number + kept - piece.from;
      number += lengthOf(piece);
    }
    throw noSuchRule();
  };

  /** The first line that stays and says so, by its number from 0. */
  #standing(line: string): number | undefined {
    const { kept } = this.#table;
    for (const at of placesOfLine(kept, this.#chain, line)) {
      const index = numberOfRule(kept, this.#chain, at) - 1;
      this.#found.set(index, at);
      const stands = (piece: Piece) =>
        !('rule' in piece) && piece.from <= index && index < piece.to;
      if (this.#pieces.some(stands)) return index;
    }
    return undefined;
  }

  /** What has become of the chain. */
  get edited(): EditedChain {
    const changes: LineChange[] = [];
    let known: RulePlace | undefined;
    let added: NewRule[] = [];
    let index = 0;
    const changeBefore = (end: number) => {
      if (index === end && added.length === 0) return;
      const change = this.#change(index, end, added, known);
      changes.push(change);
      known = { number: end + 1, at: change.next };
      added = [];
    };
    for (const piece of this.#pieces) {
      if ('rule' in piece) added.push(piece);
      else if (piece.from < piece.to) {
        changeBefore(piece.from);
        index = piece.to;
      }
    }
    changeBefore(this.#table.kept.rulesOf(this.#chain));
    return { name: this.#chain, changes };
  }

  /** Lines up to another go, and rules come. */
  #change(
    index: number,
    end: number,
    added: readonly NewRule[],
    known: RulePlace | undefined,
  ): LineChange {
    const { kept } = this.#table;
    const at = this.#found.get(index) ?? placeOfRule(kept, this.#chain, index + 1, known);
    if (at === undefined) throw new TypeError(`${this.#chain} has no rule ${index + 1}`);
    const gone: string[] = [];
    let next = at;
    for (let n = index; n < end; n++) {
      const start = next;
      next = nextLine(kept.bytes, start);
      gone.push(kept.slice(start, next));
    }
    return { index, at, next, gone, added };
  }
}

/** The chains of a table that is kept, as commands change them. */
export class KeptDrafts {
  readonly #table: KeptTable;
  readonly #drafts = new Map<string, KeptDraft>();

  constructor(table: KeptTable) {
    this.#table = table;
  }

  /** Throws TableError where there is no such chain. */
  readonly of = (chain: string): RuleDraft => {
    const draft = this.#drafts.get(chain) ?? new KeptDraft(this.#table, chain);
    this.#drafts.set(chain, draft);
    return draft;
  };

  /** Those that have become others, in the table's order. */
  get edited(): readonly EditedChain[] {
    const { chains } = this.#table.head;
    return chains
      .flatMap(({ name }) => this.#drafts.get(name)?.edited ?? [])
      .filter(({ changes }) => changes.length > 0);
  }
}
