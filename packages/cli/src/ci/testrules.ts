/** `sockfilter test`: rule files held against the expectations beside them. */
import { existsSync, statSync } from 'node:fs';
import { readExpectations, type Suite, testFile } from '@sockfilter/policy';
import { EXIT } from '../exitcode.js';
import { CommandError } from '../failure.js';
import { Progress } from './progress.js';
import { type ReportOptions, report, withinLimits } from './reporting.js';
import { findFiles, readRules, readText, Sources } from './rulesource.js';

const RULES = '.rules';
const TESTS = '.test.yaml';

/** The expectations of a path: of a rule file those beside it. */
function testsOf(path: string): string {
  if (!path.endsWith(RULES) || !existsSync(path) || statSync(path).isDirectory()) return path;
  const tests = `${path.slice(0, -RULES.length)}${TESTS}`;
  if (existsSync(tests)) return tests;
  const message = `\`${path}\` has no expectations`;
  throw new CommandError(message, EXIT.usage, `write them in \`${tests}\``);
}

function rulesOf(tests: string): string {
  if (tests.endsWith(TESTS)) return `${tests.slice(0, -TESTS.length)}${RULES}`;
  const help = `expectations are in a file that ends in \`${TESTS}\`, beside the rules`;
  throw new CommandError(`\`${tests}\` is neither rules nor expectations`, EXIT.usage, help);
}

async function testOne(tests: string, sources: Sources): Promise<Suite> {
  const rules = rulesOf(tests);
  const place = { file: tests, line: 1, column: 1, length: 1 };
  const expected = await readExpectations(readText(tests, sources), tests);
  const { file, findings } = readRules(rules, readText(rules, sources), sources);
  const faults = [...(expected.ok ? [] : expected.findings), ...findings];
  if (!file || !expected.ok)
    return { file: tests, cases: [{ name: 'expectations', place, findings: faults }] };
  return { file: tests, cases: withinLimits(rules, () => testFile(file, expected.value)) };
}

export async function testRules(paths: readonly string[], options: ReportOptions): Promise<void> {
  const sources = new Sources();
  const given = paths.length === 0 ? ['.'] : paths.map(testsOf);
  const files = findFiles(given, TESTS);
  const progress = new Progress(files.length, 'files tested');
  const suites: Suite[] = [];
  for (const path of files) {
    suites.push(await testOne(path, sources));
    progress.report(suites.length);
  }
  report({ command: 'test', suites, ignored: [] }, options, sources);
}
