/**
 * What a disk may lose when the power goes. All that a machine writes to its disk while commands change rules, ids and history
 * is logged, and disks are made from it that have what was flushed by a moment, and any part of what was written since. On
 * each is, whole, what a command had acknowledged by then, or something later; and what a boot makes of it is in force.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { readLog, replay } from './disklog.js';
import { checkBoot, checkDisk, numbers, readDisk, readKept } from './keptfiles.js';
import { BOOT_MS, live, makeDisk } from './life.js';
import { random } from './random.js';

/** How many tables are put in force and kept while it is logged. */
const TABLES = 8;
/** How many of the disks are booted. */
const BOOTS = 3;
/** How much of what was not flushed is there: nothing, all, or about so much of it. */
const SHARES = [0, 1, 0.1, 0.5, 0.9];

const copy = (from, to) => execFileSync('cp', ['--sparse=always', from, to]);

/** What was acknowledged when the log was so long: at the latest then, for it is seen a little later. */
async function watch(machine, log) {
  const seen = [];
  const until = Date.now() + BOOT_MS;
  const count = (word) => numbers(machine.said, word).length;
  while (machine.isRunning && count('kept') < TABLES && Date.now() < until) {
    const [put, kept] = [numbers(machine.said, 'put').at(-1), numbers(machine.said, 'kept').at(-1)];
    const last = seen.at(-1);
    if (put !== last?.put || kept !== last?.kept) seen.push({ put, kept, by: statSync(log).size });
    await wait(5);
  }
  return seen;
}

/** From one number to the other. */
const range = (from, to) => Array.from({ length: to - from + 1 }, (_, n) => from + n);

/** Throws where a disk lacks what was acknowledged when the log ended there. */
function checkLosses(found, seen, end) {
  const { put, kept } = seen.findLast(({ by }) => by <= end) ?? {};
  const later = (n) => range(n ?? 0, TABLES);
  if (kept === undefined && put === undefined && found.rules === undefined) return;
  checkDisk(found, { put, newest: later(put), kept, saved: later(kept) });
}

/** The machine's life: the disk before it, what was written, and what it acknowledged. */
async function record(target, place) {
  const disk = makeDisk(place);
  const before = join(place, 'before');
  copy(disk, before);
  const log = join(place, 'log');
  const { machine, isUp } = await live(target, { place, disk, log, from: 0, probed: [] });
  const seen = isUp ? await watch(machine, log) : [];
  machine.cut();
  await machine.end();
  assert.ok(isUp, `it is not up after ${BOOT_MS} ms:\n${machine.said.slice(-2000)}`);
  return { before, entries: readLog(log), seen };
}

/** `times` disks; prints what they came to, and gives how many were as they have to be. */
export async function loseWrites(target, { times, seed }) {
  const place = mkdtempSync(join(tmpdir(), 'sockfilter-lost-'));
  const next = random(seed);
  process.stdout.write(`seed ${seed}\n`);
  const tally = { passed: 0, failed: 0 };
  let lost = 0;
  const attempt = async (name, body) => {
    try {
      await body();
      tally.passed++;
    } catch (error) {
      tally.failed++;
      process.stdout.write(`FAILED  ${name}: ${error.message}\n`);
    }
  };
  try {
    const { before, entries, seen } = await record(target, place);
    const flushes = entries.filter(({ isFlush }) => isFlush).length;
    const { kept } = seen.at(-1) ?? {};
    process.stdout.write(
      `${entries.length} writes and flushes, ${flushes} of them flushes; kept ${kept ?? '-'}\n`,
    );
    for (let n = 0; n < times; n++) {
      const disk = join(place, 'lost');
      const count = Math.floor(next() * (entries.length + 1));
      const share = SHARES[Math.floor(next() * SHARES.length)];
      const name = `disk ${n}, after ${count}`;
      await attempt(name, async () => {
        copy(before, disk);
        lost += replay(disk, entries, count, () => next() < share);
        const found = readDisk(disk, place);
        checkLosses(found, seen, count === 0 ? 0 : entries[count - 1].end);
        if (n < times - BOOTS) return;
        const n0 = found.rules === undefined ? undefined : readKept(found.rules).n;
        const probed = [n0, TABLES + 1];
        const { machine, isUp } = await live(target, { place, disk, from: TABLES + 1, probed });
        machine.cut();
        await machine.end();
        assert.ok(isUp, `it is not up after ${BOOT_MS} ms:\n${machine.said.slice(-2000)}`);
        checkBoot(machine.said, found.rules);
        process.stdout.write(`ok      ${name}: table ${n0 ?? '-'} is in force after a boot\n`);
      });
    }
    process.stdout.write(`${lost} blocks lost on ${times} disks\n`);
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
  return tally;
}
