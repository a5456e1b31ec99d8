/**
 * Cuts the power of a machine while commands change rules, ids and history, and looks at what its disk holds then, and
 * at what is in force when it is up again. What a command has acknowledged is there; what it was about to write is there
 * or not, and never half.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { bootShared } from './machine.js';

const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url));
const SIZE = 48 * 1024 * 1024;
/** How many tables one life can put in force. */
const LIFE = 100;
const BOOT_MS = 240_000;
/** A cut comes after so many commands at most, then so late, or so many writes to the disk later. */
const COMMANDS = 5;
const SPAN_MS = 3000;
const WRITES = 16;

/** Numbers of [0, 1) from a seed: mulberry32. */
function random(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** What the table `n` alone refuses. */
const addressOf = (n) => `10.1.${n >> 8}.${n & 255}`;
/** What each refuses, and what is refused where none can be had. */
const ALWAYS = '10.200.0.1';

function tableText(n) {
  const filling = Array.from(
    { length: 40 },
    (_, at) => `-A CONNECT -d 10.2.${at}.0/24 -m comment --comment "table ${n}" -j ACCEPT`,
  );
  return [
    '*socket',
    ...['BIND', 'ACCEPT', 'CONNECT', 'SENDTO', 'RECVFROM'].map((name) => `:${name} ACCEPT [0:0]`),
    `-A CONNECT -d ${ALWAYS}/32 -j REJECT --reject-with EACCES`,
    `-A CONNECT -d ${addressOf(n)}/32 -j REJECT --reject-with EACCES`,
    // An id that is given out.
    `-A BIND -d 10.3.0.1/32 -m cgroup --path /app${n} -j DROP`,
    ...filling,
    'COMMIT',
    '',
  ].join('\n');
}

/** What a kept text says of itself: its table, and whether it is whole. */
function readKept(text) {
  const [line, label, hash] = /^# revision: t?(\w+) sha256:([0-9a-f]{64})\n/.exec(text) ?? [];
  if (line === undefined) return undefined;
  const body = text.slice(line.length);
  const isWhole = createHash('sha256').update(body).digest('hex') === hash;
  const ids = [...body.matchAll(/^-G .*--id (\d+)/gm)].map(([, id]) => Number(id));
  return { n: label === 'closed' ? undefined : Number(label), isWhole, body, ids };
}

/** The files of the disk as the next boot finds them, in a folder. */
function readDisk(disk, folder) {
  const image = join(folder, 'image');
  const files = join(folder, 'files');
  execFileSync('cp', ['--sparse=always', disk, image]);
  // The journal is replayed; 1 says that this was something to do.
  try {
    execFileSync('e2fsck', ['-p', image], { stdio: 'ignore' });
  } catch (error) {
    if (error.status !== 1) throw error;
  }
  rmSync(files, { recursive: true, force: true });
  mkdirSync(files);
  execFileSync('debugfs', ['-R', `rdump / ${files}`, image], { stdio: 'ignore' });
  const read = (path) => (existsSync(path) ? readFileSync(path, 'utf8') : undefined);
  const history = join(files, 'state/history/-');
  const names = existsSync(history) ? readdirSync(history).sort() : [];
  return {
    rules: read(join(files, 'etc/rules')),
    highest: read(join(files, 'state/highest-id')),
    history: names
      .filter((name) => !name.startsWith('.'))
      .map((name) => ({ name, text: read(join(history, name)) })),
    all: execFileSync('find', [files, '-type', 'f', '-printf', '%P\n'], { encoding: 'utf8' })
      .split('\n')
      .filter((name) => name !== ''),
  };
}

/** Every entry is whole; the last table put in force has one, and the newest is one of `newest`. */
function checkHistory({ history }, put, newest) {
  const tables = history.map(({ name, text }) => {
    const [, hash] = /^\d{8}-([0-9a-f]{16})-\d+\.rules$/.exec(name) ?? [];
    assert.ok(hash, `${name} is no entry`);
    const kept = text.replace(/^(# (when|who|command): .*\n)*/, '');
    const { n, isWhole, body } = readKept(kept) ?? {};
    assert.ok(isWhole, `${name} is not whole: ${JSON.stringify(text.slice(0, 200))}`);
    assert.ok(createHash('sha256').update(body).digest('hex').startsWith(hash), name);
    return n;
  });
  if (put === undefined) return;
  assert.ok(tables.includes(put), `the history has no table ${put}, which was put in force`);
  assert.ok(newest.includes(tables.at(-1)), `the history ends with ${tables.at(-1)}`);
}

/** Throws where the disk holds neither the old nor the new. */
function checkDisk(found, { put, kept, begun, booted }) {
  checkHistory(found, put, [put, begun, booted]);
  if (kept === undefined && found.rules === undefined) return;
  assert.ok(found.rules !== undefined, `the rules of table ${kept} are gone`);
  const { n, isWhole, ids } = readKept(found.rules) ?? {};
  assert.ok(isWhole, `the rules are not whole: ${JSON.stringify(found.rules.slice(0, 200))}`);
  assert.ok(
    [kept, put].includes(n),
    `the rules are of table ${n}: ${kept} was kept, then ${put} put`,
  );
  assert.ok(Number(found.highest) >= Math.max(...ids), `highest-id is ${found.highest}`);
}

const numbers = (said, word) =>
  [...said.matchAll(new RegExp(`^= ${word} (\\d+)\\r?$`, 'gm'))].map(([, n]) => Number(n));

/** Throws where the boot has not put in force what the disk held, or lets a call pass that every table refuses. */
function checkBoot(said, rules) {
  const calls = new Map(
    [...said.matchAll(/^= call (\S+) (\w+)\r?$/gm)].map(([, address, what]) => [address, what]),
  );
  assert.equal(calls.get(ALWAYS), 'refused');
  assert.equal(calls.get('127.0.0.1'), 'allowed');
  const inForce = rules === undefined ? undefined : readKept(rules).n;
  for (const [address, what] of calls) {
    if (!address.startsWith('10.1.')) continue;
    const refuses = inForce === undefined || address === addressOf(inForce);
    assert.equal(what, refuses ? 'refused' : 'allowed', `${address}, table ${inForce}`);
  }
  if (inForce !== undefined) {
    assert.match(said, /^= restore 0\r?$/m);
    assert.match(said, /^= in force: the file\r?$/m);
  } else assert.doesNotMatch(said, /^= restore 0\r?$/m);
}

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
  const disk = join(place, 'disk');
  const tables = join(place, 'tables');
  mkdirSync(tables);
  execFileSync('mke2fs', ['-q', '-t', 'ext4', disk, `${SIZE / 1024}k`]);
  const next = random(seed);
  process.stdout.write(`seed ${seed}\n`);
  let [before, failed] = [{ rules: undefined, all: [] }, 0];
  let state = { put: undefined, kept: undefined, begun: undefined };
  try {
    for (let cut = 0; cut <= cuts; cut++) {
      const from = cut * LIFE;
      for (let n = from; n < from + LIFE; n++)
        writeFileSync(join(tables, `${n}.rules`), tableText(n));
      const probes = [state.kept, state.put, state.begun]
        .filter((n) => n !== undefined)
        .map(addressOf);
      const environment = `DISK=/run/disk TABLES=${tables} FROM=${from} PROBES='${probes.join(' ')}'`;
      const command = `cd '${REPOSITORY}'; ${environment} bash test/kernels/powercut.sh`;
      const machine = await bootShared(target, {
        command,
        disk,
        folders: [tables],
        limitMs: BOOT_MS,
      });
      const isUp = await machine.says(/^= up/m, BOOT_MS);
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
        checkDisk(found, { ...state, booted });
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
