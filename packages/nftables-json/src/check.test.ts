import fc from 'fast-check';
import { z } from 'zod';
import {
  type Checked,
  check,
  documentSchema,
  expressionSchema,
  NftFormatError,
  parseDocument,
  parseJson,
  printDocument,
  printJson,
  statementSchema,
} from './index.js';

function told(checked: Checked<unknown>): string {
  return checked.ok
    ? checked.unknown.map(({ place }) => `unknown ${place}`).join('; ')
    : checked.problems.map(({ message }) => message).join('; ');
}

const statement = (text: string) => told(check(statementSchema, JSON.parse(text)));

describe('a wrong value is told with its place and what was expected there', () => {
  test.each([
    [
      '{"match": {"op": "===", "left": 1, "right": 2}}',
      '$.match.op: expected ==, !=, <, >, <=, >=, in, or !, got "==="',
    ],
    ['{"match": {"op": "==", "left": 1}}', '$.match.right: expected an expression, got nothing'],
    [
      '{"match": {"op": "==", "left": {"payload": {"protocol": "tcp", "field": 3}}, "right": 2}}',
      '$.match.left.payload.field: expected a string, got 3',
    ],
    [
      '{"match": {"op": "==", "left": {"payload": {"base": "nh", "len": 8}}, "right": 2}}',
      '$.match.left.payload.offset: expected an integer, got nothing',
    ],
    [
      '{"match": {"op": "==", "left": {"&": [1, {"range": [1]}]}, "right": 2}}',
      '$.match.left["&"][1].range: expected an array of two, got an array',
    ],
    [
      '{"match": {"op": "==", "left": {"concat": 5}, "right": null}}',
      '$.match.left.concat: expected an array, got 5; $.match.right: expected an expression, got null',
    ],
    [
      '{"match": {"op": "==", "left": {"fib": {"result": "oif", "flags": [true]}}, "right": {}}}',
      '$.match.left.fib.flags[0]: expected a string or a number, got true; $.match.right: expected an expression, got an empty object',
    ],
    ['{"ct count": {"val": 1.5}}', '$["ct count"].val: expected an integer, got 1.5'],
    ['{"accept": 1}', '$.accept: expected null, got 1'],
    ['{"jump": {}}', '$.jump.target: expected a string, got nothing'],
    ['{"counter": 5}', '$.counter: expected an object, a string, or null, got 5'],
    ['{"counter": {"packets": "5"}}', '$.counter.packets: expected an integer, got "5"'],
    ['{"limit": {"rate": 5, "per": 1}}', '$.limit.per: expected a string, got 1'],
    ['{"log": {"flags": 3}}', '$.log.flags: expected a string or an array, got 3'],
    [
      '{"snat": {"family": "inet", "addr": "10.0.0.1"}}',
      '$.snat.family: expected ip or ip6, got "inet"',
    ],
    [
      '{"meter": {"key": 1, "stmt": {"limit": {}}}}',
      '$.meter.stmt.limit.rate: expected an integer, got nothing',
    ],
    ['{}', '$: expected a statement, got an empty object'],
    [
      '{"accept": null, "drop": null}',
      '$: expected a statement with one key, not both accept and drop, got an object with "accept", "drop"',
    ],
    ['[]', '$: expected a statement, got an empty array'],
  ])('%s', (text, message) => {
    expect(statement(text)).toBe(message);
  });

  test.each([
    ['null', '$: expected an object, got null'],
    ['{}', '$.nftables: expected an array, got nothing'],
    [
      '{"nftables": [{"table": {"family": "inett", "name": "t"}}]}',
      '$.nftables[0].table.family: expected ip, ip6, inet, arp, bridge, or netdev, got "inett"',
    ],
    [
      '{"nftables": [{"add": {"chain": {"family": "ip", "table": "t"}}}]}',
      '$.nftables[0].add.chain.name: expected a string, got nothing',
    ],
    [
      '{"nftables": [{"insert": {"table": {"family": "ip", "name": "t"}}, "add": 1}]}',
      '$.nftables[0]: expected a command or an object with one key, not both insert and add, got an object with "insert", "add"',
    ],
    [
      '{"nftables": [{"delete": {"rule": {"table": "t", "handle": "5"}}}]}',
      '$.nftables[0].delete.rule.handle: expected an integer, got "5"; $.nftables[0].delete.rule.family: expected ip, ip6, inet, arp, bridge, or netdev, got nothing',
    ],
    [
      '{"nftables": [{"rename": {"chain": {"family": "ip", "table": "t", "name": "a"}}}]}',
      '$.nftables[0].rename.chain.newname: expected a string, got nothing',
    ],
    [
      '{"nftables": [{"set": {"family": "ip", "table": "t", "name": "s", "type": ["mark", 5]}}]}',
      '$.nftables[0].set.type[1]: expected a string, an array, or an object, got 5',
    ],
    [
      '{"nftables": [{"ct timeout": {"family": "ip", "table": "t", "name": "s", "policy": {"close": "5"}}}]}',
      '$.nftables[0]["ct timeout"].policy.close: expected an integer, got "5"',
    ],
  ])('%s', (text, message) => {
    expect(told(check(documentSchema, JSON.parse(text)))).toBe(message);
  });

  test('all of a document at once, as one error', () => {
    const text = '{"nftables": [{"counter": {"family": "ip", "table": 1, "name": 2}}, 3]}';
    let thrown: unknown;
    try {
      parseDocument(text);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(NftFormatError);
    expect(thrown instanceof NftFormatError && thrown.problems.map(({ path }) => path)).toEqual([
      ['nftables', 0, 'counter', 'table'],
      ['nftables', 0, 'counter', 'name'],
      ['nftables', 1],
    ]);
  });

  test('what is no JSON', () => {
    expect(() => parseDocument('{"nftables": [')).toThrow(/^not JSON: /);
  });

  test('what is too deep', () => {
    const deep = JSON.parse(`${'['.repeat(100_000)}1${']'.repeat(100_000)}`);
    expect(told(check(expressionSchema, deep))).toMatch(/^\$: expected no more than 2048 levels/);
  });
});

describe('what is unknown passes and is reported', () => {
  test.each([
    ['{"frob": {"a": 1}}', 'unknown $.frob'],
    ['{"counter": {"packets": 1, "bytes": 2, "colour": 3}}', 'unknown $.counter.colour'],
    [
      '{"match": {"op": "==", "left": {"frob": 1}, "right": {"set": [{"elem": {"val": 1, "x y": 2}}]}}}',
      'unknown $.match.left.frob; unknown $.match.right.set[0].elem["x y"]',
    ],
    ['{"accept": null, "frob": 1}', 'unknown $.frob'],
    ['{"meta": {"key": "brand-new"}}', 'unknown $.meta'],
    ['{"__proto__": 1}', 'unknown $["__proto__"]'],
  ])('%s', (text, places) => {
    const value: unknown = JSON.parse(text);
    const checked = check(statementSchema, value);
    expect(told(checked).replaceAll('$.__proto__', '$["__proto__"]')).toBe(places);
    expect(checked.ok && checked.value).toBe(value);
    expect(statementSchema.parse(value)).toBe(value);
  });

  test('words that no list has are words', () => {
    const text = '{"match": {"op": "==", "left": {"meta": {"key": "brand-new"}}, "right": 1}}';
    expect(statement(text)).toBe('');
  });

  test('unknown keys beside mistakes hide nothing', () => {
    expect(statement('{"counter": {"packets": "1", "colour": 3}}')).toBe(
      '$.counter.packets: expected an integer, got "1"',
    );
  });
});

describe('the schemas are zod schemas', () => {
  test('inside of others, with paths', () => {
    const rules = z.object({ rules: z.array(statementSchema) });
    const result = rules.safeParse({ rules: [{ accept: null }, { counter: 1 }] });
    expect(result.error?.issues.map(({ path }) => path)).toEqual([['rules', 1, 'counter']]);
  });

  test('and have a JSON Schema', () => {
    const schema = z.toJSONSchema(documentSchema);
    expect(schema.required).toEqual(['nftables']);
    expect(JSON.stringify(schema)).toContain('"ct expectation"');
  });
});

describe('integers of 64 bits', () => {
  test('keep their digits', () => {
    const text =
      '{"nftables":[{"counter":{"family":"ip","table":"t","name":"c","packets":18446744073709551615,' +
      '"bytes":9007199254740991,"comment":"1234567890123456789"}}]}';
    const { document, unknown } = parseDocument(text);
    expect(document.nftables[0]).toMatchObject({
      counter: { packets: 18446744073709551615n, bytes: 9007199254740991 },
    });
    expect(unknown).toEqual([]);
    expect(printDocument(document)).toBe(text);
  });

  test('are read and printed exactly, whatever is in strings', () => {
    const leaf = fc.oneof(
      fc.bigInt(-(2n ** 63n), 2n ** 64n - 1n),
      fc.integer(),
      fc.string(),
      fc.constantFrom('12345678901234567890', '"', '\\', '\\"1234567890123456', null, true),
    );
    const value = fc.letrec((tie) => ({
      any: fc.oneof(
        { maxDepth: 3 },
        leaf,
        fc.array(tie('any'), { maxLength: 4 }),
        fc.dictionary(fc.oneof(fc.string(), fc.constant('9999999999999999')), tie('any'), {
          maxKeys: 3,
          noNullPrototype: true,
        }),
      ),
    })).any;
    fc.assert(
      fc.property(value, (given) => {
        const text = printJson(given);
        expect(printJson(parseJson(text))).toBe(text);
        expect(JSON.parse(text)).toEqual(JSON.parse(printJson(parseJson(printJson(given, 2)))));
      }),
    );
  });
});
