/** Compares rulesets by what they do: handles and counters are left aside. */
import type { Document, Item } from './document.js';
import type { Expression } from './expression.js';
import { printJson } from './json.js';
import { normalise } from './normalise.js';
import type { Elements } from './object.js';
import { isList } from './visit.js';

/** `missing`: in the first only; `extra`: in the second only. */
export type Difference =
  | { readonly kind: 'missing'; readonly what: string; readonly first: Item }
  | { readonly kind: 'extra'; readonly what: string; readonly second: Item }
  | {
      readonly kind: 'changed';
      readonly what: string;
      readonly first: Item;
      readonly second: Item;
    };

/** What says nothing about what a ruleset does. */
const INCIDENTAL = new Set(['handle', 'index', 'expires']);
/** What packets have done to it since it was loaded. */
const STATE = new Set(['packets', 'bytes', 'used', 'used_unit']);

/** Keys sorted, and without what is incidental. An object of quota keeps its bytes: they are its limit. */
function essence(value: unknown, kind = ''): unknown {
  if (Array.isArray(value)) return value.map((part) => essence(part, kind));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => !INCIDENTAL.has(key))
      .filter(([key]) => !(STATE.has(key) && !(kind === 'quota' && key === 'bytes')))
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, part]) => [key, essence(part, key)]),
  );
}

interface Place {
  readonly family?: string;
  readonly table?: string;
  readonly chain?: string;
  readonly name?: string;
}

function listOf(elem: Expression): readonly Expression[] {
  return typeof elem === 'object' && isList(elem) ? elem : [elem];
}

/** Puts elements that are added by themselves into their set or map. */
function withElements(item: Item, added: readonly Elements[]): Item {
  if (!('set' in item) && !('map' in item)) return item;
  const place = 'set' in item ? item.set : item.map;
  const own = added.filter(
    ({ family, table, name }) =>
      family === place.family && table === place.table && name === place.name,
  );
  if (own.length === 0) return item;
  const elem = [...listOf(place.elem ?? []), ...own.flatMap(({ elem: more }) => listOf(more))];
  return 'set' in item ? { set: { ...item.set, elem } } : { map: { ...item.map, elem } };
}

/** What is there once the document is loaded, by name; rules by their place in the chain. */
function contents(document: Document): ReadonlyMap<string, Item> {
  const items = normalise(document).nftables.filter((item) => !('metainfo' in item));
  const loaded = items.filter((item) => !('flush' in item));
  const elements = loaded.flatMap((item) => ('element' in item ? [item.element] : []));
  const merged = normalise({
    nftables: loaded
      .filter((item) => !('element' in item))
      .map((item) => withElements(item, elements)),
  });
  const rules = new Map<string, number>();
  const found = new Map<string, Item>();
  for (const item of merged.nftables) {
    const [kind = '', body]: [string?, Place?] = Object.entries(item)[0] ?? [];
    const place = [body?.family, body?.table, body?.chain ?? body?.name].filter(Boolean).join(' ');
    if (place === '')
      throw new TypeError(`${kind} commands can't be compared: only what is added can`);
    const index = rules.get(place) ?? 0;
    if (kind === 'rule') rules.set(place, index + 1);
    found.set(kind === 'rule' ? `rule ${place} ${index}` : `${kind} ${place}`, item);
  }
  return found;
}

/**
 * What differs between two rulesets: listings, or documents that only add and flush. Handles, counters and
 * the time that elements have left are left aside, and so is how things are written (`normalise`).
 */
export function compareRulesets(first: Document, second: Document): readonly Difference[] {
  const [one, two] = [contents(first), contents(second)];
  const differences: Difference[] = [];
  for (const [what, item] of one) {
    const other = two.get(what);
    if (other === undefined) differences.push({ kind: 'missing', what, first: item });
    else if (printJson(essence(item)) !== printJson(essence(other)))
      differences.push({ kind: 'changed', what, first: item, second: other });
  }
  for (const [what, item] of two)
    if (!one.has(what)) differences.push({ kind: 'extra', what, second: item });
  return differences;
}

/** Whether two rulesets do the same. */
export function sameRuleset(first: Document, second: Document): boolean {
  return compareRulesets(first, second).length === 0;
}
