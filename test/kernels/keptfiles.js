/** What survives a machine of `powercut.sh`: tables of a number each, in the rules, in the history, and in force. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/** What the table `n` alone refuses. */
export const addressOf = (n) => `10.1.${n >> 8}.${n & 255}`;
/** What each refuses, and what is refused where none can be had. */
const ALWAYS = '10.200.0.1';

export function tableText(n) {
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
export function readKept(text) {
  const [line, label, hash] = /^# revision: t?(\w+) sha256:([0-9a-f]{64})\n/.exec(text) ?? [];
  if (line === undefined) return undefined;
  const body = text.slice(line.length);
  const isWhole = createHash('sha256').update(body).digest('hex') === hash;
  const ids = [...body.matchAll(/^-G .*--id (\d+)/gm)].map(([, id]) => Number(id));
  return { n: label === 'closed' ? undefined : Number(label), isWhole, body, ids };
}

/** The files of the disk as the next boot finds them, in a folder. */
export function readDisk(disk, folder) {
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

/**
 * Throws where the disk holds neither the old nor the new: `put` is the last table that was put in force, `newest` are those
 * that the history may end with, `kept` is the last that was saved, and `saved` are those that the rules may be of.
 */
export function checkDisk(found, { put, newest, kept, saved }) {
  checkHistory(found, put, newest);
  if (kept === undefined && found.rules === undefined) return;
  assert.ok(found.rules !== undefined, `the rules of table ${kept} are gone`);
  const { n, isWhole, ids } = readKept(found.rules) ?? {};
  assert.ok(isWhole, `the rules are not whole: ${JSON.stringify(found.rules.slice(0, 200))}`);
  assert.ok(saved.includes(n), `the rules are of table ${n}: ${kept} was kept, then ${put} put`);
  assert.ok(Number(found.highest) >= Math.max(...ids), `highest-id is ${found.highest}`);
}

export const numbers = (said, word) =>
  [...said.matchAll(new RegExp(`^= ${word} (\\d+)\\r?$`, 'gm'))].map(([, n]) => Number(n));

/** Throws where the boot has not put in force what the disk held, or lets a call pass that every table refuses. */
export function checkBoot(said, rules) {
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
