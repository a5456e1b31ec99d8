/**
 * Each code of a finding has a page, docs/findings/CODE.md, that says what the catalogue says; its example gives the
 * finding, and its fix takes it away. A block ```rules NAME or ```yaml NAME is a file that the commands after it find.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { catalogueRows } from '@sockfilter/policy';
import { REPOSITORY, readBlocks, readDocument, runSteps, Scratch } from './harness/documents.js';

const FOLDER = 'docs/findings';
const ROWS = catalogueRows();

/** Files that the part of a page shows are written, its commands run; all that these print. */
function runPart(markdown: string, scratch: Scratch): string {
  let printed = '';
  for (const { language, text } of readBlocks(markdown)) {
    const [kind, name] = language.split(' ');
    if (kind === 'console' && name === undefined) printed += runSteps(text, scratch);
    else if ((kind === 'rules' || kind === 'yaml') && name) scratch.write(name, `${text}\n`);
    else throw new Error(`a page has no block \`${language}\``);
  }
  return printed;
}

/** Lines of a document are broken where they would be too long. */
function unwrap(markdown: string): string {
  return markdown.replace(/\n(?!\n)/g, ' ');
}

test('each code has a page, and the list names them all', () => {
  const pages = readdirSync(join(REPOSITORY, FOLDER)).sort();
  expect(pages).toEqual([...ROWS.map(({ code }) => `${code}.md`), 'index.md'].sort());
  const listed = readDocument(join(FOLDER, 'index.md')).match(/^\| \[.*$/gm);
  expect(listed).toEqual(
    ROWS.map(({ code, severity, title }) => `| [${code}](${code}.md) | ${severity} | ${title} |`),
  );
});

test.each(ROWS)('$code $title', ({ code, severity, title, explanation }) => {
  const page = readDocument(join(FOLDER, `${code}.md`));
  const [head = '', example = '', fix = '', ...rest] = page.split(/^## (?:Example|Fix)$/m);
  expect(rest).toEqual([]);
  expect(
    unwrap(head)
      .replaceAll('  ', ' ')
      .trim()
      .split(/ *\n */),
  ).toEqual([`# ${code}: ${title}`, `Severity: ${severity}`, explanation]);
  const scratch = new Scratch(undefined);
  try {
    const found = runPart(example, scratch);
    expect(found).toContain(`${severity}[${code}]`);
    const left = runPart(fix, scratch);
    // The fix is judged, and not merely unreadable.
    expect(left).toMatch(/\d+ errors?, \d+ warnings?, \d+ remarks? in \d+ file/);
    expect(left).not.toMatch(new RegExp(`\\[(${code}|SF000|SF103)\\]`));
  } finally {
    scratch.remove();
  }
});
