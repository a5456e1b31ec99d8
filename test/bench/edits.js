/** What an edit of one rule costs in a large table, beside the same command in one of ten rules. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { median, printTable } from './figures.js';
import { run, withPlace } from './place.js';
import { LAYOUTS } from './rules.js';

const SOCKFILTER = fileURLToPath(new URL('../../packages/cli/bin/sockfilter.cjs', import.meta.url));
const SIZES = [10, 10_000, 100_000];
const ROUNDS = 5;

/** Seconds of user and system time of the whole command. */
function cpuSeconds(words) {
  const { stderr, status } = spawnSync(
    'bash',
    ['-c', 'TIMEFORMAT=\'cpu %U %S\'; time "$@"', 'bash', process.execPath, SOCKFILTER, ...words],
    { encoding: 'utf8' },
  );
  const [, user, system] = /^cpu ([\d.]+) ([\d.]+)$/m.exec(stderr) ?? [];
  if (status !== 0 || user === undefined) throw new Error(`${words.join(' ')}: ${stderr}`);
  return Number(user) + Number(system);
}

/** A peer that no rule of the layouts names alone, among those that they do. */
const ruleOf = (layout, verdict) => [
  ...['-d', '10.3.7.8', '-p', 'tcp', '--dport', '80'],
  ...(layout === 'group first' ? ['-m', 'cgroup', '--id', '7'] : []),
  ...['-j', verdict],
];

/** Edits that leave the table as it was, one after the other. */
function editsOf(layout, size) {
  const middle = String(Math.max(1, size / 2));
  const rule = ruleOf(layout, 'ACCEPT');
  return {
    '-A': ['-A', 'CONNECT', ...rule],
    '-D, of the rule': ['-D', 'CONNECT', ...rule],
    '-I in the middle': ['-I', 'CONNECT', middle, ...rule],
    '-R in the middle': ['-R', 'CONNECT', middle, ...ruleOf(layout, 'DROP')],
    '-D in the middle': ['-D', 'CONNECT', middle],
  };
}

export async function editsBench() {
  await withPlace(({ root }) => {
    for (const [layout, rulesOf] of Object.entries(LAYOUTS)) {
      const times = new Map();
      for (const size of SIZES) {
        // Their paths lie elsewhere.
        const rules = rulesOf(size).replace(/^-G .*\n/gm, '');
        run(process.execPath, [SOCKFILTER, '--root', root, 'restore'], rules);
        const edits = Object.entries(editsOf(layout, size));
        for (let round = 0; round < ROUNDS; round++)
          for (const [name, words] of edits) {
            const of = times.get(name) ?? SIZES.map(() => []);
            of[SIZES.indexOf(size)].push(cpuSeconds(['--root', root, ...words]));
            times.set(name, of);
          }
      }
      run(process.execPath, [SOCKFILTER, '--root', root, 'teardown']);
      console.log(`  ${layout}`);
      const rows = [...times].map(([name, of]) => {
        const [few = 0, ...many] = of.map(median);
        return [
          name,
          few.toFixed(2),
          ...many.map((seconds) => `${seconds.toFixed(2)} (${(seconds / few).toFixed(1)})`),
        ];
      });
      printTable(['edit, CPU s', ...SIZES.map((size) => `${size} rules`)], rows);
    }
  });
}
