/** CPU time of calls in a control group without any policy, and in one with, in pairs. */
import { mkdirSync } from 'node:fs';
import { enforce, startCaller, teardown } from './calls.js';
import { median, printTable } from './figures.js';
import { removeFolder, withPlace } from './place.js';

const PAIRS = 40;
const CALLS = 5_000;

async function comparePairs(floor, policed, kind) {
  const floors = [];
  const added = [];
  for (let pair = 0; pair < PAIRS; pair++) {
    const order = pair % 2 === 0 ? [floor, policed] : [policed, floor];
    const times = new Map();
    for (const caller of order) times.set(caller, await caller.time(kind, CALLS, 'cpu'));
    floors.push(times.get(floor));
    added.push(times.get(policed) - times.get(floor));
  }
  const sorted = added.toSorted((a, b) => a - b);
  const quarter = (part) => Math.round(sorted[Math.floor(part * (PAIRS - 1))]);
  return [
    Math.round(median(floors)),
    Math.round(median(added)),
    `${quarter(0.25)}..${quarter(0.75)}`,
  ];
}

/** Prints what calls of each kind cost more under each of the tables, by name: `{ rules, kinds }`. */
export async function pairsBench(tables) {
  await withPlace(async ({ root, directory, netns }) => {
    const groups = ['floor', 'policed'].map((name) => `${directory}/${name}`);
    for (const group of groups) mkdirSync(group);
    const policed = `${root}/policed`;
    const callers = groups.map((group) => startCaller({ directory: group, netns }));
    try {
      const rows = [];
      for (const [name, { rules, kinds }] of Object.entries(tables)) {
        if (rules !== undefined) enforce(policed, `*socket\n${rules}COMMIT\n`);
        for (const kind of kinds)
          rows.push([name, kind, ...(await comparePairs(...callers, kind))]);
        if (rules !== undefined) teardown(policed);
      }
      printTable(['table', 'call', 'floor ns', 'added ns', 'middle half'], rows);
    } finally {
      for (const caller of callers) await caller.stop();
      for (const group of groups) await removeFolder(group);
    }
  });
}
