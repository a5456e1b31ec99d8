/**
 * Reboots a Debian that has the package and its unit: ids and rules are back before there is a network, and what can't
 * be put in force leaves the machine closed.
 */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bootDisk, keptFolder } from './machine.js';
import { findDeb } from './release.js';

const SCRIPT = fileURLToPath(new URL('reboot.sh', import.meta.url));
const INCLUDED = 'systemd-sysv,iproute2';
const LIFE_MS = 900_000;

const unit = (lines) => `${lines.join('\n')}\n`;
const UNITS = {
  'witness.service': unit([
    '[Unit]',
    'DefaultDependencies=no',
    'After=network-pre.target',
    'Before=systemd-networkd.service network.target',
    '[Service]',
    'Type=oneshot',
    'Slice=web.slice',
    'ExecStart=/bin/bash /step witness',
  ]),
  'step.service': unit([
    '[Unit]',
    'After=network.target',
    '[Service]',
    'Type=oneshot',
    'TimeoutStartSec=infinity',
    'ExecStart=/bin/bash /step',
  ]),
};

/** The Debian, made once. */
function debian() {
  const folder = join(keptFolder('debian'), 'root');
  if (existsSync(join(folder, 'made'))) return folder;
  rmSync(folder, { recursive: true, force: true });
  const words = ['--variant=minbase', `--include=${INCLUDED}`, 'bookworm', folder];
  execFileSync('debootstrap', words, { stdio: ['ignore', 'ignore', 'inherit'] });
  mkdirSync(join(folder, 'made'));
  return folder;
}

/** The disk: the Debian with the package and the units of the test. */
function makeDisk(place, deb) {
  const root = join(place, 'root');
  execFileSync('cp', ['-a', debian(), root]);
  copyFileSync(deb, join(root, 'sockfilter.deb'));
  const { status, stderr } = spawnSync('chroot', [root, 'dpkg', '-i', '/sockfilter.deb'], {
    encoding: 'utf8',
    env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' },
  });
  assert.equal(status, 0, stderr);
  rmSync(join(root, 'sockfilter.deb'));
  copyFileSync(SCRIPT, join(root, 'step'));
  const units = join(root, 'etc/systemd/system');
  const wanted = join(units, 'multi-user.target.wants');
  mkdirSync(wanted, { recursive: true });
  for (const [name, text] of Object.entries(UNITS)) {
    writeFileSync(join(units, name), text);
    symlinkSync(join('..', name), join(wanted, name));
  }
  symlinkSync(
    '/lib/systemd/system/systemd-networkd.service',
    join(wanted, 'systemd-networkd.service'),
  );
  const disk = join(place, 'disk');
  execFileSync('mke2fs', ['-q', '-t', 'ext4', '-d', root, disk, '700m']);
  rmSync(root, { recursive: true });
  return disk;
}

/** One life of the machine; what it said. */
async function live(target, disk, cuts) {
  const words = ['root=/dev/vda', 'rw', 'systemd.mask=serial-getty@ttyS0.service'];
  const machine = await bootDisk(target, { disk, words, limitMs: LIFE_MS });
  const isUp = await machine.says(/^= up/m, LIFE_MS);
  if (!isUp || cuts) machine.cut();
  const said = await machine.end();
  assert.ok(isUp, `it is not up:\n${said.slice(-3000)}`);
  return said;
}

const callsOf = (said, who) =>
  Object.fromEntries(
    [...said.matchAll(new RegExp(`^= ${who} (\\S+) (\\w+)\\r?$`, 'gm'))].map(
      ([, address, what]) => [address, what],
    ),
  );
const savedOf = (said) =>
  [...said.matchAll(/^= saved (.*?)\r?$/gm)].map(([, line]) => line).join('\n');

const calls = (...what) =>
  Object.fromEntries(['10.8.0.1', '10.8.0.2', '127.0.0.1'].map((each, at) => [each, what[at]]));
const ALL = calls('allowed', 'allowed', 'allowed');

function checkFirst(said) {
  assert.deepEqual(callsOf(said, 'web'), ALL, 'nothing is in force at first');
  assert.match(savedOf(said), /-m cgroup --id \d+ -j REJECT --reject-with EACCES/);
}

function checkBefore(said) {
  const [, restored, network] = /^= times (\d+) (\d+)\r?$/m.exec(said) ?? [];
  assert.ok(Number(restored) > 0 && Number(restored) < Number(network), `${restored}, ${network}`);
}

function checkReboot(said, first) {
  assert.match(said, /^= unit active\r?$/m);
  checkBefore(said);
  assert.equal(savedOf(said), savedOf(first));
  assert.deepEqual(callsOf(said, 'web'), calls('refused', 'allowed', 'allowed'));
  assert.deepEqual(callsOf(said, 'machine'), ALL);
}

function checkDamaged(said, first) {
  assert.match(said, /^= unit failed\r?$/m);
  checkBefore(said);
  for (const who of ['web', 'machine'])
    assert.deepEqual(callsOf(said, who), calls('refused', 'refused', 'allowed'), who);
  assert.equal(savedOf(said), savedOf(first), 'the unit restores what was mended');
  assert.match(said, /^= status 0\r?$/m);
  assert.deepEqual(callsOf(said, 'repaired'), ALL);
}

/** Prints what was tried, and gives how many passed. */
export async function reboot(target, { release }) {
  const place = mkdtempSync(join(tmpdir(), 'sockfilter-reboot-'));
  const tally = { passed: 0, failed: 0 };
  const test = (name, body) => {
    try {
      body();
      tally.passed++;
      process.stdout.write(`ok      ${name}\n`);
    } catch (error) {
      tally.failed++;
      process.stdout.write(`FAILED  ${name}: ${error.message}\n`);
    }
  };
  try {
    const disk = makeDisk(place, findDeb(release, target.arch, place));
    const first = await live(target, disk, false);
    test('nothing is in force by itself, and the unit is installed', () => checkFirst(first));
    const second = await live(target, disk, true);
    test('after a reboot ids and rules are there before the network', () =>
      checkReboot(second, first));
    const third = await live(target, disk, false);
    test('after a power cut with a damaged file all is closed, and the mended file is restored', () =>
      checkDamaged(third, first));
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
  return tally;
}
