/** What is cut out of a text is what is printed of the table that it says. */
import { NO_NAMES } from '@sockfilter/language';
import {
  counterOwners,
  findRule,
  type Rule,
  sameRule,
  type Table,
  TableError,
} from '@sockfilter/table';
import fc from 'fast-check';
import { tables } from '../../../test/arbitrary/table.js';
import { propertyRuns } from '../../../test/harness/length.js';
import {
  findKeptRule,
  type KeptText,
  keptText,
  numberOfRule,
  parseSave,
  placeOfRule,
  printKeptRules,
  printKeptSave,
  printRule,
  printRules,
  printSave,
  readHead,
} from './index.js';

const COMMENT = '# revision: one sha256:0\n';

const textOf = (text: string, rules?: number): KeptText => {
  const bytes = Buffer.from(text);
  const slice = (start: number, end: number) => bytes.toString('utf8', start, end);
  return keptText({ bytes, slice, find: (words, from) => bytes.indexOf(words, from), rules });
};

/** Whose lines of groups are as they are printed is not asked for them. */
const readPlain = (text: string) => {
  expect(text).not.toContain('-G ');
  return parseSave(text, 'head', { names: NO_NAMES }).table;
};

/** Without what sets hold, which no text in force says. */
const kept = (table: Table) => {
  const text = textOf(`${COMMENT}${printSave(table, { elements: false })}`);
  const { table: head, diagnostics } = parseSave(text.head, 'head', { names: NO_NAMES });
  expect(diagnostics).toEqual([]);
  expect(readHead(text.head, readPlain)).toEqual(head);
  const rules = table.chains.reduce((sum, chain) => sum + chain.rules.length, 0);
  const known = textOf(`${COMMENT}${printSave(table, { elements: false })}`, rules);
  return { text, head, known };
};

const hasRule = (find: () => number): boolean => {
  try {
    find();
    return true;
  } catch (error) {
    if (error instanceof TableError) return false;
    throw error;
  }
};

it('cuts listings out of the text as they are printed', () => {
  fc.assert(
    fc.property(tables(12), (table) => {
      const { text, head, known } = kept(table);
      const listed = (chain?: string) =>
        Buffer.concat(
          printKeptRules(text, head, chain).map((part) => Buffer.from(part)),
        ).toString();
      expect(listed()).toBe(printRules(table));
      for (const { name, rules } of table.chains) {
        expect(listed(name)).toBe(printRules(table, { chain: name }));
        const { start, end } = text.spanOf(name);
        expect(text.rulesOf(name)).toBe(rules.length);
        expect(known.rulesOf(name)).toBe(rules.length);
        const lines = [...rules.map((rule) => `${printRule(name, rule)}\n`), ''];
        lines.forEach((_, n) => {
          const at = start + Buffer.byteLength(lines.slice(0, n).join(''));
          expect(placeOfRule(text, name, n + 1)).toBe(at);
          expect(numberOfRule(text, name, at)).toBe(n + 1);
        });
        expect(placeOfRule(text, name, 0)).toBeUndefined();
        expect(placeOfRule(text, name, rules.length + 2)).toBeUndefined();
        expect(text.slice(start, end)).toBe(
          rules.map((rule) => `${printRule(name, rule)}\n`).join(''),
        );
      }
      const owners = counterOwners(table);
      const counts = new Map<Rule | string, bigint>(
        owners.map(({ rule, chain }, n) => [rule ?? chain.name, BigInt(n * n)]),
      );
      const counters = owners.map((_, n) => BigInt(n * n));
      const whole = printSave(table, {
        elements: false,
        counters: ({ rule, chain }) => counts.get(rule ?? chain.name),
      });
      expect(printKeptSave(text, head, counters)).toBe(`${COMMENT}${whole}`);
    }),
    { numRuns: propertyRuns(500) },
  );
});

it('tells that a text has fewer rules than it is said to have', () => {
  const whole = [
    '*socket',
    ':BIND ACCEPT [0:0]',
    ':ACCEPT ACCEPT [0:0]',
    ...Array.from({ length: 4 }, () => '-A BIND -j DROP'),
    '-A ACCEPT -j DROP',
    'COMMIT\n',
  ].join('\n');
  const text = textOf(whole, 1000);
  expect(text.rulesOf('BIND')).toBe(999);
  const first = whole.indexOf('-A BIND -j DROP');
  expect(placeOfRule(text, 'BIND', 2)).toBe(first + '-A BIND -j DROP\n'.length);
  // Behind the last of the chain; in the next one; behind all; far from both ends; from the end.
  expect(placeOfRule(text, 'BIND', 5)).toBe(text.spanOf('BIND').end);
  for (const number of [6, 7, 100, 600, 990])
    expect(() => placeOfRule(text, 'BIND', number)).toThrow(TypeError);
  expect(placeOfRule(text, 'BIND', 1000)).toBe(text.spanOf('BIND').end);
});

it('finds the rules that the table has', () => {
  fc.assert(
    fc.property(tables(3), tables(1), (table, other) => {
      const { text, head } = kept(table);
      const rules = [...table.chains, ...other.chains].flatMap((chain) => chain.rules);
      for (const { name, rules: own } of table.chains)
        for (const rule of rules) {
          const found = hasRule(() => findKeptRule(text, head, name, rule));
          expect(found).toBe(hasRule(() => findRule(table, name, rule)));
          expect(found).toBe(own.some((each) => sameRule(each, rule)));
        }
      expect(() =>
        findKeptRule(
          text,
          head,
          'NONE',
          rules[0] ?? { matches: [], target: undefined, packets: 0n },
        ),
      ).toThrow('No chain');
    }),
    { numRuns: propertyRuns(100) },
  );
});

it('wants a rule of its own line', () => {
  const rule = (text: string) =>
    parseSave(`*socket\n${text}\nCOMMIT\n`, 'rules', { names: NO_NAMES }).table.chains[0]?.rules[0];
  const [short] = [rule('-A BIND -j ACCEPT')];
  const text = textOf(
    '*socket\n:BIND ACCEPT [0:0]\n:ACCEPT ACCEPT [0:0]\n:CONNECT ACCEPT [0:0]\n:SENDTO ACCEPT [0:0]\n:RECVFROM ACCEPT [0:0]\n-A BIND -m comment --comment "-A BIND -j ACCEPT" -j DROP\nCOMMIT\n',
  );
  const head = parseSave(text.head, 'head', { names: NO_NAMES }).table;
  if (!short) throw new TypeError('no rule');
  expect(() => findKeptRule(text, head, 'BIND', short)).toThrow('Bad rule');
});

it.each([
  ['a word in quotes', '-G "a b" --id 1 --path "/a b"', [{ name: 'a b', id: 1, path: '/a b' }]],
  [
    'escapes',
    String.raw`-G "a\"\\" --id 1 --path "/it\'s"`,
    [{ name: 'a"\\', id: 1, path: "/it's" }],
  ],
  ['no path', '-G a --id 4294967295', [{ name: 'a', id: 2 ** 32 - 1, path: undefined }]],
])('reads groups as they are printed: %s', (_, line, groups) => {
  expect(readHead(`*socket\n${line}\nCOMMIT\n`, readPlain).groups).toEqual(groups);
});

it('leaves groups that are not as they are printed to who reads them word by word', () => {
  const head = '*socket\n-G a --path /a --id 1\nCOMMIT\n';
  const read = jest.fn((text: string) => parseSave(text, 'head', { names: NO_NAMES }).table);
  expect(readHead(head, read)).toBe(read.mock.results.at(-1)?.value);
  expect(read.mock.lastCall).toEqual([head]);
});
