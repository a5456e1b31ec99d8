/** Paths that hardly any control group has. */
import { isValueOf, pathDoubt, pathsInRules } from '@sockfilter/table';
import type { Check, CheckContext } from '../context.js';
import type { Finding, Place } from '../finding.js';

function* doubtsOf(context: CheckContext, path: string, place: Place): Iterable<Finding> {
  const doubt = pathDoubt(path);
  if (!doubt) return;
  const message = `\`${path}\`: ${doubt.message}`;
  yield context.find('SF020', { place, message, fix: `\`${doubt.help}\` may be meant` });
}

export const findDoubtfulPaths: Check = function* (context) {
  const { file } = context;
  for (const { name, path } of file.table.groups)
    if (path !== undefined) yield* doubtsOf(context, path, file.placeOfGroup(name));
  if (pathsInRules(file.table).length === 0) return;
  for (const rule of file.table.chains.flatMap(({ rules }) => rules)) {
    for (const { value } of rule.matches.flatMap(({ options }) => options)) {
      if (!isValueOf(value, 'groupPath')) continue;
      const { path } = value;
      const declared = file.table.groups.some((group) => group.path === path);
      const word = file.wordsOf(rule).find(({ text }) => text === path);
      if (!declared) yield* doubtsOf(context, path, word?.place ?? file.placeOf(rule));
    }
  }
};
