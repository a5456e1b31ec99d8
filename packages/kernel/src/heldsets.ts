/** The named sets of a table in the kernel: what they hold changes without a commit. */
import { elementAt, type NamedSet, type SetElement, type Table } from '@sockfilter/table';
import { readSetSlots } from './generationmap.js';
import type { LoadedGeneration } from './inforce.js';
import { withSetMaps } from './maps.js';
import type { Pins } from './pins.js';
import {
  addToSet,
  deleteFromSet,
  dropSets,
  type ElementOptions,
  emptySet,
  hasElement,
  readSet,
  type SetMaps,
  type SetSlots,
} from './setmap.js';

/** The slot of each set of the generation. */
export function setSlotsOf({ fd, header }: LoadedGeneration): SetSlots {
  return readSetSlots(fd, header);
}

/** The sets of one generation. Each table that is given is that which the generation was made of. */
export class HeldSets {
  readonly #generation: LoadedGeneration;
  readonly #places: readonly Pins[];

  /** The maps are where they are pinned first. */
  constructor(generation: LoadedGeneration, places: readonly Pins[]) {
    this.#generation = generation;
    this.#places = places;
  }

  /** The table with what its sets hold at the moment; that is read when somebody looks at it. */
  fill(table: Table): Table {
    if (table.sets.length === 0) return table;
    const slots = setSlotsOf(this.#generation);
    const read = (set: NamedSet, n: number) =>
      this.#withMaps((maps) => readSet(maps, set, elementAt(slots, n)).elements);
    return { ...table, sets: table.sets.map((set, n) => lazySet(set, () => read(set, n))) };
  }

  /** Whether the set holds the element at the moment. */
  has(table: Table, set: NamedSet, element: SetElement): boolean {
    const slot = this.#slotOf(table, set);
    return this.#withMaps((maps) => hasElement(maps, set, slot, element));
  }

  /** Adds elements or takes them out, all or none. Throws TableError and BpfError. */
  edit(
    table: Table,
    set: NamedSet,
    edit: 'add' | 'del',
    elements: readonly SetElement[],
    options: ElementOptions,
  ): void {
    const slot = this.#slotOf(table, set);
    const run = edit === 'add' ? addToSet : deleteFromSet;
    this.#withMaps((maps) => run(maps, set, slot, elements, options));
  }

  /** Empties the set, at one moment. */
  empty(table: Table, set: NamedSet): void {
    const slot = this.#slotOf(table, set);
    this.#withMaps((maps) => emptySet(maps, set, slot));
  }

  /** Lets go of all that none of the generations has which stay. */
  drop(...kept: readonly LoadedGeneration[]): void {
    const slots = setSlotsOf(this.#generation);
    if (slots.length === 0) return;
    this.#withMaps((maps) => dropSets(maps, slots, kept.flatMap(setSlotsOf)));
  }

  #slotOf(table: Table, set: NamedSet): number {
    return elementAt(setSlotsOf(this.#generation), table.sets.indexOf(set));
  }

  #withMaps<T>(use: (maps: SetMaps) => T): T {
    return withSetMaps(this.#places, use);
  }
}

/** The set with elements that are read when somebody first looks at them. */
function lazySet(set: NamedSet, read: () => NamedSet['elements']): NamedSet {
  let elements: NamedSet['elements'] | undefined;
  return Object.defineProperty({ ...set }, 'elements', {
    get: () => {
      elements ??= read();
      return elements;
    },
    enumerable: true,
  });
}
