/** Commands: what changes a ruleset, and what asks about it. */
import type { z } from 'zod';
import {
  type Family,
  family,
  type ObjectBodies,
  objectBodies,
  objectShapes,
  type Rule,
} from './object.js';
import {
  byType,
  type Keyed,
  keyed,
  nothing,
  optional,
  type Reference,
  record,
  reference,
  text,
} from './schema.js';

/** Enough of each kind of object to find it: its name or its handle. */
export type ReferenceBodies = { readonly [K in keyof ObjectBodies]: Reference<ObjectBodies[K]> };

/** Objects of a kind, of all families and tables or of one; null for all. */
export interface Scope {
  readonly family?: Family;
  readonly table?: string;
}

export type PluralKind =
  | 'tables'
  | 'chains'
  | 'rules'
  | 'sets'
  | 'maps'
  | 'meters'
  | 'flowtables'
  | 'counters'
  | 'quotas'
  | 'limits'
  | 'ct helpers'
  | 'ct timeouts'
  | 'ct expectations'
  | 'synproxys'
  | 'secmarks'
  | 'tunnels'
  | 'hooks'
  | 'ruleset';

export type ScopeBodies = { readonly [K in PluralKind]: Scope | null };

export interface Renaming {
  readonly family: Family;
  readonly table: string;
  readonly name: string;
  readonly newname: string;
}

/** What each command holds; the commands are the keys. */
export interface CommandBodies {
  readonly add: Keyed<ObjectBodies>;
  /** Like add, but an error where the object is there. */
  readonly create: Keyed<ObjectBodies>;
  readonly insert: { readonly rule: Rule };
  /** The rule's handle says which. */
  readonly replace: { readonly rule: Rule };
  readonly delete: Keyed<ReferenceBodies>;
  /** Like delete, but no error where the object is not there. */
  readonly destroy: Keyed<ReferenceBodies>;
  readonly list: Keyed<ReferenceBodies & ScopeBodies>;
  readonly reset: Keyed<ReferenceBodies & ScopeBodies>;
  readonly flush: Keyed<ReferenceBodies & ScopeBodies>;
  readonly rename: { readonly chain: Renaming };
}

export type CommandKind = keyof CommandBodies;

export type Command = Keyed<CommandBodies>;

const references: { readonly [K in keyof ObjectBodies]: z.ZodType<ReferenceBodies[K]> } = {
  table: reference(objectShapes.table),
  chain: reference(objectShapes.chain),
  rule: reference(objectShapes.rule),
  set: reference(objectShapes.set),
  map: reference(objectShapes.map),
  meter: reference(objectShapes.meter),
  element: reference(objectShapes.element),
  flowtable: reference(objectShapes.flowtable),
  counter: reference(objectShapes.counter),
  quota: reference(objectShapes.quota),
  limit: reference(objectShapes.limit),
  'ct helper': reference(objectShapes['ct helper']),
  'ct timeout': reference(objectShapes['ct timeout']),
  'ct expectation': reference(objectShapes['ct expectation']),
  synproxy: reference(objectShapes.synproxy),
  secmark: reference(objectShapes.secmark),
  tunnel: reference(objectShapes.tunnel),
};

const scope = byType<Scope | null>({
  object: record<Scope>({ family: optional(family), table: optional(text) }),
  null: nothing,
});

const asked: {
  readonly [K in keyof (ReferenceBodies & ScopeBodies)]: z.ZodType<
    (ReferenceBodies & ScopeBodies)[K]
  >;
} = {
  ...references,
  tables: scope,
  chains: scope,
  rules: scope,
  sets: scope,
  maps: scope,
  meters: scope,
  flowtables: scope,
  counters: scope,
  quotas: scope,
  limits: scope,
  'ct helpers': scope,
  'ct timeouts': scope,
  'ct expectations': scope,
  synproxys: scope,
  secmarks: scope,
  tunnels: scope,
  hooks: scope,
  ruleset: scope,
};

const added = keyed<ObjectBodies>('an object', objectBodies);
const removed = keyed<ReferenceBodies>('an object', references);
const listed = keyed<ReferenceBodies & ScopeBodies>('an object', asked);
const ruleOnly = keyed<{ readonly rule: Rule }>('a rule', { rule: objectBodies.rule });

export const commandBodies: { readonly [K in CommandKind]: z.ZodType<CommandBodies[K]> } = {
  add: added,
  create: added,
  insert: ruleOnly,
  replace: ruleOnly,
  delete: removed,
  destroy: removed,
  list: listed,
  reset: listed,
  flush: listed,
  rename: keyed<{ readonly chain: Renaming }>('a chain', {
    chain: record<Renaming>({ family, table: text, name: text, newname: text }),
  }),
};

/** A command; the schema. What `monitor` prints are commands too. */
export const commandSchema = keyed<CommandBodies>('a command', commandBodies);
