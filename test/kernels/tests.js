/** The kernel and attack tests on one kernel, and their tally. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleTests } from './bundle.js';
import { bootShared } from './machine.js';

const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url));

const ALL = ['test/kernel', 'test/attack'];
/** What another kernel can have otherwise: accept(2) by BPF LSM, sockets that no hook sees, each hook by a call. */
const SHORT = ['test/kernel/accept', 'test/kernel/denyunseen', 'test/attack/attack.system.test'];
/** Of the attacks, in the short form: one or two of each theme. */
const SHORT_NAMES =
  'kernel: (?!attacks)|as it is|32-bit|MSG_FASTOPEN to IPv4|device|0x80|IP_LOCAL_PORT';

/** How long a test may take: emulated, and beside other work, fifty times what it takes on a machine. */
const TEST_MS = 1_800_000;

/** A kernel that hangs is ended. */
const LIMIT_MINUTES = { short: 15, all: 240 };

function selectTests({ short, tests }) {
  if (tests.length > 0) return tests;
  return short ? SHORT : ALL;
}

/** Makes files of the tests that another machine can run, in a folder that is there as long as this process. */
export async function prepareTests(selection) {
  const folder = mkdtempSync(join(tmpdir(), 'sockfilter-jest-'));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  await bundleTests(folder, selectTests(selection));
  return folder;
}

/** The command that runs the tests. */
function jest(selection, folder) {
  const names = selection.short && selection.tests.length === 0 ? ['-t', `'${SHORT_NAMES}'`] : [];
  return [
    `cd '${REPOSITORY}'; SOCKFILTER_REQUIRE_KERNEL=1 node node_modules/jest/bin/jest.js`,
    `--config '${folder}/jest.config.json' -w 1 --ci --verbose --testTimeout=${TEST_MS}`,
    ...selectTests(selection),
    ...names,
    // A console is no terminal for jest's redrawing.
    '2>&1 | cat',
  ].join(' ');
}

function readTally(said) {
  const [, passed, failed, skipped] =
    /^(\d+) passed, (\d+) failed, (\d+) skipped\r?$/m.exec(said) ?? [];
  const names = [...said.matchAll(/^\s*✕ (.*?)(?: \(\d+.*\))?\r?$/gm)].map(([, name]) => name);
  return passed === undefined ? undefined : { passed, failed, skipped, names };
}

async function run(kernel, command, folder, limitMs) {
  if (kernel !== 'running')
    return (await bootShared(kernel, { command, folders: [folder], limitMs })).end();
  return execFileSync('bash', ['-c', `echo "booted $(uname -r)"; ${command} || true`], {
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  });
}

/** What has run there; `tally` is undefined where that came to no end. */
export async function runTests(target, selection, folder) {
  const limitMs = 60_000 * LIMIT_MINUTES[selection.short ? 'short' : 'all'];
  const said = await run(target, jest(selection, folder), folder, limitMs);
  const [, release = '-'] = /booted (\S+)/.exec(said) ?? [];
  return { said, release, tally: readTally(said) };
}
