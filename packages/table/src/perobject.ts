import { elementAt } from './element.js';

/** What follows from an object, made when it is first asked for and as long as the object is there: tables and forms are frozen. */
export function perObject<K extends object, T>(make: (object: K) => T): (object: K) => T {
  const made = new WeakMap<K, { readonly value: T }>();
  return (object) => {
    const known = made.get(object) ?? { value: make(object) };
    made.set(object, known);
    return known.value;
  };
}

/**
 * What follows from a list, made by adding its elements one by one, as far as the list goes: that of a draft grows. What is made is
 * not told of an element that takes the place of another.
 */
export function perList<E, T>(
  make: () => T,
  add: (made: T, element: E, at: number) => void,
): (list: readonly E[]) => T {
  const known = new WeakMap<readonly E[], { readonly made: T; length: number }>();
  return (list) => {
    const each = known.get(list) ?? { made: make(), length: 0 };
    known.set(list, each);
    for (; each.length < list.length; each.length++)
      add(each.made, elementAt(list, each.length), each.length);
    return each.made;
  };
}
