/** `sockfilter check`: what is wrong with rule files, without root and without a kernel. */
import {
  checkFile,
  type IgnoredFinding,
  parseKernelVersion,
  type ReportCase,
  type Suite,
} from '@sockfilter/policy';
import { EXIT } from '../exitcode.js';
import { CommandError } from '../failure.js';
import { Progress } from './progress.js';
import { type ReportOptions, report, withinLimits } from './reporting.js';
import { findFiles, readRules, readText, Sources } from './rulesource.js';

export interface CheckWords {
  readonly paths: readonly string[];
  readonly kernel: string | undefined;
}

function readKernel(text: string | undefined) {
  const kernel = text === undefined ? undefined : parseKernelVersion(text);
  if (text !== undefined && !kernel)
    throw new CommandError(`\`${text}\` is no kernel version`, EXIT.usage, 'for example `6.1`');
  return kernel;
}

export function check({ paths, kernel: words }: CheckWords, options: ReportOptions): void {
  const kernel = readKernel(words);
  const sources = new Sources();
  const files = findFiles(paths, '.rules');
  const progress = new Progress(files.length, 'files checked');
  const ignored: IgnoredFinding[] = [];
  const suites = files.map((path, at): Suite => {
    const { file, findings } = readRules(path, readText(path, sources), sources);
    const checked = file && withinLimits(path, () => checkFile(file, { kernel }));
    if (checked) ignored.push(...checked.ignored);
    progress.report(at + 1);
    const place = { file: path, line: 1, column: 1, length: 1 };
    const all: ReportCase = { name: 'check', place, findings: checked?.findings ?? findings };
    return { file: path, cases: [all] };
  });
  report({ command: 'check', suites, ignored }, options, sources);
}
