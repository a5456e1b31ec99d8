/** A table while the lines of a file add to it: in place, as a copy for each line would take longer than the file. */
import {
  type Chain,
  emptyChain,
  type Group,
  type NamedSet,
  placeOfName,
  requireNoChain,
  requireNoConflict,
  requireNoSet,
  type Table,
} from '@sockfilter/table';

interface Lists {
  readonly chains: Chain[];
  readonly groups: Group[];
  readonly sets: NamedSet[];
}

export class TableDraft {
  #table: Table;
  /** The lists of the table, where they are this one's own. */
  #lists: Lists | undefined;

  constructor(table: Table) {
    this.#table = table;
  }

  /** The table as far as it has come, whose lists grow: to find in it what has a name. */
  get growing(): Table {
    return this.#table;
  }

  /** The table, as it stays. */
  get table(): Table {
    this.#lists = undefined;
    return this.#table;
  }

  /** Another one takes its place. */
  become(table: Table): void {
    this.#lists = undefined;
    this.#table = table;
  }

  /** Throws TableError. */
  addGroup(group: Group): void {
    requireNoConflict(this.#table.groups, group);
    this.#own().groups.push(group);
  }

  /** Throws TableError. */
  addSet(set: NamedSet): void {
    requireNoSet(this.#table, set.name);
    this.#own().sets.push(set);
  }

  /** Throws TableError. */
  addChain(name: string): void {
    requireNoChain(this.#table, name);
    this.putChain(emptyChain(name, undefined));
  }

  /** Puts the chain in the place of the one of its name, or behind all. */
  putChain(chain: Chain): void {
    const { chains } = this.#own();
    const at = placeOfName(chains, chain.name);
    if (at < 0) chains.push(chain);
    else chains[at] = chain;
  }

  #own(): Lists {
    if (this.#lists) return this.#lists;
    const { chains, groups, sets } = this.#table;
    const lists: Lists = { chains: [...chains], groups: [...groups], sets: [...sets] };
    this.#lists = lists;
    this.#table = { ...this.#table, ...lists };
    return lists;
  }
}
