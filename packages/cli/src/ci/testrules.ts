/** `sockfilter test`: rule files held against the expectations beside them. */
import { existsSync, statSync } from 'node:fs';
import { EXIT } from '@sockfilter/language';
import { readExpectations, type Suite, testFile } from '@sockfilter/policy';
import { CommandError } from '../failure.js';
import { type Found, findFiles, RULES, TESTS } from './findfiles.js';
import { Progress } from './progress.js';
import { type Answer, report, withinLimits } from './reporting.js';
import type { ReportOptions } from './reportoptions.js';
import { readRulesAt, readText, Sources } from './rulesource.js';

export interface TestWords {
  readonly paths: readonly string[];
  readonly exclude: readonly string[];
  /** Whether it is well that nothing is expected at all. */
  readonly allowNone: boolean;
}

const NOTHING: Found = { files: [], notes: [] };

/** What the names of rule files end in that expectations can stand beside: one for each notation. */
const NOTATIONS = [RULES, '.json'] as const;

/** The expectations of a path: of a rule file those beside it, which may be missing. */
function testsOf(path: string): string {
  const ending = NOTATIONS.find((each) => path.endsWith(each));
  const isRuleFile = ending !== undefined && existsSync(path) && !statSync(path).isDirectory();
  return isRuleFile ? `${path.slice(0, -ending.length)}${TESTS}` : path;
}

function findTests({ paths, exclude, allowNone }: TestWords): Found {
  const tests = (paths.length === 0 ? ['.'] : paths).map((path) => {
    const expected = testsOf(path);
    if (expected === path || existsSync(expected)) return { path, expected };
    const message = `\`${path}\` has no expectations`;
    if (!allowNone) throw new CommandError(message, EXIT.usage, `write them in \`${expected}\``);
    return { path, note: message };
  });
  const given = tests.flatMap(({ expected = [] }) => expected);
  const found =
    given.length === 0 ? NOTHING : findFiles(given, { ending: TESTS, exclude, allowNone });
  return { ...found, notes: [...tests.flatMap(({ note = [] }) => note), ...found.notes] };
}

/** The rules that expectations stand beside, in whichever notation. */
function rulesOf(tests: string): string {
  if (!tests.endsWith(TESTS)) {
    const help = `expectations are in a file that ends in \`${TESTS}\`, beside the rules`;
    throw new CommandError(`\`${tests}\` is neither rules nor expectations`, EXIT.usage, help);
  }
  const name = tests.slice(0, -TESTS.length);
  const [rules = `${name}${RULES}`, another] = NOTATIONS.map((ending) => `${name}${ending}`).filter(
    (path) => existsSync(path),
  );
  if (another === undefined) return rules;
  const message = `\`${tests}\` stands beside both \`${rules}\` and \`${another}\``;
  throw new CommandError(message, EXIT.usage, 'give one of them another name');
}

async function testOne(tests: string, sources: Sources): Promise<Suite> {
  const rules = rulesOf(tests);
  const place = { file: tests, line: 1, column: 1, length: 1 };
  const expected = await readExpectations(readText(tests, sources), tests);
  const { file, findings } = readRulesAt(rules, sources);
  const faults = [...(expected.ok ? [] : expected.findings), ...findings];
  if (!file || !expected.ok)
    return { file: tests, cases: [{ name: 'expectations', place, findings: faults }] };
  return { file: tests, cases: withinLimits(rules, () => testFile(file, expected.value)) };
}

export async function testFiles(words: TestWords, sources: Sources): Promise<Answer> {
  const { files, notes } = findTests(words);
  const progress = new Progress(files.length, 'files tested');
  const suites: Suite[] = [];
  for (const path of files) {
    suites.push(await testOne(path, sources));
    progress.report(suites.length);
  }
  return { command: 'test', suites, ignored: [], notes };
}

export async function testRules(words: TestWords, options: ReportOptions): Promise<void> {
  const sources = new Sources();
  report([await testFiles(words, sources)], options, sources);
}
