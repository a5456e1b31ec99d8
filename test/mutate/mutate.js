/**
 * Puts small faults into the sources, one at a time, and sees whether a test fails: `npm run mutate`.
 *
 *     npm run mutate [-- --count N] [--seed S] [--workers N] [PART-OF-A-PATH...]
 *
 * N faults (100 unless told) are drawn from the sources whose path has one of the parts, or from those that give
 * answers; the same for one seed. The work happens in a copy. The nearest tests are asked first, those of the
 * packages that import the file, then, if they see nothing, the others that do (as root also those of the kernel).
 * A fault that no test sees is printed with its place: it changes no answer, or a test is missing. One with which the
 * tests do not end in time is told apart: it may make a loop endless, or the machine was busy.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { applyMutant, mutantsOf } from './mutants.js';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '../..');
const ANSWERS = ['table', 'diagram', 'iptables', 'policy', 'kernel'].map(
  (name) => `packages/${name}/src/`,
);
/** Tests to leave out where those of the packages are asked. */
const NEAREST = ['<rootDir>/test/'];
/** Tests that run the bundled command, which has no fault, or that take too long for each fault. */
const OTHERS = ['[.]system[.]test', 'test/(cli|attack|docs|ci|demo|report|conformance|vectors)'];
/** What tests of one fault may take, in ms: a fault can make a loop endless. */
const PATIENCE = 240_000;
/** What they may take without a fault. */
const LONG_PATIENCE = 1_800_000;

const USAGE = `npm run mutate [-- --count N] [--seed S] [--workers N] [PART-OF-A-PATH...]
`;

function readWords() {
  try {
    const text = { type: 'string' };
    const options = {
      count: { ...text, default: '100' },
      seed: { ...text, default: '1' },
      workers: { ...text, default: '2' },
      help: { type: 'boolean' },
    };
    const words = parseArgs({ options, allowPositionals: true });
    for (const name of ['count', 'workers'])
      if (!/^[1-9]\d*$/.test(words.values[name])) throw new Error(`\`--${name}\` is a number`);
    return words;
  } catch (error) {
    console.error(`${error.message}\n${USAGE}`);
    process.exit(2);
  }
}

const { values, positionals } = readWords();
if (values.help) {
  process.stdout.write(USAGE);
  process.exit(0);
}

function tracked() {
  const { stdout } = spawnSync('git', ['ls-files', '-z'], { cwd: ROOT, encoding: 'utf8' });
  return stdout.split('\0').filter((path) => path !== '');
}

function drawn(mutants) {
  const rank = ({ path, start, replacement }) =>
    createHash('sha256').update(`${values.seed} ${path} ${start} ${replacement}`).digest('hex');
  return mutants
    .map((mutant) => ({ mutant, rank: rank(mutant) }))
    .sort((a, b) => (a.rank < b.rank ? -1 : 1))
    .slice(0, Number(values.count))
    .map(({ mutant }) => mutant);
}

/** What the tests of the sources say of a fault, of those that the patterns leave. */
function outcome(copy, paths, patterns, timeout = PATIENCE) {
  const ignored = patterns.flatMap((pattern) => ['--testPathIgnorePatterns', pattern]);
  const { status, error } = spawnSync(
    process.execPath,
    [
      'node_modules/jest/bin/jest.js',
      '--findRelatedTests',
      ...paths,
      '--passWithNoTests',
      '--bail',
      '-w',
      values.workers,
      ...ignored,
    ],
    { cwd: copy, stdio: 'ignore', timeout, killSignal: 'SIGKILL' },
  );
  if (error?.code === 'ETIMEDOUT') return 'no end';
  return status === 0 ? 'NOT SEEN' : 'seen';
}

const files = tracked();
const parts = positionals.length > 0 ? positionals : ANSWERS;
const sources = files.filter(
  (path) =>
    path.includes('/src/') &&
    path.endsWith('.ts') &&
    !path.endsWith('.test.ts') &&
    parts.some((part) => path.includes(part)),
);
if (sources.length === 0) {
  console.error(`no source has ${parts.join(' or ')} in its path`);
  process.exit(2);
}

const copy = mkdtempSync(join(tmpdir(), 'sockfilter-mutate-'));
const counts = { seen: 0, 'no end': 0, 'NOT SEEN': 0 };
try {
  for (const path of files) cpSync(join(ROOT, path), join(copy, path), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
  const all = sources.flatMap((path) => mutantsOf(path, readFileSync(join(copy, path), 'utf8')));
  const mutants = drawn(all);
  console.log(`${mutants.length} of ${all.length} faults, seed ${values.seed}`);
  const drawnFrom = [...new Set(mutants.map(({ path }) => path))];
  if (outcome(copy, drawnFrom, OTHERS, LONG_PATIENCE) !== 'NOT SEEN')
    throw new Error('a test fails without any fault: see npm test');
  for (const mutant of mutants) {
    const place = join(copy, mutant.path);
    const text = readFileSync(place, 'utf8');
    writeFileSync(place, applyMutant(text, mutant));
    const nearest = outcome(copy, [mutant.path], NEAREST);
    const said = nearest === 'NOT SEEN' ? outcome(copy, [mutant.path], OTHERS) : nearest;
    writeFileSync(place, text);
    counts[said]++;
    const { path, line, old, replacement } = mutant;
    console.log(
      `${said}  ${path}:${line}  ${JSON.stringify(old.slice(0, 60))} -> ${JSON.stringify(replacement.slice(0, 60))}`,
    );
  }
  console.log(
    `${counts.seen} seen, ${counts['NOT SEEN']} not seen, ${counts['no end']} without an end`,
  );
} finally {
  rmSync(copy, { recursive: true, force: true });
}
