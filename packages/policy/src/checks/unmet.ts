/** Rules that no call can meet: shadowed, redundant or impossible. */
import { intersect, isEmpty, type PacketSet, subtract, witness } from '@sockfilter/diagram';
import {
  type CounterOwner,
  type Errno,
  type Field,
  ownErrno,
  policyErrno,
  type Rule,
  rewritingOf,
  rewrittenFields,
  ruleCondition,
  stepOf,
} from '@sockfilter/table';
import type { Check, CheckContext } from '../context.js';
import type { Finding, Note } from '../finding.js';
import { ownerNote } from '../rulefile.js';

/** How many of the covering rules are named. */
const MAX_NAMED = 8;

/** The verdict of what a rule matches, where its own chain tells it. */
function endingErrno({ chain, rule }: CounterOwner): Errno | undefined {
  const step = stepOf(rule?.target);
  if (step.kind === 'decide') return step.errno;
  return step.kind === 'leave' && chain.policy ? policyErrno(chain.policy) : undefined;
}

/** The rules among these whose calls would end otherwise if they were asked first, where the chain does not tell. */
function changingInFront(
  { loaded }: CheckContext,
  counters: Iterable<number>,
): ReadonlySet<number> {
  const untold = [...counters].filter((each) => endingErrno(loaded.ownerOf(each)) === undefined);
  return loaded.changingInFront(new Set(untold));
}

/** Which rules take the calls before. */
function coverProof(context: CheckContext, counter: number, own: PacketSet) {
  const { file, loaded } = context;
  const { leavers, rest } = loaded.leaversBefore(counter, own);
  const covers = [...leavers, ...loaded.deciders(rest)].map((each) => loaded.ownerOf(each));
  const notes = covers.slice(0, MAX_NAMED).map((each): Note => {
    const whole = each.rule ? isEmpty(subtract(own, context.matching(each.rule))) : true;
    const verb = ownErrno(each) === undefined ? 'takes away' : 'decides';
    return ownerNote(file, each, '', ` ${verb} ${whole ? 'all' : 'a part'} of its calls before it`);
  });
  if (covers.length > MAX_NAMED)
    notes.push({ message: `${covers.length - MAX_NAMED} more rules take the rest` });
  return { notes, packet: witness(own) };
}

function cover(
  context: CheckContext,
  counter: number,
  changing: ReadonlySet<number>,
): Finding | undefined {
  const { file, loaded } = context;
  const owner = loaded.ownerOf(counter);
  const { rule, chain } = owner;
  if (!rule) return undefined;
  const own = intersect(context.matching(rule), context.entering(chain));
  if (isEmpty(own)) return undefined;
  const said = { place: file.placeOf(rule), proof: () => coverProof(context, counter, own) };
  const errno = endingErrno(owner);
  const same = errno === undefined ? !changing.has(counter) : loaded.isAlways(own, errno);
  if (same)
    return context.find('SF002', {
      ...said,
      message: 'this rule never has an effect: earlier rules take its calls, to the same end',
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
            const at = context.ownerOf(caller);
            return at ? [ownerNote(context.file, at, 'what comes here is limited by ')] : [];
          })
      : [];
  const fix = 'remove the rule, or the option that excludes the others';
  return context.find('SF003', { place: context.file.placeOf(rule), message, notes, fix });
}

/** A rule that looks at what others set: what calls have by the time that they come is not what it asks for. */
function lateRule(context: CheckContext, rule: Rule, set: ReadonlySet<Field>): Finding | undefined {
  if (set.size === 0) return undefined;
  const { file, table } = context;
  const looks = ruleCondition(rule, table)
    .flat()
    .find(({ field }) => set.has(field));
  if (!looks) return undefined;
  return context.find('SF003', {
    place: file.placeOf(rule),
    message: `no call that comes here has such a ${looks.field} by then`,
    fix: `look at the ${looks.field} before it is set, or remove the rule`,
  });
}

export const findUnmetRules: Check = function* (context) {
  const changing = changingInFront(context, context.dead);
  const set = rewrittenFields(context.owners.map(({ rule }) => rewritingOf(rule?.target)));
  for (const counter of context.dead) {
    const owner = context.loaded.ownerOf(counter);
    // A chain that no call reaches is told once, as a chain.
    if (!owner.rule || !context.isReached(owner.chain)) continue;
    const finding =
      lateRule(context, owner.rule, set) ??
      cover(context, counter, changing) ??
      impossibleRule(context, owner);
    if (finding) yield finding;
  }
};
