/** What events cost the calls that they tell of, how soon they are seen, and what becomes of a storm of them. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { EventReader } from '@sockfilter/events';
import { EventSource } from '@sockfilter/kernel';
import { enforce, startCaller, teardown } from './calls.js';
import { median, printTable } from './figures.js';
import { withPlace } from './place.js';

const PROGRAM = fileURLToPath(new URL('../../packages/cli/bin/sockfilter.cjs', import.meta.url));
const PAIRS = 40;
const CALLS = 20_000;
/** Calls of a storm that is counted, and of one that is printed. */
const STORM = 400_000;
const PRINTED = 60_000;
const SIGHTINGS = 41;

/** The caller asks for 10.9.9.1; either way a rule of the chain can refuse. */
const REFUSED = '*socket\n-A CONNECT -d 10.9.9.1/32 -j DROP\nCOMMIT\n';
const ALLOWED = '*socket\n-A CONNECT -d 10.9.9.9/32 -j DROP\nCOMMIT\n';

/** A reader of refusals in this process, which counts. */
class Ear {
  constructor(root) {
    this.source = EventSource.open(root);
    this.reader = new EventReader(this.source.events, this.source.slot.slot, this.source.cpus);
    this.events = 0;
    this.lost = 0;
    this.done = this.#listen();
    this.source.slot.announce({ passed: false });
  }

  async #listen() {
    for await (const { events, lost } of this.reader.batches()) {
      this.events += events.length;
      this.lost += lost;
    }
  }

  async close() {
    // What has been written is read within two looks.
    await new Promise((resolve) => setTimeout(resolve, 100));
    this.reader.end();
    await this.done;
    this.source.slot.close();
    this.reader.close();
    this.source.close();
  }
}

/** The CPU time of calls without a reader and with one, the order by turns. */
async function pairs(caller, root, text) {
  enforce(root, text);
  const [without, added, ratios] = [[], [], []];
  const silent = () => caller.time('connect', CALLS, 'cpu');
  const heard = async () => {
    const ear = new Ear(root);
    const time = await caller.time('connect', CALLS, 'cpu');
    await ear.close();
    return time;
  };
  await silent();
  for (let n = 0; n < PAIRS; n++) {
    let [a, b] = [0, 0];
    if (n % 2 === 0) {
      a = await silent();
      b = await heard();
    } else {
      b = await heard();
      a = await silent();
    }
    without.push(a);
    added.push(b - a);
    ratios.push(b / a);
  }
  return [median(without), median(added)].map(Math.round).concat(median(ratios).toFixed(3), PAIRS);
}

function startMonitor(root, words, stdout) {
  return spawn(process.execPath, [PROGRAM, '--root', root, 'monitor', '--refused', ...words], {
    stdio: ['ignore', stdout, 'inherit'],
  });
}

/** Waits until a call is told of. */
async function settle(caller, child) {
  let isHeard = false;
  child.stdout.once('data', () => {
    isHeard = true;
  });
  while (!isHeard) {
    await caller.time('connect', 1);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  await new Promise((resolve) => setTimeout(resolve, 300));
}

async function sighting(caller, root) {
  const child = startMonitor(root, [], 'pipe');
  await settle(caller, child);
  const times = [];
  for (let n = 0; n < SIGHTINGS; n++) {
    const start = performance.now();
    const line = once(child.stdout, 'data');
    await caller.time('connect', 1);
    await line;
    times.push(performance.now() - start);
    await new Promise((resolve) => setTimeout(resolve, 60));
  }
  child.kill('SIGINT');
  await once(child, 'exit');
  return times;
}

/** A storm that a reader counts: all are written, or told as lost. */
async function written(caller, root) {
  const ear = new Ear(root);
  const start = performance.now();
  await caller.time('connect', STORM);
  const seconds = (performance.now() - start) / 1000;
  await ear.close();
  return { rate: STORM / seconds, read: ear.events, lost: ear.lost };
}

/** A storm that `monitor --json` prints. */
async function printed(caller, root) {
  const child = startMonitor(root, ['--json'], 'pipe');
  await settle(caller, child);
  let [text, count, lost, last] = ['', 0, 0, 0];
  child.stdout.on('data', (piece) => {
    const lines = `${text}${piece}`.split('\n');
    text = lines.pop();
    for (const line of lines) {
      if (line.includes('"kind":"lost"')) lost += JSON.parse(line).count;
      else count++;
    }
    last = performance.now();
  });
  const start = performance.now();
  await caller.time('connect', PRINTED);
  while (performance.now() - last < 1500) await new Promise((resolve) => setTimeout(resolve, 100));
  child.kill('SIGINT');
  await once(child, 'exit');
  return { rate: count / ((last - start) / 1000), printed: count, lost };
}

export async function eventsBench() {
  await withPlace(async (place) => {
    const caller = startCaller(place);
    try {
      const rows = [];
      for (const [name, text] of Object.entries({ allowed: ALLOWED, refused: REFUSED }))
        rows.push([name, ...(await pairs(caller, place.root, text))]);
      printTable(['call', 'no reader ns', 'one reader ns more', 'ratio', 'pairs'], rows);
      const times = await sighting(caller, place.root);
      const most = Math.max(...times).toFixed(1);
      console.log(
        `  from call to line: ${median(times).toFixed(1)} ms, ${most} at most, of ${times.length}`,
      );
      const storm = await written(caller, place.root);
      const left = STORM - storm.read - storm.lost;
      console.log(
        `  written: ${Math.round(storm.rate)}/s of ${STORM}; read ${storm.read}, told as lost ${storm.lost}, unaccounted ${left}`,
      );
      const shown = await printed(caller, place.root);
      const unseen = PRINTED - shown.printed - shown.lost;
      console.log(
        `  printed: ${Math.round(shown.rate)}/s; ${shown.printed} lines, told as lost ${shown.lost}, unaccounted ${unseen}`,
      );
    } finally {
      await caller.stop();
      teardown(place.root);
    }
  });
}
