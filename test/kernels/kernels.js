/**
 * `npm run test:kernels`: kernel and attack tests on other kernels than the running one, which qemu boots with
 * software emulation on this machine's own files, read-only over virtiofs.
 *
 *     npm run test:kernels               all of them, on Debian's 6.12 and 6.1 and on the running kernel
 *     npm run test:kernels -- --short    a few that meet every hook, on 6.12 alone
 *     npm run test:kernels -- --only 6.12|6.1|running [TEST...]
 *
 * It prints what has run, passed and failed on each, and exits with 1 if anything has failed, with 69 if no kernel can
 * be had or booted. Debian's
 * packages qemu-system-x86, qemu-system-common (virtiofsd) and kmod must be there, and root.
 */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { writeInitramfs } from './initramfs.js';

const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url));
const INIT = fileURLToPath(new URL('init.sh', import.meta.url));
const VIRTIOFSD = '/usr/lib/qemu/virtiofsd';

/** The package of each kernel, and whether virtiofs is a module there: an initramfs loads it. */
const PACKAGES = {
  6.12: { image: 'linux-image-6.12-cloud-amd64', isModular: false },
  6.1: { image: 'linux-image-cloud-amd64', isModular: true },
};
/** What the short form runs. */
const SHORT_KERNELS = ['6.12'];

const ALL = ['test/kernel', 'test/attack'];
/** What another kernel can have otherwise: accept(2) by BPF LSM, sockets that no hook sees, each hook by a call. */
const SHORT = ['test/kernel/accept', 'test/kernel/denyunseen', 'test/attack/attack.test'];
/** Of the attacks, in the short form: one or two of each theme. */
const SHORT_NAMES =
  'kernel: (?!attacks)|as it is|32-bit|MSG_FASTOPEN to IPv4|device|0x80|IP_LOCAL_PORT';

/** EX_UNAVAILABLE of sysexits(3): no other kernel can be booted here. */
const UNAVAILABLE = 69;

const NEEDED = {
  'qemu-system-x86_64': 'qemu-system-x86',
  [VIRTIOFSD]: 'qemu-system-common',
  depmod: 'kmod',
};

function has(program) {
  try {
    execFileSync('sh', ['-c', 'command -v "$0"', program], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** The kernel and its modules, fetched by apt once. */
function fetchKernel(version) {
  const { image, isModular } = PACKAGES[version];
  const folder = join(
    process.env.SOCKFILTER_KERNELS ?? join(tmpdir(), 'sockfilter-kernels'),
    version,
  );
  if (!existsSync(join(folder, 'boot'))) {
    mkdirSync(folder, { recursive: true });
    const apt = (...words) =>
      execFileSync(words[0], words.slice(1), { cwd: folder, encoding: 'utf8' });
    const dependencies = apt('apt-cache', 'depends', image);
    const [, name] = /Depends: (linux-image-\S+)/.exec(dependencies) ?? [];
    if (name === undefined)
      throw new Error(`apt knows no ${image}: has \`apt-get update\` been run?`);
    apt('apt-get', 'download', '-q', name, ...(isModular ? ['busybox-static'] : []));
    for (const file of readdirSync(folder).filter((each) => each.endsWith('.deb')))
      apt('dpkg', '-x', file, folder);
  }
  const [release] = readdirSync(join(folder, 'lib/modules'));
  if (!existsSync(join(folder, 'lib/modules', release, 'modules.dep.bin')))
    execFileSync('depmod', ['-b', folder, release]);
  const initramfs = join(folder, 'initramfs');
  if (isModular)
    writeInitramfs(initramfs, {
      folder,
      release,
      busybox: join(folder, 'bin/busybox'),
      init: INIT,
    });
  return {
    folder,
    kernel: ['-kernel', join(folder, 'boot', `vmlinuz-${release}`)].concat(
      isModular ? ['-initrd', initramfs] : [],
    ),
  };
}

const MEMORY = '2048M';

/** A kernel that hangs is ended. */
const LIMIT_MINUTES = { short: 15, all: 240 };

/** Boots the kernel, runs the command there, and gives all that it prints. */
async function runIn(version, command, cache, limitMs) {
  const { folder, kernel } = fetchKernel(version);
  const place = mkdtempSync(join(tmpdir(), 'sockfilter-vm-'));
  const socket = join(place, 'fs');
  const files = spawn(
    VIRTIOFSD,
    [`--socket-path=${socket}`, '-o', 'source=/', '-o', 'cache=always', '-o', 'sandbox=chroot'],
    { stdio: 'ignore' },
  );
  try {
    for (let n = 0; n < 100 && !existsSync(socket); n++) await wait(50);
    const append = [
      'console=ttyS0 panic=-1 quiet rootfstype=virtiofs root=hostroot ro',
      `init=${INIT}`,
      `MODULES=${folder}`,
      `CACHE=${cache}`,
      `RUN=${Buffer.from(command).toString('base64')}`,
    ].join(' ');
    const machine = spawn(
      'qemu-system-x86_64',
      [
        ...['-machine', 'q35', '-accel', 'tcg,thread=multi', '-cpu', 'max', '-smp', '2'],
        ...['-m', MEMORY, '-object', `memory-backend-memfd,id=mem,size=${MEMORY},share=on`],
        ...['-numa', 'node,memdev=mem', '-chardev', `socket,id=fs,path=${socket}`],
        ...['-device', 'vhost-user-fs-pci,chardev=fs,tag=hostroot'],
        ...['-nographic', '-no-reboot', '-nodefaults', '-serial', 'stdio'],
        ...[...kernel, '-append', append],
      ],
      { stdio: ['ignore', 'pipe', 'inherit'], timeout: limitMs, killSignal: 'SIGKILL' },
    );
    const end = () => {
      machine.kill('SIGKILL');
      files.kill();
      process.exit(1);
    };
    for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, end);
    let said = '';
    machine.stdout.on('data', (chunk) => {
      said += chunk;
      if (process.env.SOCKFILTER_VERBOSE) process.stdout.write(chunk);
    });
    await once(machine, 'close');
    return said;
  } finally {
    files.kill();
    rmSync(place, { recursive: true, force: true });
  }
}

/**
 * Has this machine compile what the tests import: no test has the name. Where each instruction is emulated that
 * takes longer than the tests.
 */
function warm(short, tests, cache) {
  const words = ['--cacheDirectory', cache, '-w', '2', '--ci', '-t', '^$', '--silent'];
  execFileSync(
    process.execPath,
    ['node_modules/jest/bin/jest.js', ...words, ...selectTests(short, tests)],
    { cwd: REPOSITORY, stdio: 'ignore' },
  );
}

function selectTests(short, tests) {
  if (short) return SHORT;
  return tests.length > 0 ? tests : ALL;
}

/** The command that runs the tests. */
function jest(short, tests, cache) {
  const names = short ? ['-t', `'${SHORT_NAMES}'`] : [];
  const selection = [...selectTests(short, tests), ...names];
  return [
    `cd '${REPOSITORY}'; SOCKFILTER_REQUIRE_KERNEL=1 node node_modules/jest/bin/jest.js`,
    `--cacheDirectory '${cache}' -w 1 --ci --verbose --testTimeout=240000`,
    ...selection,
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

const { values, positionals: tests } = parseArgs({
  allowPositionals: true,
  options: { short: { type: 'boolean' }, only: { type: 'string' } },
});
const short = values.short ?? false;
const kernels =
  values.only === undefined
    ? short
      ? SHORT_KERNELS
      : [...Object.keys(PACKAGES), 'running']
    : [values.only];
const known = [...Object.keys(PACKAGES), 'running'];
if (!kernels.every((kernel) => known.includes(kernel))) {
  process.stderr.write(`no kernel \`${values.only}\`: ${known.join(', ')}\n`);
  process.exit(2);
}
const boots = kernels.some((kernel) => kernel !== 'running');
const missing = Object.entries(NEEDED).filter(([program]) => boots && !has(program));
if (missing.length > 0) {
  const packages = missing.map(([, name]) => name).join(' ');
  process.stderr.write(`no kernel can be booted here: apt-get install ${packages}\n`);
  process.exit(UNAVAILABLE);
}
try {
  for (const kernel of kernels) if (kernel !== 'running') fetchKernel(kernel);
} catch (error) {
  process.stderr.write(`no kernel can be fetched: ${error.message}\n`);
  process.exit(UNAVAILABLE);
}
const cache = mkdtempSync(join(tmpdir(), 'sockfilter-jest-'));
const rows = [['KERNEL', 'RELEASE', 'PASSED', 'FAILED', 'SKIPPED', 'MINUTES']];
let isSound = true;
try {
  if (boots) warm(short, tests, cache);
  for (const kernel of kernels) {
    const begun = Date.now();
    const command = jest(short, tests, cache);
    const said =
      kernel === 'running'
        ? execFileSync('bash', ['-c', `echo "booted $(uname -r)"; ${command} || true`], {
            encoding: 'utf8',
            maxBuffer: 2 ** 28,
          })
        : await runIn(kernel, command, cache, 60_000 * LIMIT_MINUTES[short ? 'short' : 'all']);
    const minutes = ((Date.now() - begun) / 60_000).toFixed(1);
    const [, release = '-'] = /booted (\S+)/.exec(said) ?? [];
    const tally = readTally(said);
    if (!tally) process.stdout.write(`${kernel}: the run came to no end\n${said.slice(-4000)}\n`);
    if (tally?.failed !== '0') isSound = false;
    for (const name of tally?.names ?? []) process.stdout.write(`${kernel}: failed: ${name}\n`);
    const { passed = '-', failed = '-', skipped = '-' } = tally ?? {};
    rows.push([kernel, release, passed, failed, skipped, minutes]);
  }
} finally {
  rmSync(cache, { recursive: true, force: true });
}
const widths = rows[0].map((_, n) => Math.max(...rows.map((row) => row[n].length)));
for (const row of rows)
  process.stdout.write(
    `${row
      .map((cell, n) => cell.padEnd(widths[n]))
      .join('  ')
      .trimEnd()}\n`,
  );
process.exitCode = isSound ? 0 : 1;
