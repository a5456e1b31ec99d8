/** Calls that are refused for a detail which the caller chooses: with another, or with none, they pass. */
import { intersect, type PacketSet, project, witness } from '@sockfilter/diagram';
import {
  type CounterOwner,
  DETAIL_NAMES,
  type Detail,
  describeDetail,
  FIELDS,
  type Rule,
  valueSet,
} from '@sockfilter/table';
import { type Check, type CheckContext, chainSet } from '../context.js';

function asksFor(detail: Detail, rule: Rule | undefined): boolean {
  return (
    rule?.matches.some(({ options }) =>
      options.some(({ value }) => value.kind === 'detail' && value.detail === detail),
    ) ?? false
  );
}

/** The rules that decide in the sets: those that ask for the detail, else the first. */
function blamed(
  { loaded }: CheckContext,
  detail: Detail,
  sets: readonly PacketSet[],
): readonly CounterOwner[] {
  const owners = sets
    .flatMap((set) => loaded.deciders(set))
    .map((counter) => loaded.ownerOf(counter))
    .filter(({ rule }) => rule !== undefined);
  const asking = owners.filter(({ rule }) => asksFor(detail, rule));
  return asking.length > 0 ? asking : owners.slice(0, 1);
}

export const findDodges: Check = function* (context) {
  const { file, universe, owners } = context;
  for (const detail of DETAIL_NAMES) {
    const { dodge } = describeDetail(detail);
    if (!dodge || !owners.some(({ rule }) => asksFor(detail, rule))) continue;
    const others = FIELDS.filter((field) => field !== detail);
    for (const chain of dodge.chains) {
      const here = chainSet(universe, chain);
      const none = universe.matching([[{ field: detail, set: valueSet(0), negated: false }]]);
      const passing = intersect(context.accepted, dodge.byNone ? intersect(here, none) : here);
      const refused = intersect(intersect(context.refused, here), project(passing, others));
      const call = witness(refused);
      const ways = intersect(passing, project(refused, others));
      if (!call) continue;
      for (const { rule, chain: holder } of blamed(context, detail, [ways, refused]))
        yield context.find('SF023', {
          place: file.placeOf(rule ?? holder),
          message: `calls of \`${chain}\` are told apart by \`${detail}\` alone: ${dodge.text}`,
          notes: [{ message: `refused: ${context.witness(call).call}` }],
          packet: witness(ways),
          fix: 'tell callers apart by their group (`-m cgroup`) or their uid (`-m owner`)',
        });
    }
  }
};
