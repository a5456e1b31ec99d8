/** Ids that no group declares. */
import { witness } from '@sockfilter/diagram';
import { isValueOf, type ValueOf } from '@sockfilter/table';
import type { Check } from '../context.js';

type Ids = ValueOf<'groupRange'>;

export const findUndeclaredIds: Check = function* (context) {
  const { file, table } = context;
  const ids = file.table.groups.map(({ id }) => id).toSorted((a, b) => a - b);
  const declared = new Set(ids);
  const isKnown = ({ from, to }: Ids) => {
    if (from === to) return from === 0 || declared.has(from);
    return ids.some((id) => from <= id && id <= to);
  };
  for (const { rules } of table.chains) {
    for (const rule of rules) {
      for (const { value } of rule.matches.flatMap(({ options }) => options)) {
        if (!isValueOf(value, 'groupRange') || isKnown(value)) continue;
        const { from, to } = value;
        const text = from === to ? String(from) : `${from}:${to}`;
        const word = file.wordsOf(rule).find((each) => each.text === text);
        yield context.find('SF006', {
          place: word?.place ?? file.placeOf(rule),
          message:
            from === to
              ? `no group of this file has id ${from}`
              : `no group of this file has an id from ${from} to ${to}`,
          packet: witness(context.matching(rule)),
          fix: `declare it before the rules: \`-G NAME --id ${from} --path /PATH\``,
        });
      }
    }
  }
};
