/** What a person should know of paths that hardly any control group has. */
import { type Group, pathDoubt, pathsInRules, type Table } from '@sockfilter/table';
import { note } from './output.js';

function notePath(path: string, tell: (text: string) => void): void {
  const doubt = pathDoubt(path);
  if (doubt) tell(`\`${path}\`: ${doubt.message}: \`${doubt.help}\` may be meant`);
}

/** What names paths; a table whose rules name none may be without them. */
type Naming = Pick<Table, 'groups'> & Partial<Pick<Table, 'chains'>>;

function pathsOf({ groups, chains = [] }: Naming): ReadonlySet<string> {
  return new Set([...groups.flatMap(({ path }) => path ?? []), ...pathsInRules({ chains })]);
}

/** Of those that are new in a table. */
export function notePaths(before: Naming, after: Naming, tell = note): void {
  const known = pathsOf(before);
  for (const path of pathsOf(after)) if (!known.has(path)) notePath(path, tell);
}

/** Of the caller that a question is about, if it is given by its path. */
export function noteCaller(text: string | undefined, groups: readonly Group[]): void {
  if (text?.startsWith('/') && !groups.some(({ name }) => name === text)) notePath(text, note);
}
