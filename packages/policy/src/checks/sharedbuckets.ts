/** Buckets of hashlimit that the calls of several groups share, where the caller chooses how many it takes. */
import { intersect, isEmpty, type PacketSet, union, witness } from '@sockfilter/diagram';
import { type BuiltinChain, looksAtGroup, ruleTests, valueSet } from '@sockfilter/table';
import { type Check, type CheckContext, chainSet } from '../context.js';

/** Where the caller names the address and port that a bucket is for. */
const CHOSEN: readonly BuiltinChain[] = ['BIND', 'CONNECT', 'SENDTO'];

/** The calls in the set that each group has, of those that have any. */
function byGroup({ table, universe }: CheckContext, set: PacketSet): readonly PacketSet[] {
  return table.groups
    .map(({ id }) => universe.matching([[{ field: 'group', set: valueSet(id), negated: false }]]))
    .map((group) => intersect(set, group))
    .filter((calls) => !isEmpty(calls));
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
      const [first, ...others] = byGroup(context, calls);
      if (!first || others.length === 0) continue;
      yield context.find('SF024', {
        place: file.placeOf(rule),
        message: `${others.length + 1} groups share the room for buckets, and one can use it up`,
        packet: witness(first),
        fix: 'with `group` in `--hashlimit-mode` each group has its own',
      });
    }
  }
};
