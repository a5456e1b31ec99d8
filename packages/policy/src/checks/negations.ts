/** Negations that exclude nothing, and pairs of them that together exclude nothing. */
import {
  equals,
  intersect,
  isEmpty,
  type PacketSet,
  subtract,
  union,
  witness,
} from '@sockfilter/diagram';
import {
  type Chain,
  type Clause,
  describeOption,
  ownerName,
  type Rule,
  ruleTests,
  stepOf,
  type Table,
  type Target,
} from '@sockfilter/table';
import type { Check, CheckContext } from '../context.js';
import type { Finding } from '../finding.js';

/** How far back in a row of negations one is compared with the others. */
const MAX_ROW = 32;

function hasNegation(rule: Rule, table: Table): boolean {
  // What a rule asks beside fields keeps it from taking all that these leave.
  return (
    ruleTests(rule, table).length === 0 &&
    rule.matches.some(({ options }) => options.some(({ negated }) => negated))
  );
}

/** The family that an address brings stays when its negation is left out. */
const isFamily = (clause: Clause) => clause.every(({ field }) => field === 'family');

/** The rule as it would match without what its negations exclude. */
function withoutNegations({ universe, table }: CheckContext, rule: Rule): PacketSet {
  const clauses = rule.matches.flatMap((match) =>
    match.options.flatMap((option) => {
      const own = describeOption(match, option.name).clauses(option, table);
      return option.negated ? own.filter(isFamily) : own;
    }),
  );
  return universe.matching(clauses);
}

/** True where both decide, and alike. */
function sameVerdict(a: Target | undefined, b: Target | undefined): boolean {
  const [one, other] = [stepOf(a), stepOf(b)];
  return one.kind === 'decide' && other.kind === 'decide' && one.errno === other.errno;
}

interface Negation {
  readonly rule: Rule;
  readonly matched: PacketSet;
  /** Without what the negations exclude. */
  readonly whole: PacketSet;
}

function pairFinding(context: CheckContext, first: Negation, second: Negation): Finding {
  const owner = context.ownerOf(first.rule);
  const name = owner ? ownerName(owner) : 'the other rule';
  const packet = witness(subtract(second.whole, second.matched));
  return context.find('SF007', {
    place: context.file.placeOf(second.rule),
    message: 'this negation and an earlier one together match everything',
    notes: [
      {
        message: `${name} matches what this one excludes`,
        place: context.file.placeOf(first.rule),
      },
    ],
    packet,
    fix: 'put both negations in one rule, or a rule with `-j RETURN` for each in a chain of their own',
  });
}

function* negationsOf(context: CheckContext, chain: Chain): Generator<Finding> {
  const entering = context.entering(chain);
  if (isEmpty(entering)) return;
  let row: Negation[] = [];
  let last: Rule | undefined;
  for (const rule of chain.rules) {
    if (last && !sameVerdict(last.target, rule.target)) row = [];
    last = rule;
    if (!hasNegation(rule, context.table)) continue;
    const matched = intersect(context.matching(rule), entering);
    const whole = intersect(withoutNegations(context, rule), entering);
    if (isEmpty(whole)) continue;
    if (equals(matched, whole)) {
      yield context.find('SF008', {
        place: context.file.placeOf(rule),
        message: 'the negation in this rule excludes no call that can come here',
        packet: witness(matched),
        fix: 'remove the negated option',
      });
      continue;
    }
    const negation = { rule, matched, whole };
    const other = row.find(
      (earlier) => equals(earlier.whole, whole) && equals(union(earlier.matched, matched), whole),
    );
    if (other) yield pairFinding(context, other, negation);
    row = [...row.slice(-MAX_ROW), negation];
  }
}

export const findIdleNegations: Check = function* (context) {
  for (const chain of context.table.chains) yield* negationsOf(context, chain);
};
