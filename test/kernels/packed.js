/**
 * Runs what a .deb installs on a machine of its architecture: unpacked, not by apt, as there is no Debian of another
 * architecture at hand that is configured.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bootShared } from './machine.js';
import { findDeb } from './release.js';

const SCRIPT = fileURLToPath(new URL('packed.sh', import.meta.url));
const LIMIT_MS = 600_000;

const EXPECTED = [
  /^= version sockfilter v\d/m,
  /^enforcement +works /m,
  /^= doctor 0\r?$/m,
  /^= before 10\.8\.0\.1 allowed\r?$/m,
  /^= edit 0\r?$/m,
  /^= after 10\.8\.0\.1 refused\r?$/m,
  /^= after 10\.8\.0\.2 allowed\r?$/m,
  /^= restore 0\r?$/m,
  /^= status 0\r?$/m,
  /^= down 10\.8\.0\.1 allowed\r?$/m,
];

/** Prints what it said, and gives how many of the things expected were so. */
export async function tryPacked(target, { release }) {
  const place = mkdtempSync(join(tmpdir(), 'sockfilter-packed-'));
  try {
    const deb = findDeb(release, target.arch, place);
    const folder = join(place, 'unpacked');
    execFileSync('dpkg-deb', ['-x', deb, folder]);
    const command = `FOLDER='${folder}' bash '${SCRIPT}'`;
    const machine = await bootShared(target, { command, folders: [folder], limitMs: LIMIT_MS });
    const said = await machine.end();
    process.stdout.write(said.replace(/\r/g, ''));
    const missing = EXPECTED.filter((pattern) => !pattern.test(said));
    for (const pattern of missing) process.stdout.write(`FAILED  it does not say ${pattern}\n`);
    return { passed: EXPECTED.length - missing.length, failed: missing.length };
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}
