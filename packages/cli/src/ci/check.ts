/** `sockfilter check`: what is wrong with rule files, without root and without a kernel. */

import { EXIT } from '@sockfilter/language';
import {
  checkFile,
  type IgnoredFinding,
  MAX_EQUAL,
  parseKernelVersion,
  type ReportCase,
  type Suite,
  tellOnce,
} from '@sockfilter/policy';
import { CommandError } from '../failure.js';
import { findFiles, RULES } from './findfiles.js';
import { Progress } from './progress.js';
import { type Answer, report, withinLimits } from './reporting.js';
import type { ReportOptions } from './reportoptions.js';
import { readRulesAt, Sources } from './rulesource.js';
import { timed } from './timed.js';

export interface CheckWords {
  readonly paths: readonly string[];
  readonly exclude: readonly string[];
  readonly kernel: string | undefined;
  /** Whether a comment that silences must say why. */
  readonly requireReason: boolean;
}

function readKernel(text: string | undefined) {
  const kernel = text === undefined ? undefined : parseKernelVersion(text);
  if (text !== undefined && !kernel)
    throw new CommandError(`\`${text}\` is no kernel version`, EXIT.usage, 'for example `6.1`');
  return kernel;
}

/** @param mostProven of findings in the same words so many show why they are so; all if undefined */
export function checkFiles(words: CheckWords, sources: Sources, mostProven?: number): Answer {
  const kernel = readKernel(words.kernel);
  const { files, notes } = findFiles(words.paths, { ending: RULES, exclude: words.exclude });
  const { requireReason } = words;
  const now = new Date();
  const progress = new Progress(files.length, 'files checked');
  const ignored: IgnoredFinding[] = [];
  const checked = files.map((path, at) => {
    const { value, seconds } = timed(() => {
      const { file, findings } = readRulesAt(path, sources);
      const found =
        file &&
        withinLimits(path, () => checkFile(file, { kernel, requireReason, now, mostProven }));
      for (const each of found?.ignored ?? []) ignored.push(each);
      return found?.findings ?? findings;
    });
    progress.report(at + 1);
    return { path, findings: value, seconds };
  });
  const told = tellOnce(checked.map(({ findings }) => findings));
  const suites = checked.map(({ path, seconds }, at): Suite => {
    const place = { file: path, line: 1, column: 1, length: 1 };
    const all: ReportCase = { name: 'check', place, findings: told[at] ?? [], seconds };
    return { file: path, cases: [all] };
  });
  return { command: 'check', suites, ignored, notes };
}

export function check(words: CheckWords, options: ReportOptions): void {
  const sources = new Sources();
  // What the text for people only lists needs no proof.
  const isListed = !options.all && options.outputs.every(({ format }) => format === 'text');
  const answer = checkFiles(words, sources, isListed ? MAX_EQUAL : undefined);
  report([answer], options, sources);
}
