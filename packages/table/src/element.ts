/** The element at the index. RangeError where there is none: something that must hold does not. */
export function elementAt<T>(list: ArrayLike<T>, index: number): T {
  const element = list[index];
  if (element === undefined)
    throw new RangeError(`no element ${index} in a list of ${list.length}`);
  return element;
}
