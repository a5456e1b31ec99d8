import {
  appendRules,
  deleteChain,
  deleteRule,
  deleteRuleNumber,
  findRule,
  flush,
  insertRules,
  newChain,
  references,
  renameChain,
  replaceRule,
  requireChain,
  sameRule,
  setPolicy,
  zero,
} from './edit.js';
import { TableError } from './error.js';
import { EMPTY_TABLE, type Rule, type Table } from './table.js';
import type { Target } from './targets.js';

const ACCEPT: Target = { kind: 'accept' };
const DROP: Target = { kind: 'drop' };

/** A rule for one destination port. */
function rule(port: number, target: Target | undefined = ACCEPT, packets = 0n): Rule {
  const value = { kind: 'portRange', from: port, to: port } as const;
  const matches = [{ name: 'tcp', options: [{ name: 'dport', negated: false, value }] }] as const;
  return { matches, target, packets };
}

const call = (kind: 'jump' | 'goto', chain: string): Rule => rule(0, { kind, chain });

const [r1, r2, r3, other] = [rule(1), rule(2), rule(3), rule(9)];

/** BIND has three rules, and calls `web` in none. */
const three = appendRules(newChain(EMPTY_TABLE, 'web'), 'BIND', [r1, r2, r3]);

const rulesOf = (table: Table, chain = 'BIND') => requireChain(table, chain).rules;

/** What iptables 1.8.9 (legacy) says for the same mistake, but for names of our own. */
function refusal(edit: () => unknown): string {
  try {
    edit();
  } catch (error) {
    if (error instanceof TableError) return error.message;
    throw error;
  }
  return 'allowed';
}

describe('rules', () => {
  test('append keeps the order and the objects', () => {
    expect(rulesOf(three)).toEqual([r1, r2, r3]);
    expect(rulesOf(appendRules(three, 'BIND', [other]))[3]).toBe(other);
    expect(rulesOf(appendRules(three, 'BIND', []))).toEqual([r1, r2, r3]);
  });

  test.each([
    [1, [other, r1, r2, r3]],
    [3, [r1, r2, other, r3]],
    [4, [r1, r2, r3, other]],
  ])('insert before number %i', (number, rules) => {
    expect(rulesOf(insertRules(three, 'BIND', number, [other]))).toEqual(rules);
  });

  test('insert keeps the order of many', () => {
    expect(rulesOf(insertRules(three, 'BIND', 2, [other, r1]))).toEqual([r1, other, r1, r2, r3]);
    expect(rulesOf(insertRules(EMPTY_TABLE, 'BIND', 1, [r1]))).toEqual([r1]);
  });

  test('replace and delete by number', () => {
    expect(rulesOf(replaceRule(three, 'BIND', 3, other))).toEqual([r1, r2, other]);
    expect(rulesOf(deleteRuleNumber(three, 'BIND', 1))).toEqual([r2, r3]);
  });

  test('delete takes the first that says the same', () => {
    const twice = appendRules(three, 'BIND', [rule(2)]);
    expect(findRule(twice, 'BIND', rule(2, ACCEPT, 77n))).toBe(2);
    expect(rulesOf(deleteRule(twice, 'BIND', rule(2)))).toEqual([r1, r3, r2]);
  });

  test.each<[boolean, string, Rule]>([
    [true, 'another counter', rule(1, ACCEPT, 5n)],
    [false, 'another port', rule(2)],
    [false, 'another target', rule(1, DROP)],
    [false, 'no target', { ...rule(1), target: undefined }],
    [false, 'no match', { ...rule(1), matches: [] }],
  ])('the same is %s for %s', (same, _, changed) => {
    expect(sameRule(r1, changed)).toBe(same);
  });

  test('the words for what does not fit', () => {
    const bad = 'Bad rule (does a matching rule exist in that chain?).';
    const none = 'No chain/target/match by that name.';
    expect(refusal(() => insertRules(three, 'BIND', 5, [other]))).toBe(
      'Index of insertion too big.',
    );
    expect(refusal(() => replaceRule(three, 'BIND', 4, other))).toBe(
      'Index of replacement too big.',
    );
    expect(refusal(() => deleteRuleNumber(three, 'BIND', 4))).toBe('Index of deletion too big.');
    expect(refusal(() => zero(three, 'BIND', 4))).toBe('Index of counter too big.');
    expect(refusal(() => deleteRule(three, 'BIND', other))).toBe(bad);
    expect(refusal(() => findRule(three, 'CONNECT', r1))).toBe(bad);
    expect(refusal(() => appendRules(three, 'nope', [r1]))).toBe(none);
    expect(refusal(() => flush(three, 'nope'))).toBe(none);
    expect(refusal(() => zero(three, 'nope'))).toBe(none);
  });

  test('there is no rule 0', () => {
    const words = "Invalid rule number `0'";
    expect(refusal(() => insertRules(three, 'BIND', 0, [other]))).toBe(words);
    expect(refusal(() => replaceRule(three, 'BIND', 0, other))).toBe(words);
    expect(refusal(() => deleteRuleNumber(three, 'BIND', 0))).toBe(words);
    expect(refusal(() => zero(three, 'BIND', 0))).toBe(words);
  });
});

test('no edit changes the table that it was given', () => {
  const before = structuredClone(three);
  appendRules(three, 'BIND', [other]);
  insertRules(three, 'BIND', 1, [other]);
  replaceRule(three, 'BIND', 1, other);
  deleteRuleNumber(three, 'BIND', 1);
  flush(three);
  zero(three);
  renameChain(three, 'web', 'db');
  deleteChain(three);
  setPolicy(three, 'BIND', 'DROP');
  expect(three).toEqual(before);
});

describe('flush and zero', () => {
  const counted = setPolicy(
    appendRules(appendRules(newChain(EMPTY_TABLE, 'web'), 'BIND', [rule(1, ACCEPT, 4n)]), 'web', [
      rule(2, ACCEPT, 5n),
      rule(3, ACCEPT, 6n),
    ]),
    'BIND',
    'DROP',
  );
  const busy: Table = {
    ...counted,
    chains: counted.chains.map((chain) => (chain.policy ? { ...chain, packets: 7n } : chain)),
  };
  const packets = (table: Table) =>
    ['BIND', 'CONNECT', 'web'].map((name) => {
      const chain = requireChain(table, name);
      return [chain.packets, ...chain.rules.map((each) => each.packets)];
    });

  test('flush empties one chain or all, and keeps chains and policies', () => {
    expect(packets(flush(busy, 'web'))).toEqual([[7n, 4n], [7n], [0n]]);
    expect(packets(flush(busy))).toEqual([[7n], [7n], [0n]]);
    expect(requireChain(flush(busy), 'BIND').policy).toBe('DROP');
  });

  test('zero sets one rule, one chain or all', () => {
    expect(packets(zero(busy, 'web', 2))).toEqual([[7n, 4n], [7n], [0n, 5n, 0n]]);
    expect(packets(zero(busy, 'BIND'))).toEqual([[0n, 0n], [7n], [0n, 5n, 6n]]);
    expect(packets(zero(busy))).toEqual([[0n, 0n], [0n], [0n, 0n, 0n]]);
  });

  test('a rule that is zeroed is another object, its neighbours are not', () => {
    const [first, second] = rulesOf(busy, 'web');
    const [kept, changed] = rulesOf(zero(busy, 'web', 2), 'web');
    expect(kept).toBe(first);
    expect(changed).not.toBe(second);
  });
});

describe('chains', () => {
  const calling = appendRules(three, 'CONNECT', [call('jump', 'web'), r1, call('goto', 'web')]);

  test('new chains come last, empty and without a policy', () => {
    expect(newChain(three, 'db').chains.at(-1)).toEqual({
      name: 'db',
      policy: undefined,
      packets: 0n,
      rules: [],
    });
    expect(refusal(() => newChain(three, 'web'))).toBe('Chain already exists.');
    expect(refusal(() => newChain(three, 'BIND'))).toBe('Chain already exists.');
  });

  test('references are jumps and gotos', () => {
    expect(references(calling, 'web')).toBe(2);
    expect(references(calling, 'BIND')).toBe(0);
  });

  test('delete refuses what is in use or built in', () => {
    expect(deleteChain(three, 'web')).toEqual(appendRules(EMPTY_TABLE, 'BIND', [r1, r2, r3]));
    expect(refusal(() => deleteChain(calling, 'web'))).toBe('Too many links.');
    expect(refusal(() => deleteChain(appendRules(three, 'web', [r1]), 'web'))).toBe(
      'Directory not empty.',
    );
    expect(refusal(() => deleteChain(three, 'BIND'))).toBe("Can't delete built-in chain `BIND`.");
    expect(refusal(() => deleteChain(three, 'nope'))).toBe('No chain/target/match by that name.');
  });

  test('delete without a name takes all user chains or none', () => {
    expect(deleteChain(newChain(three, 'db')).chains).toHaveLength(5);
    expect(deleteChain(EMPTY_TABLE)).toBe(EMPTY_TABLE);
    expect(refusal(() => deleteChain(newChain(calling, 'db')))).toBe('Too many links.');
  });

  test('only built-in chains have a policy', () => {
    expect(requireChain(setPolicy(three, 'ACCEPT', 'DROP'), 'ACCEPT').policy).toBe('DROP');
    expect(refusal(() => setPolicy(three, 'web', 'DROP'))).toBe('Bad built-in chain name.');
    expect(refusal(() => setPolicy(three, 'nope', 'DROP'))).toBe('Bad built-in chain name.');
  });

  test('rename takes the callers along, and keeps the place and the other rules', () => {
    const renamed = renameChain(newChain(calling, 'db'), 'web', 'www');
    expect(renamed.chains.map(({ name }) => name).slice(5)).toEqual(['www', 'db']);
    expect(rulesOf(renamed, 'CONNECT')).toEqual([call('jump', 'www'), r1, call('goto', 'www')]);
    expect(rulesOf(renamed, 'CONNECT')[1]).toBe(r1);
    expect(references(renamed, 'web')).toBe(0);
    expect(refusal(() => renameChain(calling, 'web', 'BIND'))).toBe('File exists.');
    expect(refusal(() => renameChain(calling, 'web', 'web'))).toBe('File exists.');
    expect(refusal(() => renameChain(calling, 'nope', 'x'))).toBe(
      'No chain/target/match by that name.',
    );
    expect(refusal(() => renameChain(calling, 'BIND', 'x'))).toBe(
      "Can't rename built-in chain `BIND`.",
    );
  });
});
