/**
 * The levels of `socket cgroupv2`. `nft -j` leaves them out, so that they are read from the text that `nft -a list
 * ruleset` prints: of that expression alone.
 */
import { mapExpression, mapStatement } from './children.js';
import type { Document, Item } from './document.js';
import type { Expression } from './expression.js';
import { isList } from './visit.js';

const keyOf = (family: string, table: string, handle: number | string) =>
  `${family} ${table} ${handle}`;

/** The levels in each rule, in their order, by family, table and handle. */
function levelsIn(text: string): ReadonlyMap<string, readonly number[]> {
  const levels = new Map<string, readonly number[]>();
  let [family, table] = ['', ''];
  for (const line of text.split('\n')) {
    // What is quoted is a comment, a prefix or a path.
    const bare = line.replace(/"[^"]*"/g, '""');
    const [, opened, name] = /^table (\S+) (\S+) \{/.exec(bare) ?? [];
    if (opened !== undefined && name !== undefined) [family, table] = [opened, name];
    const found = [...bare.matchAll(/\bsocket cgroupv2 level (\d+)/g)].map(([, level]) =>
      Number(level),
    );
    const [, handle] = / # handle (\d+)$/.exec(bare) ?? [];
    if (found.length > 0 && handle !== undefined) levels.set(keyOf(family, table, handle), found);
  }
  return levels;
}

function withLevels(item: Item, levels: ReadonlyMap<string, readonly number[]>): Item {
  if (!('rule' in item)) return item;
  const { family, table, handle, expr } = item.rule;
  const own = handle === undefined ? undefined : levels.get(keyOf(family, table, handle));
  if (!own || !expr) return item;
  const left = [...own];
  const change = (expression: Expression): Expression => {
    if (typeof expression !== 'object' || isList(expression) || !('socket' in expression))
      return mapExpression(expression, change);
    const level = expression.socket.key === 'cgroupv2' ? left.shift() : undefined;
    return level === undefined ? expression : { socket: { ...expression.socket, level } };
  };
  const changed = expr.map((statement) => mapStatement(statement, change));
  return { ...item, rule: { ...item.rule, expr: changed } };
}

/**
 * The document of `nft -j list ruleset` with the levels that `nft -a list ruleset` tells. Rules are found by their
 * handles: both must be of the same ruleset. A level that the text does not tell stays unknown.
 */
export function readCgroupLevels(document: Document, text: string): Document {
  const levels = levelsIn(text);
  return { ...document, nftables: document.nftables.map((item) => withLevels(item, levels)) };
}
