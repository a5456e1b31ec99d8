/** Elements of lists by their names, which each have one of. */
import { elementAt } from './element.js';

interface Named {
  readonly name: string;
}

/** Where the names of a list stand, as far as it has been looked through. */
interface Places {
  readonly byName: Map<string, number>;
  length: number;
}

/** In a list that is shorter a name is looked for. */
const FEW = 16;

const PLACES = new WeakMap<readonly Named[], Places>();

/**
 * Where the element of this name stands; -1 if there is none. A list may grow, and have another element of the same name in the
 * place of one; it is looked through once.
 */
export function placeOfName(list: readonly Named[], name: string): number {
  if (list.length < FEW) return list.findIndex((each) => each.name === name);
  const places = PLACES.get(list) ?? { byName: new Map(), length: 0 };
  PLACES.set(list, places);
  for (; places.length < list.length; places.length++) {
    const { name: other } = elementAt(list, places.length);
    if (!places.byName.has(other)) places.byName.set(other, places.length);
  }
  return places.byName.get(name) ?? -1;
}

/** The element of this name, as placeOfName() finds it. */
export function findNamed<T extends Named>(list: readonly T[], name: string): T | undefined {
  return list[placeOfName(list, name)];
}
