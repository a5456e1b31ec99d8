import fc from 'fast-check';
import type { PlainTest } from './clause.js';
import { elementAt } from './element.js';
import { plainCondition } from './plaincondition.js';
import { modelOf, perModel, RuleForm } from './ruleform.js';
import type { Match, Rule } from './table.js';

/** The same as another one, and no rule of a form. */
const plain = ({ matches, target, packets }: Rule): Rule => ({ matches, target, packets });

function ruleOf(
  [address, length, from, to, id]: readonly number[],
  { negated = false, packets = 0n } = {},
): Rule {
  const mask = 2 ** 32 - 2 ** (32 - (length ?? 32));
  const ip: Match = {
    name: 'ip',
    options: [
      {
        name: 'destination',
        negated,
        value: { kind: 'network', family: 4, address: BigInt(address ?? 0), mask: BigInt(mask) },
      },
      { name: 'protocol', negated: false, value: { kind: 'protocol', protocol: 6 } },
    ],
  };
  const tcp: Match = {
    name: 'tcp',
    options: [
      { name: 'dport', negated: false, value: { kind: 'portRange', from: from ?? 0, to: to ?? 0 } },
    ],
  };
  const cgroup: Match = {
    name: 'cgroup',
    options: [
      { name: 'id', negated: false, value: { kind: 'groupRange', from: id ?? 0, to: id ?? 0 } },
    ],
  };
  return { matches: [ip, tcp, cgroup], target: { kind: 'drop' }, packets };
}

const formOf = (model: Rule) =>
  new RuleForm(model, [
    { match: 0, option: 0, value: 'network' },
    { match: 1, option: 0, value: 'portRange' },
    { match: 2, option: 0, value: 'groupRange' },
  ]);

const numbers = fc
  .tuple(
    fc.integer({ min: 0, max: 2 ** 32 - 1 }),
    fc.integer({ min: 1, max: 32 }),
    fc.nat(65535),
    fc.nat(65535),
    fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  )
  .map(([address, length, one, other, id]) => {
    const open = 2 ** (32 - length);
    const base = Math.floor(address / open) * open;
    return [base, length, Math.min(one, other), Math.max(one, other), id] as const;
  });

function conditionOf(rule: Rule): readonly PlainTest[] | undefined {
  const tests: PlainTest[] = [];
  const isPlain = plainCondition(rule, (test) => {
    tests.push(test);
    return true;
  });
  return isPlain ? tests : undefined;
}

test('a rule of a form is the rule with its numbers', () => {
  fc.assert(
    fc.property(
      fc.array(numbers, { minLength: 1, maxLength: 40 }),
      fc.boolean(),
      (all, negated) => {
        const form = formOf(ruleOf([0, 32, 1, 1, 1], { negated }));
        const made = all.map(([address, length, from, to, id], n) =>
          form.rule([address, from, id], [length, to, id], BigInt(n)),
        );
        made.forEach((rule, n) => {
          const other = ruleOf(elementAt(all, n), { negated, packets: BigInt(n) });
          expect(conditionOf(rule)).toEqual(conditionOf(other));
          expect(rule).toEqual(other);
          expect(plain(rule)).toEqual(other);
          expect(rule.matches).toBe(rule.matches);
          expect({ ...rule, packets: 3n }).toEqual({ ...other, packets: 3n });
          expect(Object.keys(rule).toSorted()).toEqual(['matches', 'packets', 'target']);
        });
      },
    ),
  );
});

test('rules of a form that differ in a number are not equal', () => {
  const form = formOf(ruleOf([0, 32, 1, 1, 1]));
  const rule = form.rule([7, 1, 1], [32, 1, 1], 0n);
  expect(rule).not.toEqual(form.rule([8, 1, 1], [32, 1, 1], 0n));
  expect(rule).not.toEqual(form.rule([7, 1, 1], [31, 1, 1], 0n));
});

test('what numbers have no part in is asked once for a form', () => {
  const form = formOf(ruleOf([0, 32, 1, 1, 1]));
  const rules = [1, 2, 3].map((n) => form.rule([n, n, n], [32, n, n], 0n));
  const asked: Rule[] = [];
  const names = perModel((rule) => {
    asked.push(rule);
    return rule.matches.map(({ name }) => name);
  });
  expect(rules.map(names)).toEqual(rules.map(() => ['ip', 'tcp', 'cgroup']));
  expect(asked).toEqual([form.model]);
  const copy = plain(elementAt(rules, 0));
  expect(names(copy)).toEqual(['ip', 'tcp', 'cgroup']);
  expect(asked).toEqual([form.model, copy]);
  expect(modelOf(copy)).toBe(copy);
});
