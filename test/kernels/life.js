/** A machine that has a disk of its own for rules, ids and history, which it changes without end; see powercut.sh. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { addressOf, tableText } from './keptfiles.js';
import { bootShared } from './machine.js';

const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url));
const KIBIBYTES = 48 * 1024;
/** How many tables one life can put in force. */
export const LIFE = 100;
export const BOOT_MS = 240_000;

/** An empty disk. */
export function makeDisk(place) {
  const disk = join(place, 'disk');
  execFileSync('mke2fs', ['-q', '-t', 'ext4', disk, `${KIBIBYTES}k`]);
  return disk;
}

/**
 * Boots it, and waits until it is up: from there on it puts the tables in force from number `from` on. Before that it calls
 * what each of the `probed` tables refuses. What it writes to the disk is logged if `log` names a file.
 */
export async function live(target, { place, disk, log, from, probed }) {
  const tables = join(place, 'tables');
  mkdirSync(tables, { recursive: true });
  for (let n = from; n < from + LIFE; n++) writeFileSync(join(tables, `${n}.rules`), tableText(n));
  const probes = probed.filter((n) => n !== undefined).map(addressOf);
  const environment = `DISK=/run/disk TABLES=${tables} FROM=${from} PROBES='${probes.join(' ')}'`;
  const command = `cd '${REPOSITORY}'; ${environment} bash test/kernels/powercut.sh`;
  const folders = [tables];
  const machine = await bootShared(target, { command, disk, log, folders, limitMs: BOOT_MS });
  return { machine, isUp: await machine.says(/^= up/m, BOOT_MS) };
}
