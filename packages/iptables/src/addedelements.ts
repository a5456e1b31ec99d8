/** What the lines of a save file add to named sets. */
import type { DocumentKind } from '@sockfilter/language';
import {
  elementKey,
  findSet,
  type NamedSet,
  replacing,
  type SetElement,
  type Table,
} from '@sockfilter/table';
import { entry } from './rulememo.js';
import { readPlainElement } from './setelement.js';

/** How a line begins that adds elements: as ipset has them. */
const ADD = 'add ';

export class AddedElements {
  /** Of sets that lines have added to, by name: with those that the set had before. */
  readonly #known = new Map<string, Map<string, SetElement>>();

  clear(): void {
    this.#known.clear();
  }

  /** Adds what a line of the kind says of which there are very many, if nothing is wrong with it. */
  addPlain(text: string, table: Table): DocumentKind | undefined {
    if (!text.startsWith(ADD)) return undefined;
    const end = text.indexOf(' ', ADD.length);
    if (end < 0) return undefined;
    const set = findSet(table, text.slice(ADD.length, end));
    const element = set && readPlainElement(text.slice(end + 1), set);
    if (!element) return undefined;
    const known = this.#of(set);
    const key = elementKey(element);
    if (known.has(key) || known.size === set.maxelem) return undefined;
    known.set(key, element);
    return { kind: 'elements', set: set.name, elements: [element] };
  }

  /** Adds the elements up to one that is there already, unless it may be; and says whether they are too many for the set. */
  add(
    set: NamedSet,
    elements: readonly SetElement[],
    exist: boolean,
  ): { readonly isThere: boolean; readonly isFull: boolean } {
    const known = this.#of(set);
    let isThere = false;
    for (const element of elements) {
      const key = elementKey(element);
      isThere = known.has(key) && !exist;
      if (isThere) break;
      known.set(key, replacing(known.get(key), element));
    }
    const isFull = known.size > set.maxelem;
    // Said once is enough.
    if (isFull) known.clear();
    return { isThere, isFull };
  }

  /** The table whose sets have what was added. */
  into(table: Table): Table {
    if (this.#known.size === 0) return table;
    const sets = table.sets.map((set) => {
      const elements = this.#known.get(set.name);
      return elements ? { ...set, elements: [...elements.values()] } : set;
    });
    return { ...table, sets };
  }

  #of({ name, elements }: NamedSet): Map<string, SetElement> {
    return entry(
      this.#known,
      name,
      () => new Map(elements.map((element) => [elementKey(element), element])),
    );
  }
}
