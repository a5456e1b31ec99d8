import { type BuiltinChain, isBuiltinChain } from './chains.js';
import { appendRules, newChain } from './edit.js';
import { EMPTY_TABLE, type Rule, type Table } from './table.js';
import type { Target } from './targets.js';
import { MAX_CHAIN_DEPTH, requireValid, unavailableIn, validate } from './validate.js';
import type { Value } from './value.js';

const matching = (name: 'owner' | 'socket' | 'mark', option: string, value: Value): Rule => ({
  matches: [{ name, options: [{ name: option, negated: false, value }] }],
  target: undefined,
  packets: 0n,
});
const targeting = (target: Target): Rule => ({ matches: [], target, packets: 0n });

const uid = matching('owner', 'uid-owner', { kind: 'ownerRange', from: 0, to: 0 });
const gid = matching('owner', 'gid-owner', { kind: 'ownerRange', from: 0, to: 0 });
const remotePort = matching('socket', 'remote-port', { kind: 'portRange', from: 1, to: 1 });
const reject = targeting({ kind: 'reject', errno: 'EACCES' });

/** Chains by name with what they do: a rule, or the name of a chain to jump to. */
function build(chains: Readonly<Record<string, readonly (Rule | string)[]>>): Table {
  const names = Object.keys(chains).filter((name) => !isBuiltinChain(name));
  return Object.entries(chains).reduce(
    (table, [name, rules]) =>
      appendRules(
        table,
        name,
        rules.map((rule) =>
          typeof rule === 'string' ? targeting({ kind: 'jump', chain: rule }) : rule,
        ),
      ),
    names.reduce(newChain, EMPTY_TABLE),
  );
}

/** Each problem as `CHAIN NUMBER: message`. */
const problems = (table: Table) =>
  validate(table).map(({ chain, rule, message }) => {
    const number = rule ? (chain?.rules.indexOf(rule) ?? -1) + 1 : 0;
    return `${chain?.name} ${number}: ${message}`;
  });

test('nothing is wrong with an empty table', () => {
  expect(validate(EMPTY_TABLE)).toEqual([]);
  expect(requireValid(EMPTY_TABLE)).toBe(EMPTY_TABLE);
});

test.each<[BuiltinChain, Rule, string | undefined]>([
  ['BIND', uid, undefined],
  ['ACCEPT', uid, undefined],
  ['CONNECT', gid, undefined],
  ['RECVFROM', gid, '`--gid-owner` is not available in RECVFROM: a socket keeps the user id'],
  ['BIND', remotePort, '`--remote-port` is not available in BIND: bind(2) has no remote end'],
  ['SENDTO', remotePort, undefined],
  ['CONNECT', reject, undefined],
  ['ACCEPT', reject, 'REJECT is not available in ACCEPT: the peer is not told there; use DROP'],
  ['RECVFROM', reject, 'REJECT is not available in RECVFROM'],
])('in %s', (chain, rule, reason) => {
  if (reason === undefined) expect(unavailableIn(rule, chain)).toBeUndefined();
  else expect(unavailableIn(rule, chain)).toContain(reason);
});

describe('through user chains', () => {
  test('a rule must be available in every built-in chain that reaches it', () => {
    expect(problems(build({ CONNECT: ['a'], a: ['b'], b: [gid] }))).toEqual([]);
    expect(problems(build({ a: ['b'], b: [gid, reject, remotePort] }))).toEqual([]);
    expect(problems(build({ BIND: ['a'], ACCEPT: ['a'], a: ['b'], b: [uid, gid] }))).toEqual([
      expect.stringMatching(/^b 2: `--gid-owner` .* ACCEPT: .*\(reached by ACCEPT -> a\)$/),
    ]);
  });

  test('each mistake is said once, however often it is reached', () => {
    const table = build({ ACCEPT: ['a', 'b', 'b'], a: ['b'], b: [reject] });
    expect(problems(table)).toEqual([expect.stringMatching(/^b 1: REJECT .*ACCEPT -> a\)$/)]);
  });

  test('and once for each built-in chain', () => {
    expect(problems(build({ ACCEPT: ['b'], RECVFROM: ['b'], b: [reject] }))).toHaveLength(2);
  });
});

describe('marks', () => {
  const mark = targeting({ kind: 'mark', value: 1, mask: 1 });
  const marked = matching('mark', 'mark', { kind: 'mark', value: 1, mask: 1 });

  test('are not looked at while they are set where a call is judged once more', () => {
    const twice = 'no rule that BIND reaches can look at the mark while another sets it';
    const told = [expect.stringContaining(`a 1: ${twice}`)];
    expect(problems(build({ BIND: [mark, 'a'], a: [marked] }))).toEqual(told);
    expect(problems(build({ CONNECT: [mark, 'a'], BIND: ['a'], a: [marked] }))).toEqual([]);
    expect(problems(build({ BIND: [mark, mark], a: [marked] }))).toEqual([]);
  });

  test.each(['ACCEPT', 'SENDTO', 'RECVFROM'])('are not set in %s', (chain) => {
    expect(problems(build({ [chain]: [marked, mark] }))).toEqual([
      expect.stringContaining(`${chain} 2: MARK is not available in ${chain}: the kernel`),
    ]);
  });
});

describe('targets', () => {
  test('must be there', () => {
    expect(problems(build({ BIND: ['a', 'nope'], a: ['gone'] }))).toEqual([
      'a 1: No chain/target/match by that name.',
      'BIND 2: No chain/target/match by that name.',
    ]);
    expect(validate(build({ BIND: ['nope'] }))[0]?.help).toContain('-N nope');
  });

  test('of goto count as those of jump', () => {
    const goto = targeting({ kind: 'goto', chain: 'a' });
    expect(problems(build({ BIND: [goto], a: [goto] }))).toEqual([
      'a 1: Loop found: BIND -> a -> a',
    ]);
  });
});

describe('loops', () => {
  test.each([
    ['of one', { BIND: ['a'], a: ['a'] }, ['a 1: Loop found: BIND -> a -> a']],
    ['of two', { BIND: ['a'], a: ['b'], b: ['a'] }, ['b 1: Loop found: BIND -> a -> b -> a']],
    ['not reached', { a: ['b'], b: ['c'], c: ['a'] }, ['c 1: Loop found: a -> b -> c -> a']],
    [
      'two of them',
      { BIND: ['a', 'c'], a: ['a'], c: ['c'] },
      ['a 1: Loop found: BIND -> a -> a', 'c 1: Loop found: BIND -> c -> c'],
    ],
    ['none: a diamond', { BIND: ['a', 'b'], a: ['c'], b: ['c'], c: [] }, []],
  ])('%s', (_, chains: Readonly<Record<string, readonly string[]>>, expected) => {
    expect(problems(build(chains))).toEqual(expected);
  });

  test('requireValid throws the first', () => {
    expect(() => requireValid(build({ BIND: ['a'], a: ['a'] }))).toThrow('Loop found');
  });
});

describe('depth', () => {
  /** BIND calls c1, that c2, and so on to c`depth`; `more` come before each call. */
  const line = (depth: number, more: readonly string[] = []) => ({
    BIND: ['c1'],
    ...Object.fromEntries(
      Array.from({ length: depth }, (_, at) => [
        `c${at + 1}`,
        at + 1 < depth ? [...more, `c${at + 2}`] : more,
      ]),
    ),
  });

  test('to the limit', () => {
    expect(problems(build(line(MAX_CHAIN_DEPTH)))).toEqual([]);
  });

  test('past the limit, said once', () => {
    expect(problems(build(line(MAX_CHAIN_DEPTH + 8)))).toEqual([
      `c${MAX_CHAIN_DEPTH} 1: chains call each other more than ${MAX_CHAIN_DEPTH} deep`,
    ]);
  });

  test('by a long way to chains that a short way has reached before', () => {
    const tail = { t1: ['t2'], t2: ['t3'], t3: ['t4'], t4: [] };
    expect(problems(build({ ...line(MAX_CHAIN_DEPTH - 4, ['t1']), ...tail }))).toEqual([]);
    expect(problems(build({ ...line(MAX_CHAIN_DEPTH - 3, ['t1']), ...tail }))).toEqual([
      `c${MAX_CHAIN_DEPTH - 3} 1: chains call each other more than ${MAX_CHAIN_DEPTH} deep`,
    ]);
  });
});
