/** Expressions: the values that statements compare, look up and set. */
import { z } from 'zod';
import { type EnvironmentBodies, environmentBodies } from './environment.js';
import { type PacketBodies, packetBodies } from './packet.js';
import {
  byType,
  type Integer64,
  integer,
  integer64,
  type Keyed,
  keyed,
  list,
  nothing,
  optional,
  pair,
  record,
  text,
  truth,
} from './schema.js';
import { type StatefulBodies, statefulBodies } from './stateful.js';

/**
 * A value that is written out. `@name` is the set of the name, `*` in a set what no element matches.
 * nft prints what has a name as text, numbers beyond 64 bits as hexadecimal text, and marks as numbers.
 */
export type Immediate = string | Integer64 | boolean;

/** Values in a list: flags, or the key and the value of a map's element. */
export type ExpressionList = readonly Expression[];

export type Expression = Immediate | ExpressionList | Keyed<ExpressionBodies>;

/** Looks the key up in a map. */
export interface MapLookup {
  readonly key: Expression;
  /** A map's name after `@`, or `set` with pairs. */
  readonly data: Expression;
}

export interface Prefix {
  readonly addr: Expression;
  /** In bits. */
  readonly len: number;
}

/** An element of a set with what belongs to it beside its value. */
export interface Element extends Partial<StatefulBodies> {
  readonly val: Expression;
  /** In seconds. */
  readonly timeout?: Integer64;
  /** Seconds that are left. */
  readonly expires?: Integer64;
  readonly comment?: string;
}

/** A hash of the expression. */
export interface JenkinsHash {
  readonly mod: number;
  readonly offset?: number;
  readonly seed?: number;
  readonly expr: Expression;
}

export interface ChainTarget {
  readonly target: string;
}

export interface VerdictBodies {
  readonly accept: null;
  readonly drop: null;
  readonly continue: null;
  readonly break: null;
  readonly return: null;
  readonly jump: ChainTarget;
  readonly goto: ChainTarget;
}

export type Verdict = Keyed<VerdictBodies>;

interface CompoundBodies {
  readonly concat: readonly Expression[];
  readonly set: Expression;
  readonly map: MapLookup;
  /** A map to verdicts; as a statement in rules. */
  readonly vmap: MapLookup;
  readonly prefix: Prefix;
  readonly range: readonly [Expression, Expression];
  readonly elem: Element;
  readonly jhash: JenkinsHash;
  readonly '|': readonly Expression[];
  readonly '^': readonly Expression[];
  readonly '&': readonly Expression[];
  readonly '<<': readonly Expression[];
  readonly '>>': readonly Expression[];
}

/** What each kind of expression holds; the kinds are the keys. */
export interface ExpressionBodies
  extends PacketBodies,
    EnvironmentBodies,
    VerdictBodies,
    CompoundBodies {}

export type ExpressionKind = keyof ExpressionBodies;

/** An expression; the schema. */
export const expressionSchema: z.ZodType<Expression> = z.lazy(() => anyExpression);

const expressions = list(expressionSchema);

const target = record<ChainTarget>({ target: text });

export const verdictBodies: { readonly [K in keyof VerdictBodies]: z.ZodType<VerdictBodies[K]> } = {
  accept: nothing,
  drop: nothing,
  continue: nothing,
  break: nothing,
  return: nothing,
  jump: target,
  goto: target,
};

export const mapLookup = record<MapLookup>({ key: expressionSchema, data: expressionSchema });

export const elementBody = record<Element>({
  val: expressionSchema,
  timeout: optional(integer64),
  expires: optional(integer64),
  comment: optional(text),
  counter: optional(statefulBodies.counter),
  quota: optional(statefulBodies.quota),
  limit: optional(statefulBodies.limit),
  'ct count': optional(statefulBodies['ct count']),
  last: optional(statefulBodies.last),
});

const expressionBodies: {
  readonly [K in keyof ExpressionBodies]: z.ZodType<ExpressionBodies[K]>;
} = {
  ...packetBodies,
  ...environmentBodies,
  ...verdictBodies,
  concat: expressions,
  set: expressionSchema,
  map: mapLookup,
  vmap: mapLookup,
  prefix: record<Prefix>({ addr: expressionSchema, len: integer }),
  range: pair(expressionSchema, expressionSchema),
  elem: elementBody,
  jhash: record<JenkinsHash>({
    mod: integer,
    offset: optional(integer),
    seed: optional(integer),
    expr: expressionSchema,
  }),
  '|': expressions,
  '^': expressions,
  '&': expressions,
  '<<': expressions,
  '>>': expressions,
};

/** The kinds of expressions that the library knows. */
export const EXPRESSION_KINDS: ReadonlySet<string> = new Set(Object.keys(expressionBodies));

const anyExpression: z.ZodType<Expression> = byType<Expression>(
  {
    string: text,
    number: integer64,
    boolean: truth,
    array: expressions,
    object: keyed<ExpressionBodies>('an expression', expressionBodies),
  },
  'an expression',
);
