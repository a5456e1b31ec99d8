/** Canonical text of rules: what iptables-save prints, and what parses to the same rule again. */
import {
  type CounterOwner,
  formedRule,
  type Match,
  type MatchOption,
  perObject,
  type Rule,
  type RuleForm,
} from '@sockfilter/table';
import { printPolicy } from './policyword.js';
import { optionSyntax, spellOption } from './syntax.js';
import { printTarget } from './target.js';
import { printValue } from './values.js';

/** `! --dport`. */
function printName(match: Match['name'], { name, negated }: MatchOption): string {
  const written = spellOption(optionSyntax(match, name));
  return negated ? `! ${written}` : written;
}

/** `! --dport 80`. */
export function printOption(match: Match['name'], option: MatchOption): string {
  const value = printValue(option.value);
  const name = printName(match, option);
  return value === '' ? name : `${name} ${value}`;
}

/** With a blank before it. */
const printStart = ({ name }: Match) => (name === 'ip' ? '' : ` -m ${name}`);

function printMatches(matches: readonly Match[]): string {
  let text = '';
  for (const match of matches) {
    text += printStart(match);
    for (const option of match.options) text += ` ${printOption(match.name, option)}`;
  }
  return text;
}

/** Of the rules of a form what is printed the same for all. */
interface PrintedForm {
  /** The places of the values, in the order in which they are printed, and what stands before each. */
  readonly values: readonly { readonly place: number; readonly before: string }[];
  /** What stands behind the last value. */
  readonly rest: string;
  readonly target: string;
}

const printedForm = perObject(({ model, places }: RuleForm): PrintedForm => {
  const values: { readonly place: number; readonly before: string }[] = [];
  let before = '';
  model.matches.forEach((match, at) => {
    before += printStart(match);
    match.options.forEach((option, n) => {
      const place = places.findIndex((each) => each.match === at && each.option === n);
      if (place < 0) before += ` ${printOption(match.name, option)}`;
      else {
        values.push({ place, before: `${before} ${printName(match.name, option)} ` });
        before = '';
      }
    });
  });
  return { values, rest: before, target: printTarget(model.target) };
});

/** The matches of a rule, and its target. */
function printParts(rule: Rule): readonly [matches: string, target: string] {
  const formed = formedRule(rule);
  if (!formed) return [printMatches(rule.matches), printTarget(rule.target)];
  const { values, rest, target } = printedForm(formed.form);
  let text = '';
  for (const { place, before } of values) text += before + printValue(formed.value(place));
  return [text + rest, target];
}

/**
 * `-A BIND -d 10.0.0.5/32 -j ACCEPT`. With `packets` the counter stands before the target, as in
 * `iptables -S -v`.
 */
export function printRule(chain: string, rule: Rule, packets?: bigint): string {
  const [matches, target] = printParts(rule);
  const counts = packets === undefined ? '' : ` -c ${packets} 0`;
  const text = `-A ${chain}${matches}${counts}`;
  return target === '' ? text : `${text} ${target}`;
}

/** The rule, or the policy, as `-S` prints it. */
export function printOwner({ chain, rule }: CounterOwner): string {
  if (rule) return printRule(chain.name, rule);
  return `-P ${chain.name} ${printPolicy(chain.policy ?? 'ACCEPT')}`;
}
