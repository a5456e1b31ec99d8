/** Buckets of hashlimit that the calls of several groups share, where the caller chooses how many it takes. */
import { intersect, isEmpty, type PacketSet, union, witness } from '@sockfilter/diagram';
import { type BuiltinChain, looksAtGroup, ruleTests, valueSet } from '@sockfilter/table';
import { type Check, type CheckContext, chainSet } from '../context.js';

/** Where the caller names the address and port that a bucket is for. */
const CHOSEN: readonly BuiltinChain[] = ['BIND', 'CONNECT', 'SENDTO'];

/** The names of the groups that have calls in the set. */
function groupsIn({ table, universe }: CheckContext, set: PacketSet): readonly string[] {
  return table.groups
    .filter(({ id }) => {
      const group = universe.matching([[{ field: 'group', set: valueSet(id), negated: false }]]);
      return !isEmpty(intersect(set, group));
    })
    .map(({ name }) => name);
}

export const findSharedBuckets: Check = function* (context) {
  const { file, table, universe } = context;
  if (!context.hasTests || table.groups.length < 2) return;
  for (const chain of table.chains) {
    for (const rule of chain.rules) {
      const shared = ruleTests(rule, table).some(
        (test) =>
          test.question.kind === 'buckets' &&
          test.question.fields.length > 0 &&
          !looksAtGroup(test),
      );
      if (!shared) continue;
      const chosen = CHOSEN.map((name) => chainSet(universe, name)).reduce(union);
      const calls = intersect(intersect(context.entering(chain), chosen), context.matching(rule));
      const groups = groupsIn(context, calls);
      if (groups.length < 2) continue;
      yield context.find('SF024', {
        place: file.placeOf(rule),
        message: `${groups.length} groups share the room for buckets, and one can use it up`,
        packet: witness(calls),
        fix: 'with `group` in `--hashlimit-mode` each group has its own',
      });
    }
  }
};
