/** Rules for UDP-Lite in chains that CONNECT leads to: no hook sees those calls. */
import { intersect, isEmpty, witness } from '@sockfilter/diagram';
import { type Chain, type Clause, contains, PROTOCOL, ruleCondition } from '@sockfilter/table';
import { type Check, type CheckContext, chainSet } from '../context.js';

const UDPLITE = BigInt(PROTOCOL.udplite);

/** True for a condition that names UDP-Lite, alone or among others. */
function names(condition: readonly Clause[]): boolean {
  return condition.some((clause) =>
    clause.some(
      ({ field, set, negated }) => field === 'protocol' && !negated && contains(set, UDPLITE),
    ),
  );
}

/** User chains that calls of CONNECT enter. */
function entered(context: CheckContext): readonly Chain[] {
  const connects = chainSet(context.universe, 'CONNECT');
  return context.table.chains.filter(
    (chain) => chain.policy === undefined && !isEmpty(intersect(context.entering(chain), connects)),
  );
}

export const findUnseenUdplite: Check = function* (context) {
  const { file, table } = context;
  // There is no such socket then.
  if (table.denyUnseen) return;
  for (const chain of entered(context)) {
    for (const rule of chain.rules) {
      if (!names(ruleCondition(rule, table))) continue;
      const packet = witness(context.matching(rule));
      // What no call can match is told already.
      if (!packet || isEmpty(intersect(context.matching(rule), context.entering(chain)))) continue;
      yield context.find('SF019', {
        place: file.placeOf(rule),
        message: `\`CONNECT\` leads here, and connect(2) of udplite is never judged`,
        packet,
        fix: '`--deny-unseen` refuses UDP-Lite sockets altogether; SENDTO and RECVFROM judge unconnected ones',
      });
    }
  }
};
