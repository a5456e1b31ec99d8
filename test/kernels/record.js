/** What a run came to, in a file of its own: docs/kernel.md has its table of these. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url));
const RESULTS = fileURLToPath(new URL('results', import.meta.url));

const git = (...words) => execFileSync('git', words, { cwd: REPOSITORY, encoding: 'utf8' }).trim();

/** The commit that is checked out; throws where what runs is none. */
export function commitHere() {
  const changed = git('status', '--porcelain');
  if (changed !== '') throw new Error(`only what is committed is recorded:\n${changed}`);
  return git('rev-parse', '--short=12', 'HEAD');
}

/** The words of the command line that say what is run. */
function wordsOf({ arch, short, packed, reboot, cuts, losses, seed, tests }) {
  return [
    ...(arch === 'amd64' ? [] : [`--arch ${arch}`]),
    ...(short ? ['--short'] : []),
    ...(packed ? ['--packed'] : []),
    ...(reboot ? ['--reboot'] : []),
    ...(cuts === undefined ? [] : [`--power-cut ${cuts}`]),
    ...(losses === undefined ? [] : [`--lost-writes ${losses}`]),
    ...((cuts ?? losses) === undefined ? [] : [`--seed ${seed}`]),
    ...tests,
  ].join(' ');
}

/** `version` is as `--only` takes it; one run of the same takes the place of the one before. */
export function writeRecord({ version, release, selection, commit, tally, minutes }) {
  const what = wordsOf(selection);
  const { passed, failed, skipped, names = [] } = tally;
  const record = {
    kernel: release,
    what,
    commit,
    passed: Number(passed),
    failed: Number(failed),
    skipped: Number(skipped),
    found: names,
    minutes: Number(minutes),
  };
  // A seed is of one run.
  const name = `${version} ${what}`.replace(/ --seed \d+/, '').replace(/[^\w.]+/g, '-');
  mkdirSync(RESULTS, { recursive: true });
  writeFileSync(join(RESULTS, `${name}.json`), `${JSON.stringify(record, null, 2)}\n`);
}
