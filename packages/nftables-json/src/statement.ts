/** Statements: what a rule consists of. */
import { z } from 'zod';
import { type AddressFamily, addressFamily } from './environment.js';
import {
  type Expression,
  expressionSchema,
  type MapLookup,
  mapLookup,
  type VerdictBodies,
  verdictBodies,
} from './expression.js';
import {
  byType,
  type Flags,
  flags,
  integer,
  type Keyed,
  keyed,
  list,
  nothing,
  type OneOrMore,
  optional,
  record,
  text,
  type Word,
  when,
  word,
} from './schema.js';
import {
  type CounterState,
  counterState,
  type LimitState,
  limitState,
  type QuotaState,
  quotaState,
  type StatefulBodies,
  statefulBodies,
} from './stateful.js';

/** The name of an object of the table, or `map`, which looks the name up. */
export type ObjectName = Expression;

/** How the sides of a match compare. `in` tests for any of the bits, `!` for none of them. */
export type MatchOperator = '==' | '!=' | '<' | '>' | '<=' | '>=' | 'in' | '!';

export interface Match {
  readonly op: MatchOperator;
  readonly left: Expression;
  readonly right: Expression;
}

/** Sets a part of the packet or what the kernel notes about it. */
export interface Mangle {
  readonly key: Expression;
  readonly value: Expression;
}

/** Hands the connection to a flowtable. */
export interface Flow {
  readonly op: Word<'add'>;
  /** The name after `@`. */
  readonly flowtable: string;
}

/** Sends the packet out of another device. */
export interface Forward {
  readonly dev: Expression;
  readonly family?: AddressFamily;
  readonly addr?: Expression;
}

/** Sends a copy of the packet. */
export interface Duplicate {
  readonly addr: Expression;
  readonly dev?: Expression;
}

/** Translates an address, a port or both. */
export interface Nat {
  readonly family?: AddressFamily;
  readonly addr?: Expression;
  readonly port?: Expression;
  readonly flags?: Flags<'random' | 'fully-random' | 'persistent' | 'netmap'>;
  readonly type_flags?: Flags<'interval' | 'prefix' | 'concat'>;
}

/** Refuses the packet and says so. */
export interface Reject {
  readonly type?: Word<'tcp reset' | 'icmpx' | 'icmp' | 'icmpv6'>;
  readonly expr?: Expression;
}

/** Changes a set from the packet path. */
export interface SetUpdate {
  readonly op: Word<'add' | 'update' | 'delete'>;
  readonly elem: Expression;
  /** The name after `@`. */
  readonly set: string;
  /** State that a new element gets. */
  readonly stmt?: OneOrMore<Statement>;
}

/** Changes a map from the packet path. */
export interface MapUpdate {
  readonly op: Word<'add' | 'update' | 'delete'>;
  readonly elem: Expression;
  readonly data: Expression;
  /** The name after `@`. */
  readonly map: string;
  readonly stmt?: OneOrMore<Statement>;
}

export interface Log {
  readonly prefix?: string;
  readonly group?: number;
  readonly snaplen?: number;
  readonly 'queue-threshold'?: number;
  readonly level?: Word<
    'emerg' | 'alert' | 'crit' | 'err' | 'warn' | 'notice' | 'info' | 'debug' | 'audit'
  >;
  readonly flags?: Flags<'tcp sequence' | 'tcp options' | 'ip options' | 'skuid' | 'ether' | 'all'>;
}

/** A statement for each value of the key. */
export interface Meter {
  readonly key: Expression;
  readonly stmt: Statement;
  readonly name?: string;
  readonly size?: number;
}

/** Hands the packet to a program. */
export interface Queue {
  readonly num?: Expression;
  readonly flags?: Flags<'bypass' | 'fanout'>;
}

/** Hands the packet to a local socket. */
export interface TransparentProxy {
  readonly family?: AddressFamily;
  readonly addr?: Expression;
  readonly port?: Expression;
}

/** Answers the handshake of TCP before the server sees it. */
export interface SynProxy {
  readonly mss?: number;
  readonly wscale?: number;
  readonly flags?: Flags<'timestamp' | 'sack-perm'>;
}

/** What iptables-nft has put there and nft has no words for; nft doesn't take it back. */
export interface Xt {
  readonly type: Word<'match' | 'target' | 'watcher'>;
  readonly name: string;
}

/** What each kind of statement holds; the kinds are the keys. */
export interface StatementBodies extends VerdictBodies {
  readonly match: Match;
  readonly vmap: MapLookup;
  readonly counter: CounterState | null | ObjectName;
  readonly quota: QuotaState | ObjectName;
  readonly limit: LimitState | ObjectName;
  readonly 'ct count': StatefulBodies['ct count'];
  readonly last: StatefulBodies['last'];
  readonly mangle: Mangle;
  readonly flow: Flow;
  readonly fwd: Forward;
  readonly notrack: null;
  readonly dup: Duplicate | null;
  readonly snat: Nat | null;
  readonly dnat: Nat | null;
  readonly masquerade: Nat | null;
  readonly redirect: Nat | null;
  readonly reject: Reject | null;
  readonly set: SetUpdate;
  readonly map: MapUpdate;
  readonly log: Log | null;
  readonly 'ct helper': ObjectName;
  readonly 'ct timeout': ObjectName;
  readonly 'ct expectation': ObjectName;
  readonly secmark: ObjectName;
  readonly tunnel: ObjectName;
  readonly meter: Meter;
  readonly queue: Queue | null;
  readonly tproxy: TransparentProxy;
  readonly synproxy: SynProxy | null | ObjectName;
  /** Removes an option from the TCP header. */
  readonly reset: Expression;
  readonly xt: Xt | null;
}

export type StatementKind = keyof StatementBodies;

/**
 * A statement. Text is one that the nft which printed it has no JSON for: in its own syntax, and not taken
 * back as JSON. 1.0.6 does so for updates of maps and for chains without a name.
 */
export type Statement = Keyed<StatementBodies> | string;

/** A statement; the schema. */
export const statementSchema: z.ZodType<Statement> = z.lazy(() => anyStatement);

const statements = byType<OneOrMore<Statement>>({
  array: list(statementSchema),
  object: statementSchema,
});

/** A thing with properties, or null where it has none. */
function orNull<T>(body: z.ZodType<T>): z.ZodType<T | null> {
  return byType<T | null>({ object: body, null: nothing });
}

/** State of the rule's own, or the name of an object that has it. */
function orName<T>(body: z.ZodType<T>): z.ZodType<T | ObjectName> {
  return byType<T | ObjectName>({ object: when('map', expressionSchema, body), string: text });
}

/** The same, or null where it has no properties. */
function orNameOrNull<T>(body: z.ZodType<T>): z.ZodType<T | ObjectName | null> {
  return byType<T | ObjectName | null>({
    object: when('map', expressionSchema, body),
    string: text,
    null: nothing,
  });
}

const nat = orNull(
  record<Nat>({
    family: optional(addressFamily),
    addr: optional(expressionSchema),
    port: optional(expressionSchema),
    flags: optional(flags),
    type_flags: optional(flags),
  }),
);

const statementBodies: { readonly [K in keyof StatementBodies]: z.ZodType<StatementBodies[K]> } = {
  ...verdictBodies,
  match: record<Match>({
    op: word('==', '!=', '<', '>', '<=', '>=', 'in', '!'),
    left: expressionSchema,
    right: expressionSchema,
  }),
  vmap: mapLookup,
  counter: orNameOrNull(counterState),
  quota: orName(quotaState),
  limit: orName(limitState),
  'ct count': statefulBodies['ct count'],
  last: statefulBodies.last,
  mangle: record<Mangle>({ key: expressionSchema, value: expressionSchema }),
  flow: record<Flow>({ op: text, flowtable: text }),
  fwd: record<Forward>({
    dev: expressionSchema,
    family: optional(addressFamily),
    addr: optional(expressionSchema),
  }),
  notrack: nothing,
  dup: orNull(record<Duplicate>({ addr: expressionSchema, dev: optional(expressionSchema) })),
  snat: nat,
  dnat: nat,
  masquerade: nat,
  redirect: nat,
  reject: orNull(record<Reject>({ type: optional(text), expr: optional(expressionSchema) })),
  set: record<SetUpdate>({
    op: text,
    elem: expressionSchema,
    set: text,
    stmt: optional(statements),
  }),
  map: record<MapUpdate>({
    op: text,
    elem: expressionSchema,
    data: expressionSchema,
    map: text,
    stmt: optional(statements),
  }),
  log: orNull(
    record<Log>({
      prefix: optional(text),
      group: optional(integer),
      snaplen: optional(integer),
      'queue-threshold': optional(integer),
      level: optional(text),
      flags: optional(flags),
    }),
  ),
  'ct helper': expressionSchema,
  'ct timeout': expressionSchema,
  'ct expectation': expressionSchema,
  secmark: expressionSchema,
  tunnel: expressionSchema,
  meter: record<Meter>({
    key: expressionSchema,
    stmt: statementSchema,
    name: optional(text),
    size: optional(integer),
  }),
  queue: orNull(record<Queue>({ num: optional(expressionSchema), flags: optional(flags) })),
  tproxy: record<TransparentProxy>({
    family: optional(addressFamily),
    addr: optional(expressionSchema),
    port: optional(expressionSchema),
  }),
  synproxy: orNameOrNull(
    record<SynProxy>({
      mss: optional(integer),
      wscale: optional(integer),
      flags: optional(flags),
    }),
  ),
  reset: expressionSchema,
  xt: orNull(record<Xt>({ type: text, name: text })),
};

/** The kinds of statements that the library knows. */
export const STATEMENT_KINDS: ReadonlySet<string> = new Set(Object.keys(statementBodies));

const statementObject = keyed<StatementBodies>('a statement', statementBodies);

const anyStatement = byType<Statement>({ string: text, object: statementObject }, 'a statement');
