/** Conditions of rules whose options each are one test of numbers. */
import type { PlainTest } from './clause.js';
import { describeOption } from './condition.js';
import { elementAt } from './element.js';
import { perObject } from './perobject.js';
import { formedRule, type RuleForm } from './ruleform.js';
import type { Rule } from './table.js';
import { targetCondition } from './targets.js';

/** The tests of a form's model, and the place whose numbers each has. */
interface FormTests {
  readonly tests: readonly PlainTest[];
  /** -1 for a test that is the same in all rules. */
  readonly places: readonly number[];
}

const formTests = perObject(({ model, places }: RuleForm): FormTests | 'none' => {
  const tests: PlainTest[] = [];
  const isPlain = eachTest(model, (test) => {
    tests.push(test);
    return true;
  });
  if (!isPlain) return 'none';
  const at = model.matches.flatMap(({ options }, match) =>
    options.map((_, option) =>
      places.findIndex((place) => place.match === match && place.option === option),
    ),
  );
  return { tests, places: at };
});

function eachTest(rule: Rule, put: (test: PlainTest) => boolean): boolean {
  for (const match of rule.matches) {
    for (const option of match.options) {
      const test = describeOption(match, option.name).plain?.(option);
      if (!test || !put(test)) return false;
    }
  }
  return targetCondition(rule.target).length === 0;
}

/** The condition as one test of numbers for each option, handed on one by one; false if the rule is more than that. */
export function plainCondition(rule: Rule, put: (test: PlainTest) => boolean): boolean {
  const formed = formedRule(rule);
  if (!formed) return eachTest(rule, put);
  const known = formTests(formed.form);
  if (known === 'none') return false;
  const { tests, places } = known;
  for (let n = 0; n < tests.length; n++) {
    const test = elementAt(tests, n);
    const place = elementAt(places, n);
    const { field, family } = test;
    const isSame = place < 0;
    const from = isSame ? test.from : formed.first(place);
    const to = isSame ? test.to : formed.last(place);
    if (!put({ field, family, from, to })) return false;
  }
  return true;
}
