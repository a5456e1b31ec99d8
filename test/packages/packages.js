/**
 * `npm run test:packages [-- --release FOLDER] [--twice] [--arch arm64]`: the packages, as a user has them, in a Debian 12
 * that has no Node: installed, rules put in force on this kernel, upgraded, removed and purged. `--release` takes packages that
 * are made already; `--twice` makes them twice, and compares. Of another architecture, whose programs an emulator runs that
 * knows no bpf(2), rules are checked instead of put in force. Needs root and cgroup2; debootstrap, lintian and rpm,
 * where one can't be had what needs it is skipped, and named. Kept in SOCKFILTER_PACKAGES_ROOT: the Debian.
 */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { judgeForeign } from './foreign.js';
import { INSTALL, isThere, makeRoot, Shell } from './root.js';
import { skip, tally, test } from './tally.js';

const TOP = fileURLToPath(new URL('../..', import.meta.url));
const PACKAGE = join(TOP, 'packages/cli/packaging/package.js');
const { values } = parseArgs({
  options: {
    release: { type: 'string' },
    twice: { type: 'boolean', default: false },
    arch: { type: 'string', default: 'amd64' },
  },
});
const HERE = 'amd64';
const isForeign = values.arch !== HERE;
/** What runs programs of another architecture. */
const EMULATION = 'qemu-user-static with binfmt_misc';

// Until all has run.
process.exitCode = 1;
const digest = (file) => createHash('sha256').update(readFileSync(file)).digest('hex');
const find = (folder, pattern) => {
  const name = readdirSync(folder).find((each) => pattern.test(each));
  return name && join(folder, name);
};

function build(folder) {
  const words = [PACKAGE, '--out', folder, '--level', '0', '--arch', values.arch];
  execFileSync(process.execPath, words, { stdio: ['ignore', 'ignore', 'pipe'] });
  return folder;
}

/** The same package under a version that comes before. */
function makeBefore(deb, work) {
  const folder = join(work, 'before');
  execFileSync('dpkg-deb', ['-R', deb, folder]);
  execFileSync('sed', ['-i', 's/^Version: .*/&~before/', join(folder, 'DEBIAN/control')]);
  const made = join(work, 'before.deb');
  execFileSync('dpkg-deb', ['--root-owner-group', '-Zxz', '-z0', '-b', folder, made]);
  return made;
}

async function compareBuilds(first, second, work) {
  const unpack = (folder, name) => {
    const to = join(work, name);
    execFileSync('dpkg-deb', ['-R', find(folder, /\.deb$/), to]);
    return to;
  };
  const [a, b] = [unpack(first, 'a'), unpack(second, 'b')];
  const { stdout } = spawnSync('diff', ['-rq', '--no-dereference', a, b], { encoding: 'utf8' });
  // What V8 has compiled may differ, and it is in the executable, of which the sums are.
  const differing = stdout
    .split('\n')
    .filter((line) => line !== '' && !/sockfilter\/sockfilter |md5sums/.test(line));
  assert.deepEqual(differing, []);
  // Sizes are compared above; here modes, owners, times and links.
  const list = (folder) =>
    execFileSync('dpkg-deb', ['-c', find(folder, /\.deb$/)], { encoding: 'utf8' })
      .split('\n')
      .map((line) => line.replace(/ +\d+ /, ' '));
  assert.deepEqual(list(first), list(second));
  console.log(
    `         packages are ${digest(find(first, /\.deb$/)) === digest(find(second, /\.deb$/)) ? 'equal' : 'equal but for compiled code'}`,
  );
}

/** A shell in the Debian, below a control group of its own with one named web in it; all of it goes with the end of `body`. */
async function inDebian(root, cgroup2, body) {
  const name = `sockfilter-packages-${process.pid}`;
  const folder = join(cgroup2, name);
  mkdirSync(join(folder, 'web'), { recursive: true });
  copyFileSync(fileURLToPath(new URL('caller.pl', import.meta.url)), join(root, 'caller.pl'));
  const shell = new Shell(root, cgroup2, {
    SOCKFILTER_ROOT: `/${name}`,
    DEBIAN_FRONTEND: 'noninteractive',
  });
  const gives = async (line, pattern) => {
    const { text, status } = await shell.ask(line);
    assert.equal(status, 0, `${line}\n${text}`);
    if (pattern) assert.match(text, pattern, line);
    return text;
  };
  const call = (address) => gives(`perl /caller.pl /sys/fs/cgroup/${name}/web ${address} 3`);
  try {
    await body({ name, shell, gives, call });
  } finally {
    await shell.close();
    for (const path of [join(folder, 'web'), folder]) rmdirSync(path);
    rmSync(join(root, 'caller.pl'));
  }
}

const REFUSED = '127.0.0.2';
const RULE = `-A CONNECT -d ${REFUSED}/32 -m cgroup --id web -j REJECT --reject-with EACCES`;

async function tryDeb(root, deb, before, { name, shell, gives, call }) {
  copyFileSync(deb, join(root, 'after.deb'));
  copyFileSync(before, join(root, 'before.deb'));
  rmSync(join(root, 'stop'), { force: true });
  try {
    await test('there is no Node', async () => {
      assert.notEqual((await shell.ask('command -v node nodejs')).status, 0);
    });
    await test('it installs, and puts nothing in force by itself', async () => {
      await gives('dpkg --purge sockfilter >/dev/null 2>&1 || true');
      await gives(`${INSTALL} /before.deb`);
      await gives('sockfilter --version', /^sockfilter v\d/);
      await gives('sockfilter status', /^not installed/);
      await gives(
        'ls /usr/share/man/man8/sockfilter.8.gz /usr/share/bash-completion/completions/sockfilter',
      );
      assert.match(await call(REFUSED), /^ok=3$/m);
    });
    await test('all that it finds needed is there, by trying', async () => {
      await gives('sockfilter doctor', /enforcement +works/);
    });
    await test('the packed rule file is one, and the packed unit restores it', async () => {
      await gives('sockfilter restore --test /etc/sockfilter/socket.rules');
      const unit = '/usr/lib/systemd/system/sockfilter.service';
      await gives(`$(sed -n 's/^ExecStart=//p' ${unit})`);
      await gives(`$(sed -n 's/^ExecReload=//p' ${unit})`);
      await gives('sockfilter-save', /^:BIND ACCEPT/m);
      await gives('sockfilter status', /attached/);
    });
    await test('rules are in force', async () => {
      await gives(`sockfilter group add web --path /${name}/web`);
      await gives(`sockfilter ${RULE}`);
      assert.equal(await call(REFUSED), 'EACCES=3\n');
      assert.equal(await call('127.0.0.1'), 'ok=3\n');
      await gives('sockfilter-save > /saved.rules && sockfilter-restore --test /saved.rules');
    });
    await test('an upgrade lets nothing pass, and keeps rules and an edited file', async () => {
      await gives("echo '# mine' >> /etc/sockfilter/socket.rules");
      await gives(`(perl /caller.pl /sys/fs/cgroup/${name}/web ${REFUSED} /stop > /calls &)`);
      await gives('sleep 1');
      await gives(`${INSTALL} /after.deb`);
      await gives('sockfilter -A BIND -d 127.0.0.3 -j DROP');
      await gives('touch /stop; sleep 1');
      const [, count] = /^EACCES=(\d+)\n$/.exec(await gives('cat /calls')) ?? [];
      assert.ok(Number(count) > 1000, `${count} calls`);
      await gives('sockfilter -S CONNECT', /-j REJECT --reject-with EACCES/);
      await gives('tail -1 /etc/sockfilter/socket.rules', /^# mine$/m);
      await gives('dpkg -s sockfilter', /^Version: [^~]+$/m);
    });
    await test('an addon that others can write is not loaded', async () => {
      const addon = '/usr/lib/sockfilter/koffi.node';
      await gives(`chmod 666 ${addon}`);
      const { text, status } = await shell.ask('sockfilter -S');
      assert.notEqual(status, 0);
      assert.match(text, /koffi\.node` is no file that only the executable's owner can write/);
      await gives(`chmod 644 ${addon} && sockfilter -S`);
    });
    await test('what Node takes from the environment is not taken', async () => {
      await gives("NODE_OPTIONS='--require /nowhere.js' sockfilter --version", /^sockfilter v/);
    });
    await test('removed, its rules and files stay', async () => {
      await gives('apt-get remove -y -q sockfilter');
      assert.notEqual((await shell.ask('ls /usr/bin/sockfilter')).status, 0);
      assert.equal(await call(REFUSED), 'EACCES=3\n');
      await gives('tail -1 /etc/sockfilter/socket.rules', /^# mine$/m);
    });
    await test('installed again, it finds what is in force', async () => {
      await gives(`${INSTALL} /after.deb`);
      await gives('sockfilter -S CONNECT', /-j REJECT --reject-with EACCES/);
    });
    await test('purged, nothing of it is left', async () => {
      await gives('apt-get purge -y -q sockfilter');
      assert.equal(await call(REFUSED), 'ok=3\n');
      const left =
        'ls -d /sys/fs/bpf/sockfilter /etc/sockfilter /var/lib/sockfilter /run/sockfilter /usr/lib/sockfilter';
      assert.doesNotMatch((await shell.ask(left)).text, /^\//m);
    });
  } finally {
    for (const file of ['after.deb', 'before.deb', 'calls', 'saved.rules', 'stop'])
      rmSync(join(root, file), { force: true });
  }
}

/** What the .rpm puts where works as what the .deb does, and its removal leaves what is in force. */
async function enforceRpm(root, rpm, { name, shell, gives, call }) {
  const run = (...words) => execFileSync('rpm', ['--root', root, ...words], { stdio: 'pipe' });
  run('--initdb');
  run('-i', '--nodeps', '--noscripts', rpm);
  try {
    await gives('sockfilter --version', /^sockfilter v\d/);
    const unit = '/usr/lib/systemd/system/sockfilter.service';
    await gives(`$(sed -n 's/^ExecStart=//p' ${unit})`);
    await gives('sockfilter status', /attached/);
    await gives(`sockfilter group add web --path /${name}/web`);
    await gives(`sockfilter ${RULE}`);
    assert.equal(await call(REFUSED), 'EACCES=3\n');
    assert.equal(await call('127.0.0.1'), 'ok=3\n');
    run('-e', '--noscripts', 'sockfilter');
    assert.notEqual((await shell.ask('ls /usr/bin/sockfilter')).status, 0);
    assert.equal(await call(REFUSED), 'EACCES=3\n');
    run('-i', '--nodeps', '--noscripts', rpm);
    await gives('sockfilter teardown');
    assert.equal(await call(REFUSED), 'ok=3\n');
  } finally {
    spawnSync('rpm', ['--root', root, '-e', '--noscripts', 'sockfilter']);
    rmSync(join(root, 'var/lib/sockfilter'), { recursive: true, force: true });
  }
}

function tryRpm(rpm, work) {
  const root = join(work, 'rpmroot');
  mkdirSync(root);
  const run = (...words) => execFileSync('rpm', ['--root', root, ...words], { encoding: 'utf8' });
  run('--initdb');
  // The database knows no libc: its names are looked at apart.
  run('-i', '--nodeps', '--noscripts', rpm);
  assert.equal(run('-V', '--nodeps', 'sockfilter'), '');
  const needs = run('-q', '--requires', 'sockfilter');
  assert.match(needs, /^libc\.so\.6\(GLIBC_2\.28\)/m);
  assert.doesNotMatch(needs, /^(\/usr\/bin\/)?node/m);
  assert.equal(run('-q', '--configfiles', 'sockfilter'), '/etc/sockfilter/socket.rules\n');
  const installed = join(root, 'usr/lib/sockfilter/sockfilter');
  assert.match(execFileSync(installed, ['--version'], { encoding: 'utf8' }), /^sockfilter v/);
  run('-e', 'sockfilter');
  assert.ok(!existsSync(installed));
}

const cgroup2 = /^[^ ]+ ([^ ]+) cgroup2 /m.exec(readFileSync('/proc/self/mounts', 'utf8'))?.[1];
const work = mkdtempSync(join(tmpdir(), 'sockfilter-packages-'));
try {
  const release = values.release ?? build(join(work, 'release'));
  const deb = find(release, /\.deb$/);
  if (values.twice)
    await test('two builds are equal but for compiled code', () =>
      compareBuilds(release, build(join(work, 'again')), work));
  if (isThere('lintian'))
    await test('lintian finds no errors', () => {
      const { stdout } = spawnSync('lintian', ['--fail-on', 'error', deb], { encoding: 'utf8' });
      assert.doesNotMatch(stdout, /^E:/m);
    });
  else skip('lintian finds no errors', 'lintian is not installed');
  const rpm = isThere('rpm') ? find(release, /\.rpm$/) : undefined;
  if (!rpm) skip('the .rpm', 'rpm is not installed');
  const root = process.env.SOCKFILTER_PACKAGES_ROOT ?? join(work, 'debian');
  if (rpm && !isForeign)
    await test('the .rpm installs, verifies, runs and goes', () => tryRpm(rpm, work));
  if (process.getuid() !== 0 || !cgroup2) skip('what is installed', 'it needs root and cgroup2');
  else if (!makeRoot(root, values.arch))
    skip('what is installed', `no Debian of ${values.arch}: by debootstrap, and ${EMULATION}`);
  else if (isForeign)
    await inDebian(root, cgroup2, (place) => judgeForeign(root, { deb, rpm }, place));
  else {
    const before = makeBefore(deb, work);
    await inDebian(root, cgroup2, (place) => tryDeb(root, deb, before, place));
    if (rpm)
      await test('rules are in force by the .rpm too, and stay when it goes', () =>
        inDebian(root, cgroup2, (place) => enforceRpm(root, rpm, place)));
  }
} finally {
  rmSync(work, { recursive: true, force: true });
}
console.log(`${tally.passed} passed, ${tally.failed} failed, ${tally.skipped} skipped`);
if (tally.failed === 0) process.exitCode = 0;
