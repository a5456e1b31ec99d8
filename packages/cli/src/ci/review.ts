/** `sockfilter review`: what a change means, whether expectations hold, and what is wrong, in one report. */

import { checkFiles } from './check.js';
import { report } from './reporting.js';
import type { ReportOptions } from './reportoptions.js';
import { Sources } from './rulesource.js';
import { type ChangeWords, findChange, type Gate, judgeChange } from './since.js';
import { testFiles } from './testrules.js';

export interface ReviewWords extends Omit<ChangeWords, 'since'> {
  readonly gate: Gate;
  /** Nothing is compared without it. */
  readonly since: string | undefined;
  readonly kernel: string | undefined;
  readonly requireReason: boolean;
}

export async function review(words: ReviewWords, options: ReportOptions): Promise<void> {
  const { since, exclude, kernel, requireReason } = words;
  const paths = words.paths.length === 0 ? ['.'] : words.paths;
  const sources = new Sources();
  // What changed comes first: it is what people look for, and receivers cut the end.
  const changes =
    since === undefined
      ? []
      : [judgeChange(findChange({ ...words, since, paths }), words.gate, sources)];
  const tests = await testFiles({ paths, exclude, allowNone: true }, sources);
  const checks = checkFiles({ paths, exclude, kernel, requireReason }, sources);
  report([...changes, tests, checks], options, sources);
}
