/** The lines of sets in a save file whose table was edited. */
import {
  elementAt,
  elementKey,
  findSet,
  type NamedSet,
  type SetElement,
  sameElement,
  sameSetShape,
  type Table,
} from '@sockfilter/table';
import type { DocumentLine } from './document.js';
import type { LineNotation } from './linenotation.js';

type SetLine = DocumentLine & { readonly kind: 'set' };
type ElementsLine = DocumentLine & { readonly kind: 'elements' };

/** What becomes of the lines of sets, and where new ones go: behind the last line of their set. */
export function placeSets(lines: readonly DocumentLine[], table: Table, notation: LineNotation) {
  const stated = new Map<string, { readonly set: NamedSet; last: number }>();
  const written = new Map<string, Set<string>>();
  lines.forEach((line, at) => {
    if (line.kind === 'set') stated.set(line.set.name, { set: line.set, last: at });
    if (line.kind !== 'elements') return;
    const of = stated.get(line.set);
    if (of) of.last = at;
    const keys = written.get(line.set) ?? new Set();
    written.set(line.set, keys);
    for (const element of line.elements) keys.add(elementKey(element));
  });
  /** What each set of the file is now; a new name in the stead of one that is gone is the same set. */
  const nowOf = new Map<string, NamedSet>();
  const oldOf = new Map<NamedSet, { readonly set: NamedSet; readonly last: number }>();
  [...stated.values()].forEach((old, at) => {
    const { name } = old.set;
    const instead = table.sets[at];
    const renamed = instead && !stated.has(instead.name) ? instead : undefined;
    const now = findSet(table, name) ?? renamed;
    if (!now || !sameSetShape(now, old.set)) return;
    nowOf.set(name, now);
    oldOf.set(now, old);
  });
  const added: string[] = [];
  const after: (readonly [line: number, text: string])[] = [];
  const current = new Map<NamedSet, ReadonlyMap<string, SetElement>>();
  for (const set of table.sets) {
    const elements = new Map(set.elements.map((element) => [elementKey(element), element]));
    current.set(set, elements);
    const old = oldOf.get(set);
    const place = old?.last;
    if (place === undefined) added.push(notation.setLine(set));
    for (const [key, element] of elements) {
      if (old && written.get(old.set.name)?.has(key)) continue;
      const text = notation.elementLine(set, element);
      if (place === undefined) added.push(text);
      else after.push([place, text]);
    }
  }

  function keepSet({ set, text }: SetLine): readonly string[] {
    const now = nowOf.get(set.name);
    if (!now) return [];
    return [now.name === set.name ? text : notation.setLine(now)];
  }

  function keepElements({ set: name, elements, text }: ElementsLine): readonly string[] {
    const now = nowOf.get(name);
    if (!now) return [];
    const found = elements.map((element) => current.get(now)?.get(elementKey(element)));
    const isSame = now.name === name;
    if (
      isSame &&
      found.every((each, n) => each !== undefined && sameElement(each, elementAt(elements, n)))
    )
      return [text];
    return found.flatMap((each) => (each ? [notation.elementLine(now, each)] : []));
  }

  return { added, after, keepSet, keepElements };
}
