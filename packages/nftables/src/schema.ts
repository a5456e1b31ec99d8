/** The JSON schema of documents, made of the same rows that write and read them. */
import { BUILTIN_CHAINS, MAX_MARK, REJECT_ERRNO, type ValueKind } from '@sockfilter/table';
import { FORMS, type Shape } from './form.js';
import type { Json } from './json.js';
import { LIMIT_UNIT, PERIOD_NAMES } from './limit.js';
import { ROWS, TESTS } from './row.js';
import { EXTENSION, selectorJson } from './selector.js';
import { MARK, NFT_LEVELS, TRACE_STATEMENT } from './statement.js';
import { DENY_UNSEEN, FORMAT, hookOf, TABLE } from './write.js';

type Schema = { readonly [key: string]: Json };

const string: Schema = { type: 'string' };
const count: Schema = { type: 'integer', minimum: 0 };
const positive: Schema = { type: 'integer', minimum: 1 };

function object(required: { readonly [key: string]: Json }, optional: Schema = {}): Schema {
  return {
    type: 'object',
    properties: { ...required, ...optional },
    required: Object.keys(required),
    additionalProperties: false,
  };
}

const array = (items: Json): Schema => ({ type: 'array', items });
const oneOf = (options: readonly Json[]): Json =>
  options.length === 1 ? (options[0] ?? {}) : { anyOf: options };

/** Objects with this and nothing else in them. */
function exactly(json: Json): Json {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) return { const: json };
  return object(
    Object.fromEntries(Object.entries(json).map(([key, part]) => [key, exactly(part)])),
  );
}

/** What a value of the shape can be. */
const SHAPES: Readonly<Record<Shape, Schema>> = {
  value: { $ref: '#/$defs/value' },
  mask: { $ref: '#/$defs/value' },
  range: { $ref: '#/$defs/range' },
  prefix: { $ref: '#/$defs/prefix' },
  set: { $ref: '#/$defs/set' },
};

const DEFINITIONS: Schema = {
  value: { type: ['string', 'integer'] },
  range: object({ range: { ...array({ $ref: '#/$defs/value' }), minItems: 2, maxItems: 2 } }),
  prefix: object({ prefix: object({ addr: string, len: count }) }),
  set: object({
    set: { ...array({ anyOf: [SHAPES.value, SHAPES.range] }), minItems: 1 },
  }),
  flags: { anyOf: [{ const: 0 }, string, array(string)] },
};

/** Forms whose values are of no shape. */
const OWN_VALUES: ReadonlyMap<unknown, Schema> = new Map([
  [FORMS['tcpFlags' satisfies ValueKind], { $ref: '#/$defs/flags' }],
  [FORMS['none' satisfies ValueKind], { type: 'null' }],
]);

function matchSchemas(): readonly Json[] {
  return TESTS.map(({ row, form }) => {
    const looked = oneOf(row.selectors.map((each) => exactly(selectorJson(each))));
    const sides = form.shapes.map((shape) => {
      const value = OWN_VALUES.get(form) ?? SHAPES[shape];
      const right = row.constant === undefined ? value : { const: row.constant };
      const both = { type: 'array', prefixItems: [looked, value], items: false, minItems: 2 };
      return object(
        { left: shape === 'mask' ? object({ '&': both }) : looked, right },
        { op: { enum: ['==', '!='] } },
      );
    });
    return oneOf(sides);
  });
}

/** A mark, or what becomes of the one that is there. */
function markValues(): readonly Json[] {
  const bits = { type: 'integer', minimum: 0, maximum: MAX_MARK };
  const operation = (sign: string, left: Json) => ({
    [sign]: { type: 'array', prefixItems: [left, bits], items: false, minItems: 2 },
  });
  const mark = exactly(MARK);
  const kept = object(operation('&', mark));
  return [
    bits,
    kept,
    object(operation('|', mark)),
    object(operation('^', mark)),
    object(operation('^', kept)),
  ];
}

/** The flags of a rewriting of addresses: one, or an array. */
function natFlags(...more: readonly string[]): Json {
  const flag = { enum: ['random', ...more] };
  return { anyOf: [flag, array(flag)] };
}

function statements(): readonly Json[] {
  const call = object({ target: string });
  const units = { rate_unit: { const: LIMIT_UNIT }, burst_unit: { const: LIMIT_UNIT } };
  const reject = object({ reject: { enum: Object.keys(REJECT_ERRNO) } });
  const number = { type: 'integer', minimum: 1, maximum: 65_535 };
  const drop = object({ drop: { type: 'null' } });
  return [
    object({ match: oneOf(matchSchemas()) }),
    object({
      limit: object(
        { rate: positive, per: { enum: [...PERIOD_NAMES] } },
        { burst: positive, inv: { const: false }, ...units },
      ),
    }),
    object({
      counter: { anyOf: [{ type: 'null' }, object({ packets: count }, { bytes: count })] },
    }),
    ...['accept', 'drop', 'return'].map((name) => object({ [name]: { type: 'null' } })),
    ...['jump', 'goto'].map((name) => object({ [name]: call })),
    object({
      log: {
        anyOf: [
          { type: 'null' },
          object(
            {},
            { prefix: string, level: { enum: [...NFT_LEVELS] }, flags: { const: 'skuid' } },
          ),
          object({ group: { type: 'integer', minimum: 0, maximum: 65_535 } }, { prefix: string }),
        ],
      },
    }),
    object({
      dnat: {
        anyOf: [
          object(
            { addr: string },
            { family: { enum: ['ip', 'ip6'] }, port: number, flags: natFlags('persistent') },
          ),
          object({ port: number }, { flags: natFlags('persistent') }),
        ],
      },
    }),
    object({
      redirect: { anyOf: [{ type: 'null' }, object({}, { port: number, flags: natFlags() })] },
    }),
    exactly(TRACE_STATEMENT),
    object({ mangle: object({ key: exactly(MARK), value: oneOf(markValues()) }) }),
    object({ [EXTENSION]: oneOf([reject, object({ audit: oneOf([reject, drop]) })]) }),
  ];
}

const own = { family: { const: TABLE.family }, table: { const: TABLE.table } };

function items(): readonly Json[] {
  const laid = object({ match: { enum: Object.keys(ROWS) } }, { tests: count, comment: string });
  const builtin = BUILTIN_CHAINS.map((name) =>
    object(
      { ...own, name: { const: name } },
      {
        handle: count,
        type: { const: 'filter' },
        hook: { const: hookOf(name) },
        prio: { const: 0 },
        policy: { enum: ['accept', 'drop'] },
        [EXTENSION]: object({}, { packets: count, audit: { const: true } }),
      },
    ),
  );
  const user = object(
    { ...own, name: { type: 'string', pattern: `^(?!(${BUILTIN_CHAINS.join('|')})$)` } },
    { handle: count },
  );
  const id = { type: 'integer', minimum: 1, maximum: 2 ** 32 - 1 };
  return [
    object({
      metainfo: {
        type: 'object',
        properties: {
          [EXTENSION]: {
            type: 'object',
            properties: { format: { type: 'integer', minimum: 1, maximum: FORMAT } },
            required: ['format'],
          },
        },
      },
    }),
    object({
      table: object(
        { family: own.family, name: own.table },
        { handle: count, [EXTENSION]: object({}, { [DENY_UNSEEN]: { type: 'boolean' } }) },
      ),
    }),
    object({ chain: { anyOf: [...builtin, user] } }),
    object({
      set: object(
        { ...own, name: string, type: { anyOf: [string, array(string)] } },
        {
          handle: count,
          flags: array({ enum: ['interval', 'timeout'] }),
          timeout: count,
          size: count,
          [EXTENSION]: object({}, { counters: { type: 'boolean' }, comment: { type: 'boolean' } }),
          elem: array({ $ref: '#/$defs/element' }),
        },
      ),
    }),
    object({ [EXTENSION]: object({ group: object({ name: string, id }, { path: string }) }) }),
    object({
      rule: object(
        { ...own, chain: string, expr: array({ $ref: '#/$defs/statement' }) },
        { handle: count, comment: string, [EXTENSION]: object({ matches: array(laid) }) },
      ),
    }),
  ];
}

/** What `sockfilter save --json` prints and `sockfilter restore --json` reads, for validators and editors. */
export function tableSchema(): Json {
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: `The socket table of sockfilter as nftables JSON, format ${FORMAT}`,
    ...object({ nftables: array({ $ref: '#/$defs/item' }) }),
    $defs: {
      ...DEFINITIONS,
      statement: { anyOf: statements() },
      value: { anyOf: [string, count, object({ prefix: object({ addr: string, len: count }) })] },
      key: {
        anyOf: [{ $ref: '#/$defs/value' }, object({ concat: array({ $ref: '#/$defs/value' }) })],
      },
      holder: {
        anyOf: [
          { $ref: '#/$defs/key' },
          object({ [EXTENSION]: object({ nomatch: { $ref: '#/$defs/key' } }) }),
        ],
      },
      element: {
        anyOf: [
          { $ref: '#/$defs/holder' },
          object({
            elem: object(
              { val: { $ref: '#/$defs/holder' } },
              {
                timeout: count,
                expires: count,
                counter: object({ packets: count }, { bytes: count }),
                comment: string,
              },
            ),
          }),
        ],
      },
      entry: { anyOf: items() },
      item: { anyOf: [{ $ref: '#/$defs/entry' }, object({ add: { $ref: '#/$defs/entry' } })] },
    },
  };
}
