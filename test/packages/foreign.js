/** The packages of another architecture: installed by apt and by rpm in a Debian of it, and run by an emulator. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { copyFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { INSTALL } from './root.js';
import { test } from './tally.js';

const EXECUTABLE = '/usr/lib/sockfilter/sockfilter';
const RULES = String.raw`*socket\n:CONNECT DROP\n-A CONNECT -d 10.0.0.0/8 -j ACCEPT\nCOMMIT\n`;

/** The installed command, as far as an emulator gets that knows no bpf(2). */
async function judge(gives) {
  await gives('sockfilter --version', /^sockfilter v\d/);
  await gives(`printf '${RULES}' > /rules && sockfilter check /rules`, /^0 errors/m);
  const call = 'explain CONNECT --proto tcp --dst 10.1.2.3:443';
  await gives(`sockfilter --file /rules ${call}`, /^allowed by rule 1 of CONNECT$/m);
}

async function judgeRpm(root, rpm, { shell, gives }) {
  const run = (...words) => execFileSync('rpm', ['--root', root, ...words], { encoding: 'utf8' });
  run('--initdb');
  run('-i', '--nodeps', '--noscripts', '--ignorearch', rpm);
  try {
    assert.equal(run('-V', '--nodeps', 'sockfilter'), '');
    await judge(gives);
  } finally {
    run('-e', '--noscripts', 'sockfilter');
  }
  assert.notEqual((await shell.ask(`ls ${EXECUTABLE}`)).status, 0);
}

/** Tries both in the Debian at `root`; without `rpm` the first alone. */
export async function judgeForeign(root, { deb, rpm }, place) {
  const { shell, gives } = place;
  copyFileSync(deb, join(root, 'package.deb'));
  try {
    await test('apt installs the .deb, and it runs', async () => {
      const architecture = execFileSync('dpkg-deb', ['-f', deb, 'Architecture'], {
        encoding: 'utf8',
      });
      assert.equal(await gives('dpkg --print-architecture'), architecture);
      await gives(`${INSTALL} /package.deb`);
      await judge(gives);
      await gives('sockfilter restore --test /etc/sockfilter/socket.rules');
    });
    await test('removed, its files stay; purged, none', async () => {
      await gives('apt-get remove -y -q sockfilter && ls /etc/sockfilter/socket.rules');
      await gives('apt-get purge -y -q sockfilter');
      assert.notEqual((await shell.ask(`ls -d ${EXECUTABLE} /etc/sockfilter`)).status, 0);
    });
    if (rpm)
      await test('rpm installs the .rpm, it verifies, runs and goes', () =>
        judgeRpm(root, rpm, place));
  } finally {
    for (const file of ['package.deb', 'rules']) rmSync(join(root, file), { force: true });
  }
}
