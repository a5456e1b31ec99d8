/**
 * What a connect(2) costs more with 100,000 exact rules in force, to one peer and to all of them by turns at random, of
 * IPv4 and IPv6, by one caller and by eight at once; beside a program that looks the peer up in one hash map and does
 * no more.
 */
import { mkdirSync } from 'node:fs';
import {
  addImm,
  attachCgroup,
  callHelper,
  close,
  createMap,
  exit,
  load,
  loadMap,
  loadProgram,
  mov,
  movImm,
  openDirectory,
  R0,
  R1,
  R2,
  R6,
  R10,
  store,
  update,
} from '@sockfilter/bpf';
import { enforce, startCaller, teardown } from './calls.js';
import { median, printTable } from './figures.js';
import { removeFolder, run, withPlace } from './place.js';
import { acceptingRules, peers } from './rules.js';

const RULES = 100_000;
const ROUNDS = 8;
const CALLS = 10_000;
const TOGETHER = 8;

/** Where struct bpf_sock_addr has the address that a call names, in words of 4 bytes, and the port. */
const NAMED = { 4: { words: [4], port: 24 }, 6: { words: [8, 12, 16, 20], port: 24 } };

/** Looks up in a map of all peers whom calls in the control group name, until it is stopped. */
function attachLookUp(directory, family) {
  const { words, port } = NAMED[family];
  const keySize = 4 * words.length + 4;
  const map = createMap({
    type: 'hash',
    name: 'sf_bench',
    keySize,
    valueSize: 8,
    maxEntries: 2 * RULES,
  });
  const key = new Uint8Array(keySize);
  for (const peer of peers(RULES, family)) {
    key.set(peer.bytes, 0);
    key.set([peer.port >> 8, peer.port & 255], keySize - 4);
    update(map, key, new Uint8Array(8));
  }
  const put = (from, to) => [load(4, R1, R6, from), store(4, R10, to - keySize, R1)];
  const items = [
    mov(R6, R1),
    ...words.flatMap((word, n) => put(word, 4 * n)),
    ...put(port, keySize - 4),
    loadMap(R1, 'peers'),
    mov(R2, R10),
    addImm(R2, -keySize),
    callHelper('map_lookup_elem'),
    movImm(R0, 1),
    exit(),
  ];
  const attach = `inet${family}_connect`;
  const spec = { name: 'sf_bench', type: 'cgroup_sock_addr', expectedAttachType: attach };
  const program = loadProgram({ ...spec, license: 'GPL', items }, { peers: map });
  const group = openDirectory(directory);
  const link = attachCgroup(program, group, attach);
  return () => {
    for (const fd of [link, group, program, map]) close(fd);
  };
}

/** Starts so many callers in the place's group. */
const startCallers = (place, count) => Array.from({ length: count }, () => startCaller(place));

/** The ns of CPU time that a call of each takes, all at once. */
const timeAll = (callers, kind) =>
  Promise.all(callers.map((caller) => caller.time(kind, CALLS, 'cpu')));

/** Rows of what calls take in each of the groups, which come by turns: the first is the floor of the others. */
async function compare(groups, netns, kind, count) {
  const callers = groups.map(({ directory }) => startCallers({ directory, netns }, count));
  try {
    for (const each of callers) await timeAll(each, kind);
    const times = groups.map(() => []);
    for (let round = 0; round < ROUNDS; round++) {
      const order = groups.map((_, n) => (n + round) % groups.length);
      for (const n of order) times[n].push(...(await timeAll(callers[n], kind)));
    }
    const [floor, ...others] = times.map(median);
    const added = others.map((time) => Math.round(time - floor));
    const [look, rules] = added;
    return [kind, count, Math.round(floor), ...added, (rules / look).toFixed(2)];
  } finally {
    for (const caller of callers.flat()) await caller.stop();
  }
}

export async function keysBench() {
  await withPlace(async ({ root, directory, netns }) => {
    run('ip', ['-n', netns, 'route', 'add', 'local', '10.0.0.0/8', 'dev', 'lo']);
    run('ip', ['-n', netns, 'route', 'add', 'local', 'fd00::/64', 'dev', 'lo']);
    const groups = ['floor', 'hash', 'policed'].map((name) => ({
      directory: `${directory}/${name}`,
    }));
    for (const group of groups) mkdirSync(group.directory);
    const rows = [];
    try {
      for (const family of [4, 6]) {
        const stop = attachLookUp(groups[1].directory, family);
        enforce(`${root}/policed`, acceptingRules(RULES, family));
        try {
          for (const kind of [`one of IPv${family}`, `any of IPv${family}`])
            for (const count of [1, TOGETHER]) rows.push(await compare(groups, netns, kind, count));
        } finally {
          teardown(`${root}/policed`);
          stop();
        }
      }
    } finally {
      for (const group of groups) await removeFolder(group.directory);
    }
    printTable(['peers', 'callers', 'floor ns', 'look-up adds', 'rules add', 'ratio'], rows);
  });
}
