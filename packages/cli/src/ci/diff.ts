/** `sockfilter diff`: what a change of the rules means for calls. */
import {
  type Change,
  Comparison,
  diffPage,
  type Finding,
  jsonWitness,
  type ReportCase,
  readIntended,
} from '@sockfilter/policy';
import type { Globals } from '../globals.js';
import { pageOptions, writePage } from './page.js';
import { type ReportOptions, report, withinLimits } from './reporting.js';
import { readSide, readText, Sources } from './rulesource.js';

export interface DiffWords {
  readonly before: string;
  readonly after: string;
  readonly noNewAccess: boolean;
  readonly intended: string | undefined;
  /** A page to write beside the reports. */
  readonly report: string | undefined;
}

function conclude(change: Change, findings: readonly Finding[], words: DiffWords): string {
  if (change.isSame) return 'the files mean the same';
  if (words.intended !== undefined && findings.length === 0)
    return 'the change is the intended one';
  if (words.noNewAccess && findings.length === 0) return 'the change gives no new access';
  return 'the files do not mean the same';
}

/** The change as JSON, whatever of it is a finding. */
function changeDetails({ isSame, regions, groups, unlisted }: Change) {
  return {
    same: isSame,
    regions: regions.map(({ kind, box, text, witness, before, after }) => ({
      kind,
      region: box,
      text,
      witness: jsonWitness(witness),
      before: before.map(({ message }) => message),
      after: after.map(({ message }) => message),
    })),
    groups,
    unlisted,
  };
}

export async function diff(
  globals: Globals,
  words: DiffWords,
  options: ReportOptions,
): Promise<void> {
  const sources = new Sources();
  const before = await readSide(words.before, globals, sources);
  const after = await readSide(words.after, globals, sources);
  const intended =
    words.intended === undefined
      ? undefined
      : await readIntended(readText(words.intended, sources), words.intended);
  const faults = [
    ...before.findings,
    ...after.findings,
    ...(intended?.ok === false ? intended.findings : []),
  ];
  const suite = (findings: readonly Finding[]) => {
    const place = { file: words.after, line: 1, column: 1, length: 1 };
    const whole: ReportCase = { name: `${words.before} to ${words.after}`, place, findings };
    return [{ file: words.after, cases: [whole] }];
  };
  const [old, now] = [before.file, after.file];
  if (!old || !now || faults.length > 0) {
    report({ command: 'diff', suites: suite(faults), ignored: [] }, options, sources);
    return;
  }
  const { noNewAccess } = words;
  const { change, findings } = withinLimits(words.after, () => {
    const comparison = new Comparison(old, now);
    const change = comparison.describe();
    if (words.report !== undefined)
      writePage(words.report, diffPage(old, now, change, pageOptions(sources)));
    const wanted = intended?.ok ? intended.value : undefined;
    return { change, findings: comparison.findings(change, { noNewAccess, intended: wanted }) };
  });
  const conclusion = conclude(change, findings, words);
  const details = changeDetails(change);
  report(
    { command: 'diff', suites: suite(findings), ignored: [], conclusion, details },
    options,
    sources,
  );
}
