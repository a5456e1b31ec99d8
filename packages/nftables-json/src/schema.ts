/**
 * What the schemas are built of. They are zod's, with three differences that documents of nft need:
 *
 * - A choice looks at the value and follows one option, so that an error tells what was expected at
 *   its own path and never "invalid union".
 * - Keys that a schema doesn't know pass, and are reported where `check` asks for it.
 * - Nothing is transformed, so that nothing is copied: what is parsed is the value that was given. A
 *   document of 100 MB needs no second 100 MB.
 */
import { z } from 'zod';

/** What zod hands from schema to schema. */
type Context = z.core.ParseContextInternal;
type Payload = z.core.ParsePayload;
type Parse = (payload: Payload, ctx: Context, self: z.core.$ZodType) => Payload;

/** A context in which keys that no schema knows are issues of the code `unrecognized_keys`. */
export interface ReportingContext extends z.core.ParseContext<z.core.$ZodIssue> {
  readonly reportUnknown: true;
}

type Fields = Readonly<Record<string, unknown>>;

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A schema that parses by itself and is otherwise, in JSON Schema for example, like another. */
function derive<T>(like: z.core.$ZodType, parse: Parse): z.ZodType<T> {
  const Derived = z.core.$constructor<z.ZodType<T>, z.core.$ZodTypeDef>('Derived', (self, def) => {
    z.ZodType.init(self, def);
    self._zod.parse = (payload, ctx) => parse(payload, ctx, self);
    self._zod.processJSONSchema = like._zod.processJSONSchema;
  });
  return new Derived(like._zod.def);
}

function expected(payload: Payload, what: string, self: z.core.$ZodType): Payload {
  payload.issues.push({ code: 'invalid_type', expected: what, input: payload.value, inst: self });
  return payload;
}

/**
 * Parses a part of the value, and takes its issues over. No schema here is asynchronous: the result
 * is there when `run` returns.
 */
function descend(
  schema: z.core.$ZodType,
  part: Payload,
  key: PropertyKey,
  payload: Payload,
  ctx: Context,
): void {
  const result = schema._zod.run(part, ctx);
  if (result instanceof Promise) throw new z.core.$ZodAsyncError();
  if (result.issues.length === 0) return;
  for (const issue of z.core.util.prefixIssues(key, result.issues)) payload.issues.push(issue);
  part.issues = [];
}

/** A field that may be missing; null is not missing. */
export function optional<T>(schema: z.ZodType<T>): z.ZodExactOptional<z.ZodType<T>> {
  return z.exactOptional(schema);
}

/** A schema for each field of T, `optional` for those that may be missing. */
export type Shape<T> = {
  readonly [K in keyof T]-?: object extends Pick<T, K>
    ? z.ZodExactOptional<z.ZodType<NonNullable<T[K]> | Extract<T[K], null>>>
    : z.ZodType<T[K]>;
};

/** An object with these fields. */
export function record<T>(shape: Shape<T>): z.ZodType<T> {
  return fieldsOf(Object.entries<z.core.$ZodType>(shape));
}

/** The same for what identifies a thing in commands: its family, and otherwise what is given. */
export function reference<T extends { family: unknown }>(shape: Shape<T>): z.ZodType<Reference<T>> {
  return fieldsOf(
    Object.entries<z.core.$ZodType>(shape).map(([key, schema]) => [
      key,
      key === 'family' ? schema : z.exactOptional(schema),
    ]),
  );
}

function fieldsOf<T>(entries: readonly (readonly [string, z.core.$ZodType])[]): z.ZodType<T> {
  const fields = new Map(entries);
  const required = [...fields]
    .filter(([, schema]) => schema._zod.def.type !== 'optional')
    .map(([key]) => key);
  return derive(z.looseObject(Object.fromEntries(fields)), (payload, ctx, self) => {
    const input = payload.value;
    if (!isFields(input)) return expected(payload, 'object', self);
    const part: Payload = { value: undefined, issues: [] };
    const unknown: string[] = [];
    for (const key in input) {
      if (input[key] === undefined) continue;
      const schema = fields.get(key);
      if (schema === undefined) {
        unknown.push(key);
        continue;
      }
      part.value = input[key];
      descend(schema, part, key, payload, ctx);
    }
    for (const key of required) {
      if (input[key] !== undefined) continue;
      part.value = undefined;
      const schema = fields.get(key);
      if (schema) descend(schema, part, key, payload, ctx);
    }
    if (unknown.length > 0 && 'reportUnknown' in ctx)
      payload.issues.push({ code: 'unrecognized_keys', keys: unknown, input, inst: self });
    return payload;
  });
}

/** Makes all fields optional but the one that says what family the table has. */
export type Reference<T extends { family: unknown }> = Pick<T, 'family'> &
  Partial<Omit<T, 'family'>>;

/** A list of things of a kind. */
export function list<T>(item: z.ZodType<T>): z.ZodType<readonly T[]> {
  return derive(z.array(item), (payload, ctx, self) => {
    const input = payload.value;
    if (!Array.isArray(input)) return expected(payload, 'array', self);
    const part: Payload = { value: undefined, issues: [] };
    for (let index = 0; index < input.length; index++) {
      part.value = input[index];
      descend(item, part, index, payload, ctx);
    }
    return payload;
  });
}

/** Two things of different kinds in an array. */
export function pair<A, B>(first: z.ZodType<A>, second: z.ZodType<B>): z.ZodType<readonly [A, B]> {
  return derive(z.tuple([first, second]), (payload, ctx, self) => {
    const input = payload.value;
    if (!Array.isArray(input) || input.length !== 2) return expected(payload, 'array of two', self);
    const part: Payload = { value: input[0], issues: [] };
    descend(first, part, 0, payload, ctx);
    part.value = input[1];
    descend(second, part, 1, payload, ctx);
    return payload;
  });
}

/** One of several schemas: `pick` looks at the value and names the one, or says what it expects. */
function choice<T>(
  options: readonly z.core.$ZodType[],
  pick: (value: unknown) => z.core.$ZodType | string,
): z.ZodType<T> {
  return derive(z.union(options), (payload, ctx, self) => {
    const picked = pick(payload.value);
    if (typeof picked === 'string') return expected(payload, picked, self);
    const result = picked._zod.run(payload, ctx);
    if (result instanceof Promise) throw new z.core.$ZodAsyncError();
    return result;
  });
}

/** The types of JSON, and what JSON.parse has no type for: integers of more than 53 bits. */
type JsonType = 'string' | 'number' | 'boolean' | 'null' | 'array' | 'object';

function jsonType(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  return typeof value === 'bigint' ? 'number' : typeof value;
}

/** What a value may be by its type in JSON. */
export function byType<T>(
  options: Partial<Record<JsonType, z.ZodType<T>>>,
  name?: string,
): z.ZodType<T> {
  const schemas = new Map<string, z.ZodType<T>>(Object.entries(options));
  const types = new Intl.ListFormat('en', { type: 'disjunction' }).format(schemas.keys());
  const what = name ?? types;
  return choice([...schemas.values()], (value) => schemas.get(jsonType(value)) ?? what);
}

/** An object of one form if it has the key, else of the other. */
export function when<A, B>(key: string, form: z.ZodType<A>, other: z.ZodType<B>): z.ZodType<A | B> {
  return choice([form, other], (value) =>
    isFields(value) && value[key] !== undefined ? form : other,
  );
}

/** Objects of one key each, told apart by the key. */
export type Keyed<Bodies> = {
  readonly [K in keyof Bodies]: { readonly [Key in K]: Bodies[Key] };
}[keyof Bodies];

/**
 * An object whose one key says what it is. A key that isn't known passes and is reported; beside a known
 * one too. Two known ones are an error: libnftables would read one of them at best.
 */
export function keyed<Bodies>(
  what: string,
  bodies: { readonly [K in keyof Bodies]: z.ZodType<Bodies[K]> },
): z.ZodType<Keyed<Bodies>> {
  const options = new Map(
    Object.entries<z.ZodType>(bodies).map(([key, body]) => [key, fieldsOf([[key, body]])]),
  );
  const unknown = fieldsOf([]);
  return choice([...options.values()], (value) => {
    if (!isFields(value)) return what;
    let found: string | undefined;
    for (const key in value) {
      if (!options.has(key)) continue;
      if (found !== undefined) return `${what} with one key, not both ${found} and ${key}`;
      found = key;
    }
    if (found !== undefined) return options.get(found) ?? unknown;
    return Object.keys(value).length > 0 ? unknown : what;
  });
}

/** Text. */
export const text = z.string();

/** A word of the list, or one that a newer nft brings. */
export type Word<Known extends string> = Known | (string & {});

/** A word of a list that can't grow without a change of meaning. */
export function word<const W extends string>(...words: readonly W[]): z.ZodType<W> {
  return z.enum(words);
}

export const truth = z.boolean();

/** null: what nft writes for a thing without properties. */
export const nothing = z.null();

/** An integer that a number holds exactly. */
export const integer: z.ZodType<number> = derive(z.int(), (payload, _, self) =>
  Number.isInteger(payload.value) ? payload : expected(payload, 'integer', self),
);

/** An integer of up to 64 bits: a bigint where a number would not hold it exactly. */
export type Integer64 = number | bigint;

export const integer64: z.ZodType<Integer64> = derive(z.int(), (payload, _, self) =>
  typeof payload.value === 'bigint' || Number.isInteger(payload.value)
    ? payload
    : expected(payload, 'integer', self),
);

/** One thing or a list of them. */
export type OneOrMore<T> = T | readonly T[];

/** A flag or a list of flags. */
export type Flags<Known extends string> = OneOrMore<Word<Known>>;

export const flags: z.ZodType<OneOrMore<string>> = byType<OneOrMore<string>>({
  string: text,
  array: list(text),
});
