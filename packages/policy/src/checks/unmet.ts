/** Rules that no call can meet: shadowed, redundant or impossible. */
import { intersect, isEmpty, leavesEarly, subtract, witness } from '@sockfilter/diagram';
import { type CounterOwner, ownErrno, stepOf } from '@sockfilter/table';
import type { Check, CheckContext } from '../context.js';
import type { Finding, Note } from '../finding.js';
import { ownerNote } from '../rulefile.js';

/** How many of the covering rules are named. */
const MAX_NAMED = 8;

/** Earlier rules of the chain that send some of these calls away without a verdict. */
function leavers({ owners }: CheckContext, owner: CounterOwner): readonly CounterOwner[] {
  return owners.filter(
    ({ chain, rule, number }) =>
      chain === owner.chain && number < owner.number && leavesEarly({ step: stepOf(rule?.target) }),
  );
}

function cover(context: CheckContext, owner: CounterOwner): Finding | undefined {
  const { file, loaded } = context;
  const { rule, chain } = owner;
  if (!rule) return undefined;
  const place = file.placeOf(rule);
  const own = intersect(context.matching(rule), context.entering(chain));
  if (isEmpty(own)) return undefined;
  const covers: CounterOwner[] = [];
  let rest = own;
  for (const leaver of leavers(context, owner)) {
    if (!leaver.rule || isEmpty(rest)) continue;
    const gone = context.matching(leaver.rule);
    if (isEmpty(intersect(rest, gone))) continue;
    covers.push(leaver);
    rest = subtract(rest, gone);
  }
  for (const counter of loaded.deciders(rest)) covers.push(loaded.ownerOf(counter));
  const notes = covers.slice(0, MAX_NAMED).map((each): Note => {
    const whole = each.rule ? isEmpty(subtract(own, context.matching(each.rule))) : true;
    const verb = ownErrno(each) === undefined ? 'takes away' : 'decides';
    return ownerNote(file, each, '', ` ${verb} ${whole ? 'all' : 'a part'} of its calls before it`);
  });
  if (covers.length > MAX_NAMED)
    notes.push({ message: `${covers.length - MAX_NAMED} more rules take the rest` });
  const verdict = ownErrno(owner);
  const same = verdict !== undefined && covers.every((each) => ownErrno(each) === verdict);
  const packet = witness(own);
  const said = { place, notes, packet };
  if (same)
    return context.find('SF002', {
      ...said,
      message: 'this rule never has an effect: earlier rules give all its calls the same verdict',
      fix: 'remove the rule',
    });
  return context.find('SF001', {
    ...said,
    message: 'this rule never has an effect: earlier rules take all the calls that it matches',
    fix: 'move it before them, or remove it',
  });
}

/** Why the options leave nothing: by themselves, or for the calls that come here. */
function impossibleRule(context: CheckContext, owner: CounterOwner): Finding | undefined {
  const { rule, chain } = owner;
  if (!rule) return undefined;
  const itself = isEmpty(context.matching(rule));
  const message = itself
    ? 'this rule matches no call that can happen'
    : `no call that enters \`${chain.name}\` can match this rule`;
  const notes =
    chain.policy === undefined && !itself
      ? context
          .callersOf(chain)
          .slice(0, MAX_NAMED)
          .flatMap((caller): readonly Note[] => {
            const at = context.owners.find((other) => other.rule === caller);
            return at ? [ownerNote(context.file, at, 'what comes here is limited by ')] : [];
          })
      : [];
  const fix = 'remove the rule, or the option that excludes the others';
  return context.find('SF003', { place: context.file.placeOf(rule), message, notes, fix });
}

export const findUnmetRules: Check = function* (context) {
  for (const counter of context.dead) {
    const owner = context.loaded.ownerOf(counter);
    // A chain that no call reaches is told once, as a chain.
    if (!owner.rule || !context.isReached(owner.chain)) continue;
    const finding = cover(context, owner) ?? impossibleRule(context, owner);
    if (finding) yield finding;
  }
};
