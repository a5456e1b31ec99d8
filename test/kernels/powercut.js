/**
 * Cuts the power of a machine while commands change rules, ids and history, and looks at what its disk holds then, and
 * at what is in force when it is up again. What a command has acknowledged is there; what it was about to write is there
 * or not, and never half.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { checkBoot, checkDisk, numbers, readDisk, readKept } from './keptfiles.js';
import { BOOT_MS, LIFE, live, makeDisk } from './life.js';
import { random } from './random.js';

/** A cut comes after so many commands at most, then so late, or so many writes to the disk later. */
const COMMANDS = 5;
const SPAN_MS = 3000;
const WRITES = 16;

/** Waits until so many writes to the disk were seen. */
async function writes(disk, count, limitMs) {
  const until = Date.now() + limitMs;
  let [seen, last] = [0, statSync(disk).mtimeMs];
  while (seen < count && Date.now() < until) {
    await wait(1);
    const now = statSync(disk).mtimeMs;
    if (now !== last) seen++;
    last = now;
  }
}

/** `cuts` times; prints each, and gives how many were as they have to be. */
export async function cutPower(target, { cuts, seed }) {
  const place = mkdtempSync(join(tmpdir(), 'sockfilter-cut-'));
  const disk = makeDisk(place);
  const next = random(seed);
  process.stdout.write(`seed ${seed}\n`);
  let [before, failed] = [{ rules: undefined, all: [] }, 0];
  let state = { put: undefined, kept: undefined, begun: undefined };
  try {
    for (let cut = 0; cut <= cuts; cut++) {
      const from = cut * LIFE;
      const probed = [state.kept, state.put, state.begun];
      const { machine, isUp } = await live(target, { place, disk, from, probed });
      const [commands, byWrites, when] = [next(), next(), next()];
      if (isUp && cut < cuts) {
        const count = Math.floor(commands * COMMANDS);
        await machine.says(new RegExp(`(= (put|kept) [^]*){${count}}`), BOOT_MS);
        if (byWrites < 0.7) await writes(disk, 1 + Math.floor(when * WRITES), 4 * SPAN_MS);
        else await wait(when * SPAN_MS);
      }
      const { said } = machine;
      machine.cut();
      await machine.end();
      try {
        assert.ok(isUp, `it is not up after ${BOOT_MS} ms:\n${said.slice(-2000)}`);
        checkBoot(said, before.rules);
        // What is said after the last look was acknowledged as well.
        const put = numbers(machine.said, 'put').at(-1) ?? state.put;
        const kept = numbers(machine.said, 'kept').at(-1) ?? state.kept;
        const begun = from + numbers(machine.said, 'put').length;
        state = { put, kept, begun };
        const found = readDisk(disk, place);
        const booted = before.rules === undefined ? undefined : readKept(before.rules).n;
        checkDisk(found, { put, newest: [put, begun, booted], kept, saved: [kept, put] });
        const left = found.all.filter((name) => before.all.includes(name) && /\.tmp$/.test(name));
        if (numbers(machine.said, 'kept').length > 0)
          assert.deepEqual(left, [], 'litter of the life before');
        const litter = found.all.filter((name) => /lock|\.tmp$/.test(name));
        process.stdout.write(
          `ok      cut ${cut}: put ${put ?? '-'}, kept ${kept ?? '-'}, on the disk ${found.rules === undefined ? '-' : readKept(found.rules).n}${litter.length > 0 ? `; left: ${litter.join(' ')}` : ''}\n`,
        );
        before = found;
      } catch (error) {
        failed++;
        process.stdout.write(`FAILED  cut ${cut}: ${error.message}\n`);
        if (!isUp) break;
        before = readDisk(disk, place);
      }
    }
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
  return { passed: cuts + 1 - failed, failed };
}
