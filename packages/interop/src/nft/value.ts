/** Values that nft compares with, flat: sets and their elements, ranges, prefixes, concatenations. */
import { type Expression, isList } from 'nftables-json';

export type NftValue =
  | { readonly kind: 'one'; readonly value: string }
  | { readonly kind: 'range'; readonly from: string; readonly to: string }
  | { readonly kind: 'prefix'; readonly address: string; readonly length: number }
  | { readonly kind: 'concat'; readonly parts: readonly NftValue[] }
  /** Several bits together. */
  | { readonly kind: 'bits'; readonly names: readonly string[] }
  /** What no other element of a set is. */
  | { readonly kind: 'any' };

/** The elements of the set `@name`; undefined if there is none. */
export type FindSet = (name: string) => Expression | undefined;

function readOne(expression: Expression): NftValue | undefined {
  if (expression === '*') return { kind: 'any' };
  if (typeof expression !== 'object') return { kind: 'one', value: String(expression) };
  if (isList(expression)) {
    const names = expression.map((each) => (typeof each === 'object' ? undefined : String(each)));
    const known = names.filter((name) => name !== undefined);
    return known.length === names.length ? { kind: 'bits', names: known } : undefined;
  }
  if ('elem' in expression) return readOne(expression.elem.val);
  if ('|' in expression) return readOne(expression['|']);
  if ('prefix' in expression) {
    const { addr, len } = expression.prefix;
    return typeof addr === 'string' ? { kind: 'prefix', address: addr, length: len } : undefined;
  }
  if ('range' in expression) {
    const [from, to] = expression.range;
    if (typeof from === 'object' || typeof to === 'object') return undefined;
    return { kind: 'range', from: String(from), to: String(to) };
  }
  if (!('concat' in expression)) return undefined;
  const parts = expression.concat.map(readOne);
  const known = parts.filter((part) => part !== undefined);
  return known.length === parts.length ? { kind: 'concat', parts: known } : undefined;
}

/** The elements of a set that is written out or named, else the value by itself. */
export function elementsOf(
  expression: Expression,
  find: FindSet,
): readonly Expression[] | undefined {
  if (typeof expression === 'string' && expression.startsWith('@')) {
    const found = find(expression.slice(1));
    return found === undefined ? undefined : elementsOf({ set: found }, find);
  }
  if (typeof expression !== 'object' || isList(expression) || !('set' in expression))
    return [expression];
  const { set } = expression;
  return typeof set === 'object' && isList(set) ? set : [set];
}

/** undefined where one of them is no value that is written out. */
export function readValues(expression: Expression, find: FindSet): readonly NftValue[] | undefined {
  const values = elementsOf(expression, find)?.map(readOne);
  const known = values?.filter((value) => value !== undefined);
  return known?.length === values?.length ? known : undefined;
}

/** Whether several values are one of a set, and not bits of one value. */
export function isSet(expression: Expression): boolean {
  if (typeof expression === 'string') return expression.startsWith('@');
  return typeof expression === 'object' && !isList(expression) && 'set' in expression;
}
