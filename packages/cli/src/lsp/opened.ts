/** A rule file that is open in an editor. */
import { intersect, type PacketSet, Universe } from '@sockfilter/diagram';
import { printSave } from '@sockfilter/iptables';
import type { Document } from '@sockfilter/language';
import { isJson } from '@sockfilter/nftables';
import {
  Comparison,
  checkFile,
  documentFile,
  type Finding,
  listBoxes,
  mistakeFinding,
  type RuleFile,
} from '@sockfilter/policy';
import { chainNumber, isBuiltinChain, type Rule, type Table, valueSet } from '@sockfilter/table';
import { parseRules } from '../notation.js';
import { SYSTEM_NAMES } from '../systemnames.js';
import { type NamedPlace, symbolsOf } from './symbols.js';

/** Of a rule's calls, regions that are shown. */
const MOST_REGIONS = 6;

/** What costs too much is not told: the rest is. */
function affordable<T>(ask: () => T, otherwise: T): T {
  try {
    return ask();
  } catch (error) {
    if (error instanceof Error && /^(LimitError|TableError)$/.test(error.name)) return otherwise;
    throw error;
  }
}

export class Opened {
  readonly name: string;
  readonly text: string;
  readonly table: Table;
  readonly document: Document;
  readonly mistakes: readonly Finding[];
  readonly #file: RuleFile | undefined;
  #symbols: readonly NamedPlace[] | undefined;

  constructor(name: string, text: string) {
    const { table, document, diagnostics } = parseRules(text, name, { names: SYSTEM_NAMES });
    this.name = name;
    this.text = text;
    this.table = table;
    this.document = document;
    this.mistakes = diagnostics.map(mistakeFinding);
    this.#file = diagnostics.length === 0 ? documentFile(document, table) : undefined;
  }

  get isText(): boolean {
    return !isJson(this.text);
  }

  get symbols(): readonly NamedPlace[] {
    this.#symbols ??= this.isText ? symbolsOf(this.text) : [];
    return this.#symbols;
  }

  lineText(line: number): string {
    return this.text.split('\n')[line] ?? '';
  }

  /** Mistakes, or where there are none what `check` finds. */
  findings(): readonly Finding[] {
    const file = this.#file;
    return file ? affordable(() => checkFile(file).findings, []) : this.mistakes;
  }

  /** The rules that the line makes, line from 0. */
  rulesAt(line: number): readonly Rule[] {
    const { places } = this.document;
    const rules = this.table.chains.flatMap((chain) => chain.rules);
    return rules.filter((rule) => places.get(rule)?.rule.line === line + 1);
  }

  /** The calls that the line's rules match, in words. */
  matched(line: number): readonly string[] {
    if (!this.#file) return [];
    return affordable(() => {
      const universe = new Universe();
      const texts = this.rulesAt(line).flatMap((rule) => {
        const set = intersect(
          universe.matchingRule(rule, this.table),
          this.#within(universe, rule),
        );
        return listBoxes(universe, set, this.table.groups).boxes.map(({ text }) => text);
      });
      const more = texts.length - MOST_REGIONS;
      return more > 0 ? [...texts.slice(0, MOST_REGIONS), `and ${more} more regions`] : texts;
    }, []);
  }

  /** Calls of the built-in chain that the rule is in; a chain of the user's may be reached from all. */
  #within(universe: Universe, rule: Rule): PacketSet {
    const name = this.table.chains.find(({ rules }) => rules.includes(rule))?.name ?? '';
    if (!isBuiltinChain(name)) return universe.possible;
    const set = valueSet(chainNumber(name));
    return universe.matching([[{ field: 'chain', set, negated: false }]]);
  }

  /** Whether every call gets the same verdict by another text, which has no mistakes. */
  meansTheSame(text: string): boolean {
    const other = new Opened(this.name, text);
    const [before, after] = [this.#file, other.#file];
    if (!before || !after) return false;
    return affordable(() => new Comparison(before, after).describe().isSame, false);
  }

  /** Whether another text has no mistakes, and as many rules. */
  readsWith(text: string): boolean {
    const other = new Opened(this.name, text);
    return this.mistakes.length === 0 && other.mistakes.length === 0;
  }

  /** Whether another text is read as the same table, to the word. */
  saysTheSame(text: string): boolean {
    const other = new Opened(this.name, text);
    return other.mistakes.length === 0 && printSave(other.table) === printSave(this.table);
  }
}
