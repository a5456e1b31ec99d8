/**
 * A sign of life for people who wait while one long computation keeps the process busy: a thread of its
 * own writes to the terminal how long it has taken, once a second, on one line.
 */
import { writeSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { isTerminal } from '../terminal.js';

/** Places in the shared memory: whether the work is over, and whether anything was written. */
const OVER = 0;
const WRITTEN = 1;

const CLEAR_LINE = '\r\u001b[K';

/** What the thread runs; it has no other code, so that it starts at once. */
const TICKER = `
const { writeSync } = require('node:fs');
const { name, state } = require('node:worker_threads').workerData;
for (let seconds = 1; Atomics.wait(state, ${OVER}, 0, 1000) === 'timed-out'; seconds++) {
  Atomics.store(state, ${WRITTEN}, 1);
  try {
    writeSync(2, '${'\\r'}sockfilter: ' + name + ': ' + seconds + ' s${'\\u001b'}[K');
  } catch {}
}
`;

/** Does the work; on a terminal it says after a second, and then each second, that it goes on. */
export function whileWorking<T>(file: string, work: () => T): T {
  if (!isTerminal(2)) return work();
  const state = new Int32Array(new SharedArrayBuffer(8));
  // No control characters of a file's name on the terminal.
  const name = Array.from(file, (c) => (c < ' ' || c === '\x7f' ? '?' : c)).join('');
  const ticker = new Worker(TICKER, { eval: true, workerData: { name, state } });
  ticker.on('error', () => {}).unref();
  try {
    return work();
  } finally {
    Atomics.store(state, OVER, 1);
    Atomics.notify(state, OVER);
    if (Atomics.load(state, WRITTEN) === 1) writeSync(2, CLEAR_LINE);
  }
}
