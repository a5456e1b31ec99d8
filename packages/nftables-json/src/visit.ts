/** One function for each kind of thing: a kind that is missing does not compile. */
import { type Document, ITEM_KINDS, type Item, type ItemBodies } from './document.js';
import {
  EXPRESSION_KINDS,
  type Expression,
  type ExpressionBodies,
  type ExpressionList,
  type Immediate,
} from './expression.js';
import { STATEMENT_KINDS, type Statement, type StatementBodies } from './statement.js';

/** A function for each kind. */
export type Cases<Bodies, Result> = {
  readonly [K in keyof Bodies]: (body: Bodies[K]) => Result;
};

/** What to do with a kind that this version of the library doesn't know. */
export interface UnknownCase<Result> {
  readonly unknown: (kind: string, body: unknown) => Result;
}

export interface ExpressionVisitor<Result>
  extends Cases<ExpressionBodies, Result>,
    UnknownCase<Result> {
  readonly immediate: (value: Immediate) => Result;
  readonly list: (parts: ExpressionList) => Result;
}

export interface StatementVisitor<Result>
  extends Cases<StatementBodies, Result>,
    UnknownCase<Result> {
  /** A statement that is printed as text, in nft's own syntax. */
  readonly text: (text: string) => Result;
}

export interface ItemVisitor<Result> extends Cases<ItemBodies, Result>, UnknownCase<Result> {}

function visitKeyed<Bodies extends object, Result>(
  node: Partial<Bodies>,
  kinds: ReadonlySet<string>,
  cases: Cases<Bodies, Result> & UnknownCase<Result>,
): Result {
  for (const kind in node) {
    const body: Bodies[typeof kind] | undefined = node[kind];
    if (kinds.has(kind) && body !== undefined) return cases[kind](body);
  }
  const [kind = '', body] = Object.entries(node)[0] ?? [];
  return cases.unknown(kind, body);
}

export function visitExpression<Result>(
  expression: Expression,
  visitor: ExpressionVisitor<Result>,
): Result {
  if (typeof expression !== 'object') return visitor.immediate(expression);
  if (isList(expression)) return visitor.list(expression);
  return visitKeyed<ExpressionBodies, Result>(expression, EXPRESSION_KINDS, visitor);
}

export function visitStatement<Result>(
  statement: Statement,
  visitor: StatementVisitor<Result>,
): Result {
  if (typeof statement === 'string') return visitor.text(statement);
  return visitKeyed<StatementBodies, Result>(statement, STATEMENT_KINDS, visitor);
}

export function visitItem<Result>(item: Item, visitor: ItemVisitor<Result>): Result {
  return visitKeyed<ItemBodies, Result>(item, ITEM_KINDS, visitor);
}

/** The objects of a kind, whether they are listed or added by a command. */
export function objectsOf<K extends keyof ItemBodies>(
  document: Document,
  kind: K,
): readonly ItemBodies[K][] {
  return document.nftables.flatMap((item) => {
    const added: Partial<ItemBodies> =
      'add' in item
        ? item.add
        : 'create' in item
          ? item.create
          : 'insert' in item
            ? item.insert
            : item;
    const body: ItemBodies[K] | undefined = added[kind];
    return body === undefined ? [] : [body];
  });
}

/** Array.isArray doesn't narrow arrays that are readonly. */
export function isList(expression: Expression): expression is ExpressionList {
  return Array.isArray(expression);
}
