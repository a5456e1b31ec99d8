/** Elements of lists by their names, which each have one of. */
import { perList } from './perobject.js';

interface Named {
  readonly name: string;
}

/** In a list that is shorter a name is looked for. */
const FEW = 16;

const placesOf = perList(
  () => new Map<string, number>(),
  (places, { name }: Named, at) => {
    if (!places.has(name)) places.set(name, at);
  },
);

/**
 * Where the element of this name stands; -1 if there is none. A list may grow, and have another element of the same name in the
 * place of one; it is looked through once.
 */
export function placeOfName(list: readonly Named[], name: string): number {
  if (list.length < FEW) return list.findIndex((each) => each.name === name);
  return placesOf(list).get(name) ?? -1;
}

/** The element of this name, as placeOfName() finds it. */
export function findNamed<T extends Named>(list: readonly T[], name: string): T | undefined {
  return list[placeOfName(list, name)];
}
