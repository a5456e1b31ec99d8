/** `sockfilter diff`: what a change of the rules means for calls. */
import {
  Comparison,
  diffPage,
  type Finding,
  type ReportCase,
  readIntended,
} from '@sockfilter/policy';
import type { Globals } from '../globals.js';
import { changeDetails, concludeChange, introOf } from './changeanswer.js';
import { pageOptions, writePage } from './page.js';
import { report, withinLimits } from './reporting.js';
import type { ReportOptions } from './reportoptions.js';
import { readSide, readText, Sources } from './rulesource.js';
import { type ChangeWords, findChange, type Gate, judgeChange } from './since.js';

export interface DiffWords {
  readonly before: string;
  readonly after: string;
  readonly noNewAccess: boolean;
  readonly intended: string | undefined;
  /** A page to write beside the reports. */
  readonly report: string | undefined;
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
  const subject = `${words.before} to ${words.after}`;
  const suite = (findings: readonly Finding[], intro: readonly string[] = []) => {
    const place = { file: words.after, line: 1, column: 1, length: 1 };
    const whole: ReportCase = { name: subject, place, findings };
    return [{ file: words.after, intro, cases: [whole] }];
  };
  const [old, now] = [before.file, after.file];
  if (!old || !now || faults.length > 0) {
    report([{ command: 'diff', subject, suites: suite(faults), ignored: [] }], options, sources);
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
  const isIntended = words.intended !== undefined;
  const conclusion = concludeChange({ change, findings, noNewAccess, isIntended });
  const details = changeDetails(change);
  const answer = {
    command: 'diff',
    subject,
    suites: suite(findings, introOf(findings, change)),
    ignored: [],
  };
  report([{ ...answer, conclusion, details }], options, sources);
}

/** `diff --since`: every rule file of the paths. */
export function diffSince(words: ChangeWords, gate: Gate, options: ReportOptions): void {
  const sources = new Sources();
  report([judgeChange(findChange(words), gate, sources)], options, sources);
}
