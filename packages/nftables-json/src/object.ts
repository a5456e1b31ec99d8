/** What a ruleset consists of: tables and what is in them. */
import { z } from 'zod';
import { type Expression, expressionSchema } from './expression.js';
import {
  byType,
  type Flags,
  flags,
  type Integer64,
  integer,
  integer64,
  keyed,
  list,
  nothing,
  type OneOrMore,
  optional,
  record,
  type Shape,
  text,
  truth,
  type Word,
  when,
  word,
} from './schema.js';
import type { CounterState, LimitState } from './stateful.js';
import { type Statement, statementSchema } from './statement.js';

/** The families that a table can have. */
export type Family = 'ip' | 'ip6' | 'inet' | 'arp' | 'bridge' | 'netdev';

export const family = word('ip', 'ip6', 'inet', 'arp', 'bridge', 'netdev');

export interface Table {
  readonly family: Family;
  readonly name: string;
  readonly handle?: number;
  readonly flags?: Flags<'dormant' | 'owner' | 'persist'>;
  readonly comment?: string;
}

/** What everything in a table has. */
interface Named {
  readonly family: Family;
  readonly table: string;
  readonly name: string;
  readonly handle?: number;
  readonly comment?: string;
}

/** A chain; a base chain has type, hook and priority. */
export interface Chain extends Named {
  readonly type?: Word<'filter' | 'nat' | 'route'>;
  readonly hook?: Word<
    'prerouting' | 'input' | 'forward' | 'output' | 'postrouting' | 'ingress' | 'egress'
  >;
  readonly prio?: number;
  readonly dev?: OneOrMore<string>;
  readonly policy?: Word<'accept' | 'drop'>;
}

export interface Rule {
  readonly family: Family;
  readonly table: string;
  readonly chain: string;
  /** Missing where the nft that printed it could make nothing of what the kernel has. */
  readonly expr?: readonly Statement[];
  /** In `add` and `insert` that of the rule beside which it goes. */
  readonly handle?: number;
  /** The place in the chain, from 0, as another way to name a rule. */
  readonly index?: number;
  readonly comment?: string;
}

/** The type of an expression whatever its value. */
export interface TypeOf {
  readonly typeof: Expression;
}

/** A type by name, or that of an expression; several for concatenations. */
export type SetType = string | TypeOf | readonly SetType[];

interface SetProperties extends Named {
  readonly type: SetType;
  readonly policy?: Word<'performance' | 'memory'>;
  /** Give a list: up to 1.0.6 nft passes over a flag by itself. */
  readonly flags?: Flags<'constant' | 'interval' | 'timeout' | 'dynamic'>;
  /** In a map pairs of key and value. */
  readonly elem?: Expression;
  /** In seconds. */
  readonly timeout?: Integer64;
  /** In seconds. */
  readonly 'gc-interval'?: number;
  /** How many elements there can be. */
  readonly size?: number;
  readonly 'auto-merge'?: boolean;
  /** State that each new element gets. */
  readonly stmt?: OneOrMore<Statement>;
}

export interface NftSet extends SetProperties {}

export interface NftMap extends SetProperties {
  /** The type of the values, `verdict`, or the kind of object. */
  readonly map: SetType;
}

/** A set that a meter in a rule has made, as `list meters` shows it. */
export interface MeterSet extends SetProperties {}

/** Elements of a set that is there. */
export interface Elements {
  readonly family: Family;
  readonly table: string;
  readonly name: string;
  readonly elem: Expression;
}

export interface Flowtable extends Named {
  readonly hook?: Word<'ingress'>;
  readonly prio?: number;
  readonly dev?: OneOrMore<string>;
  readonly flags?: Flags<'offload' | 'counter'>;
}

export interface Counter extends Named, CounterState {}

export interface Quota extends Named {
  readonly bytes?: Integer64;
  readonly used?: Integer64;
  readonly inv?: boolean;
}

export interface Limit extends Named, Partial<LimitState> {
  readonly unit?: Word<'packets' | 'bytes'>;
}

export interface CtHelper extends Named {
  readonly type?: string;
  readonly protocol?: string | number;
  readonly l3proto?: Family;
}

export interface CtTimeout extends Named {
  readonly protocol?: string | number;
  readonly l3proto?: Family;
  /** Seconds for each state of the connection; null for the kernel's own. */
  readonly policy?: Readonly<Record<string, number>> | null;
}

export interface CtExpectation extends Named {
  readonly protocol?: string | number;
  readonly l3proto?: Family;
  readonly dport?: number;
  /** In milliseconds. */
  readonly timeout?: number;
  readonly size?: number;
}

export interface SynProxyObject extends Named {
  readonly mss?: number;
  readonly wscale?: number;
  readonly flags?: Flags<'timestamp' | 'sack-perm'>;
}

export interface Secmark extends Named {
  readonly context?: string;
}

export interface VxlanTunnel {
  readonly gbp: number;
}

export interface ErspanTunnel {
  readonly version: number;
  readonly index?: number;
  readonly dir?: Word<'ingress' | 'egress'>;
  readonly hwid?: number;
}

export interface GeneveOption {
  readonly class: number;
  readonly 'opt-type': number;
  readonly data: string;
}

export interface Tunnel extends Named {
  readonly id?: number;
  readonly src?: string;
  readonly dst?: string;
  readonly 'src-ipv4'?: string;
  readonly 'dst-ipv4'?: string;
  readonly 'src-ipv6'?: string;
  readonly 'dst-ipv6'?: string;
  readonly sport?: number;
  readonly dport?: number;
  readonly tos?: number;
  readonly ttl?: number;
  readonly type?: Word<'erspan' | 'vxlan' | 'geneve'>;
  readonly tunnel?: VxlanTunnel | ErspanTunnel | readonly GeneveOption[];
}

/** What each kind of object holds; the kinds are the keys. */
export interface ObjectBodies {
  readonly table: Table;
  readonly chain: Chain;
  readonly rule: Rule;
  readonly set: NftSet;
  readonly map: NftMap;
  readonly meter: MeterSet;
  readonly element: Elements;
  readonly flowtable: Flowtable;
  readonly counter: Counter;
  readonly quota: Quota;
  readonly limit: Limit;
  readonly 'ct helper': CtHelper;
  readonly 'ct timeout': CtTimeout;
  readonly 'ct expectation': CtExpectation;
  readonly synproxy: SynProxyObject;
  readonly secmark: Secmark;
  readonly tunnel: Tunnel;
}

export type ObjectKind = keyof ObjectBodies;

const named = {
  family,
  table: text,
  name: text,
  handle: optional(integer),
  comment: optional(text),
};

const devices = byType<OneOrMore<string>>({ string: text, array: list(text) });

const setType: z.ZodType<SetType> = z.lazy(() => anySetType);
const anySetType = byType<SetType>({
  string: text,
  array: list(setType),
  object: keyed<TypeOf>('a type', { typeof: expressionSchema }),
});

const setShape = {
  ...named,
  type: setType,
  policy: optional(text),
  flags: optional(flags),
  elem: optional(expressionSchema),
  timeout: optional(integer64),
  'gc-interval': optional(integer),
  size: optional(integer),
  'auto-merge': optional(truth),
  stmt: optional(
    byType<OneOrMore<Statement>>({ array: list(statementSchema), object: statementSchema }),
  ),
};

const protocol = optional(byType<string | number>({ string: text, number: integer }));

const erspan = record<ErspanTunnel>({
  version: integer,
  index: optional(integer),
  dir: optional(text),
  hwid: optional(integer),
});

const geneve = record<GeneveOption>({ class: integer, 'opt-type': integer, data: text });

/** The fields of each kind; commands need fewer of them. */
export const objectShapes: { readonly [K in ObjectKind]: Shape<ObjectBodies[K]> } = {
  table: {
    family,
    name: text,
    handle: optional(integer),
    flags: optional(flags),
    comment: optional(text),
  },
  chain: {
    ...named,
    type: optional(text),
    hook: optional(text),
    prio: optional(integer),
    dev: optional(devices),
    policy: optional(text),
  },
  rule: {
    family,
    table: text,
    chain: text,
    expr: optional(list(statementSchema)),
    handle: optional(integer),
    index: optional(integer),
    comment: optional(text),
  },
  set: setShape,
  map: { ...setShape, map: setType },
  meter: setShape,
  element: { family, table: text, name: text, elem: expressionSchema },
  flowtable: {
    ...named,
    hook: optional(text),
    prio: optional(integer),
    dev: optional(devices),
    flags: optional(flags),
  },
  counter: { ...named, packets: optional(integer64), bytes: optional(integer64) },
  quota: {
    ...named,
    bytes: optional(integer64),
    used: optional(integer64),
    inv: optional(truth),
  },
  limit: {
    ...named,
    rate: optional(integer64),
    rate_unit: optional(text),
    per: optional(text),
    burst: optional(integer64),
    burst_unit: optional(text),
    unit: optional(text),
    inv: optional(truth),
  },
  'ct helper': { ...named, type: optional(text), protocol, l3proto: optional(family) },
  'ct timeout': {
    ...named,
    protocol,
    l3proto: optional(family),
    policy: optional(
      byType<Readonly<Record<string, number>> | null>({
        object: z.record(z.string(), integer),
        null: nothing,
      }),
    ),
  },
  'ct expectation': {
    ...named,
    protocol,
    l3proto: optional(family),
    dport: optional(integer),
    timeout: optional(integer),
    size: optional(integer),
  },
  synproxy: {
    ...named,
    mss: optional(integer),
    wscale: optional(integer),
    flags: optional(flags),
  },
  secmark: { ...named, context: optional(text) },
  tunnel: {
    ...named,
    id: optional(integer),
    src: optional(text),
    dst: optional(text),
    'src-ipv4': optional(text),
    'dst-ipv4': optional(text),
    'src-ipv6': optional(text),
    'dst-ipv6': optional(text),
    sport: optional(integer),
    dport: optional(integer),
    tos: optional(integer),
    ttl: optional(integer),
    type: optional(text),
    tunnel: optional(
      byType<VxlanTunnel | ErspanTunnel | readonly GeneveOption[]>({
        object: when('gbp', record<VxlanTunnel>({ gbp: integer }), erspan),
        array: list(geneve),
      }),
    ),
  },
};

export const objectBodies: { readonly [K in ObjectKind]: z.ZodType<ObjectBodies[K]> } = {
  table: record(objectShapes.table),
  chain: record(objectShapes.chain),
  rule: record(objectShapes.rule),
  set: record(objectShapes.set),
  map: record(objectShapes.map),
  meter: record(objectShapes.meter),
  element: record(objectShapes.element),
  flowtable: record(objectShapes.flowtable),
  counter: record(objectShapes.counter),
  quota: record(objectShapes.quota),
  limit: record(objectShapes.limit),
  'ct helper': record(objectShapes['ct helper']),
  'ct timeout': record(objectShapes['ct timeout']),
  'ct expectation': record(objectShapes['ct expectation']),
  synproxy: record(objectShapes.synproxy),
  secmark: record(objectShapes.secmark),
  tunnel: record(objectShapes.tunnel),
};
