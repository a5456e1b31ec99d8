/** The attack table as docs/security.md shows it. */
import type { Technique, Theme } from './technique.js';
import type { Trust } from './trusts.js';

const HEAD = '| technique | as | chain | what it comes to | note |\n|---|---|---|---|---|';

function printRow({ name, as, chain, expected, twin, note, since, needs }: Technique): string {
  const outside = twin && 'the twin is made outside the policy';
  const notes = [since && `Linux ${since}`, needs, outside, note]
    .filter((part) => part !== undefined)
    .join('; ');
  return `| ${name} | ${as.join(', ')} | ${chain} | ${expected} | ${notes} |`;
}

export function printThemes(themes: readonly Theme[]): string {
  const tables = themes.map(
    ({ title, techniques }) => `### ${title}\n\n${[HEAD, ...techniques.map(printRow)].join('\n')}`,
  );
  return tables.join('\n\n');
}

export function printTrusts(trusts: readonly Trust[]): string {
  const rows = trusts.map(({ who, what, remedy }) => `| ${who} | ${what} | ${remedy} |`);
  return ['| who has | can | so |', '|---|---|---|', ...rows].join('\n');
}
