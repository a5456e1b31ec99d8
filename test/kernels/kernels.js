/**
 * `npm run test:kernels`: kernel and attack tests on other kernels than the running one, which qemu boots with
 * software emulation on this machine's own files, read-only over virtiofs; and what becomes of rules when a machine
 * reboots or its power is cut.
 *
 *     npm run test:kernels               all of them, on Debian's 6.12 and 6.1 and on the running kernel
 *     npm run test:kernels -- --short    a few that meet every hook, on 6.12 alone
 *     npm run test:kernels -- --only 6.12|6.1|running [TEST...]
 *     npm run test:kernels -- --arch arm64 [--short] [TEST...]    on Debian's 6.12 for another processor
 *     npm run test:kernels -- --reboot [--release FOLDER]    a Debian with the package, of the folder or made anew
 *     npm run test:kernels -- --packed [--arch arm64] [--release FOLDER]    what a .deb installs
 *     npm run test:kernels -- --power-cut TIMES [--seed N]   while commands change rules, ids and history
 *     npm run test:kernels -- --lost-writes TIMES [--seed N]   what its disk had not flushed is lost, or any part of it
 *
 * It prints what has run, passed and failed on each, and exits with 1 if anything has failed, with 69 if no kernel can
 * be had or booted. `--record` writes it into test/kernels/results as well, of which docs/kernel.md has its table. Debian's
 * packages qemu-system-x86, qemu-system-common (virtiofsd) and kmod must be there, for `--reboot` also debootstrap, e2fsprogs
 * and xz-utils, for `--power-cut` and `--lost-writes` e2fsprogs, for arm64 qemu-system-arm; and root.
 */
import { parseArgs } from 'node:util';
import { ARCHITECTURES } from './architectures.js';
import { loseWrites } from './lostwrites.js';
import { fetchKernel, missingPackages } from './machine.js';
import { tryPacked } from './packed.js';
import { cutPower } from './powercut.js';
import { reboot } from './reboot.js';
import { commitHere, writeRecord } from './record.js';
import { prepareTests, runTests } from './tests.js';

/** What the short form runs. */
const SHORT_KERNELS = ['6.12'];
/** On which kernel machines reboot, if none is named. */
const USUAL = '6.12';

/** EX_UNAVAILABLE of sysexits(3): no other kernel can be booted here. */
const UNAVAILABLE = 69;

function leave(status, message) {
  process.stderr.write(`${message}\n`);
  process.exit(status);
}

function readWords() {
  const { values, positionals: tests } = parseArgs({
    allowPositionals: true,
    options: {
      short: { type: 'boolean', default: false },
      only: { type: 'string' },
      arch: { type: 'string', default: 'amd64' },
      reboot: { type: 'boolean', default: false },
      packed: { type: 'boolean', default: false },
      release: { type: 'string' },
      'power-cut': { type: 'string' },
      'lost-writes': { type: 'string' },
      record: { type: 'boolean', default: false },
      seed: { type: 'string', default: String(Date.now() % 2 ** 32) },
    },
  });
  const architecture = ARCHITECTURES[values.arch];
  if (!architecture)
    leave(2, `no machine \`${values.arch}\`: ${Object.keys(ARCHITECTURES).join(', ')}`);
  const known = [
    ...Object.keys(architecture.kernels),
    ...(architecture.foreign ? [] : ['running']),
  ];
  if (values.only !== undefined && !known.includes(values.only))
    leave(2, `no kernel \`${values.only}\`: ${known.join(', ')}`);
  const [cuts, losses] = ['power-cut', 'lost-writes'].map((word) => {
    const times = values[word] === undefined ? undefined : Number(values[word]);
    if (times !== undefined && !(Number.isInteger(times) && times > 0))
      leave(2, `\`--${word}\` is how many times`);
    return times;
  });
  const isMachine = [cuts, losses].some(Number) || values.reboot || values.packed;
  if (isMachine && values.only === 'running') leave(2, 'the running kernel is no virtual machine');
  if (values.reboot && architecture.foreign) leave(2, '`--reboot` is for this processor');
  const commit = values.record ? commitHere() : undefined;
  return { ...values, cuts, losses, isMachine, known, tests, commit };
}

/** Writes down what a run came to, if it is asked for. */
function keep(selection, run) {
  const { commit } = selection;
  if (commit !== undefined) writeRecord({ selection, commit, ...run });
}

function targetsOf({ arch, only, short, isMachine, known }) {
  const versions = () => {
    if (only !== undefined) return [only];
    if (isMachine) return [USUAL];
    return short ? SHORT_KERNELS : known;
  };
  return versions().map((version) => ({ arch, version }));
}

/** Ends the process where one of the kernels can't be had. */
function requireKernels(targets, more) {
  const booted = targets.filter(({ version }) => version !== 'running');
  if (booted.length === 0) return;
  const missing = missingPackages(booted[0].arch, more);
  if (missing.length > 0)
    leave(UNAVAILABLE, `no kernel can be booted here: apt-get install ${missing.join(' ')}`);
  try {
    for (const target of booted) fetchKernel(target);
  } catch (error) {
    leave(UNAVAILABLE, `no kernel can be fetched: ${error.message}`);
  }
}

function printColumns(rows) {
  const widths = rows[0].map((_, n) => Math.max(...rows.map((row) => row[n].length)));
  for (const row of rows) {
    const line = row.map((cell, n) => cell.padEnd(widths[n])).join('  ');
    process.stdout.write(`${line.trimEnd()}\n`);
  }
}

const NO_END = 'the run came to no end';

const minutesSince = (begun) => ((Date.now() - begun) / 60_000).toFixed(1);

/** Whether all have passed. */
async function testKernels(targets, selection) {
  const folder = await prepareTests(selection);
  const rows = [['KERNEL', 'RELEASE', 'PASSED', 'FAILED', 'SKIPPED', 'MINUTES']];
  let isSound = true;
  for (const target of targets) {
    const kernel = target.arch === 'amd64' ? target.version : `${target.version} ${target.arch}`;
    const begun = Date.now();
    const { said, release, tally } = await runTests(target, selection, folder);
    const minutes = minutesSince(begun);
    if (!tally) process.stdout.write(`${kernel}: ${NO_END}\n${said.slice(-4000)}\n`);
    if (tally?.failed !== '0') isSound = false;
    const found = tally ?? { passed: 0, failed: 1, skipped: 0, names: [NO_END] };
    keep(selection, { version: target.version, release, tally: found, minutes });
    for (const name of tally?.names ?? []) process.stdout.write(`${kernel}: failed: ${name}\n`);
    const { passed = '-', failed = '-', skipped = '-' } = tally ?? {};
    rows.push([kernel, release, passed, failed, skipped, minutes]);
  }
  printColumns(rows);
  return isSound;
}

/** Whether ids, rules and history are as they have to be, whenever a machine ends. */
async function testMachines(target, selection) {
  const { packed, reboot: reboots, release, cuts, losses, seed: text } = selection;
  const seed = Number(text);
  const begun = Date.now();
  const tallies = [];
  const attempt = async (run) => {
    try {
      tallies.push(await run());
    } catch (error) {
      process.stdout.write(`${NO_END}: ${error.stack}\n`);
      tallies.push({ passed: 0, failed: 1, names: [NO_END] });
    }
  };
  if (packed) await attempt(() => tryPacked(target, { release }));
  if (reboots) await attempt(() => reboot(target, { release }));
  if (cuts !== undefined) await attempt(() => cutPower(target, { cuts, seed }));
  if (losses !== undefined) await attempt(() => loseWrites(target, { times: losses, seed }));
  const sum = (key) => tallies.reduce((all, tally) => all + tally[key], 0);
  const names = tallies.flatMap((tally) => tally.names ?? []);
  const tally = { passed: sum('passed'), failed: sum('failed'), skipped: 0, names };
  process.stdout.write(`${tally.passed} passed, ${tally.failed} failed, 0 skipped\n`);
  keep(selection, {
    version: target.version,
    release: fetchKernel(target).release,
    tally,
    minutes: minutesSince(begun),
  });
  return tally.failed === 0;
}

const words = readWords();
const targets = targetsOf(words);
requireKernels(targets, {
  ...(words.reboot && { debootstrap: 'debootstrap', mke2fs: 'e2fsprogs', xz: 'xz-utils' }),
  ...((words.cuts ?? words.losses) !== undefined && { mke2fs: 'e2fsprogs', debugfs: 'e2fsprogs' }),
});
const isSound = words.isMachine
  ? await testMachines(targets[0], words)
  : await testKernels(targets, words);
process.exitCode = isSound ? 0 : 1;
