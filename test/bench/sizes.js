/** Processor time and memory of commands by the number of rules and how they are laid out, beside peers in the same run. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { printPlot, printTable } from './figures.js';
import { isInstalled, withPlace } from './place.js';
import { iptablesRules, LAYOUTS, LISTS, nftMap } from './rules.js';

const SOCKFILTER = fileURLToPath(new URL('../../packages/cli/bin/sockfilter.cjs', import.meta.url));
const SIZES = [1000, 10_000, 100_000];
const LIST_SIZES = [1000, 4000, 16_000];

/** Says on standard error how much memory the process had at most, in MB. */
const PEAK =
  "process.on('exit', () => console.error('peak', process.resourceUsage().maxRSS >> 10))";

/** Seconds of user and system time of a whole command. Findings are no failure. */
function timed(words, input) {
  const { stderr, error } = spawnSync(
    'bash',
    ['-c', 'TIMEFORMAT=\'cpu %U %S\'; time "$@"', 'bash', ...words],
    { input, stdio: ['pipe', 'ignore', 'pipe'], encoding: 'utf8', maxBuffer: 1 << 28 },
  );
  const [, user, system] = /^cpu ([\d.]+) ([\d.]+)$/m.exec(stderr ?? '') ?? [];
  if (error || user === undefined) throw error ?? new Error(`${words.join(' ')}: ${stderr}`);
  const seconds = Number(user) + Number(system);
  return {
    seconds,
    memory: /^peak (\d+)$/m.exec(stderr)?.[1] ?? '',
    isRefused: /more than \d+ /.test(stderr),
  };
}

const cell = ({ seconds, memory, isRefused }) =>
  isRefused ? 'refused' : `${seconds.toFixed(2)} s${memory && ` ${memory} MB`}`;

/** What was measured of each command, by size, as a table and as a plot. */
function show(rows, sizes = SIZES) {
  printTable(
    ['command', ...sizes],
    rows.map(([name, ...each]) => [name, ...each.map(cell)]),
  );
  console.log('');
  printPlot(rows.map(([name, ...each]) => [name, ...each.map(({ seconds }) => seconds)]));
  console.log(`  load average ${loadavg()[0].toFixed(1)} on ${cpus().length} cores`);
}

export async function sizesBench() {
  const folder = mkdtempSync(join(tmpdir(), 'sockfilter-bench-'));
  const path = (name, text) => {
    const file = join(folder, name);
    writeFileSync(file, text);
    return file;
  };
  const peak = path('peak.cjs', PEAK);
  const node = (...words) => timed([process.execPath, '--require', peak, ...words]);
  const run = (...words) => node(SOCKFILTER, ...words);
  const rule = ['CONNECT', '-d', '10.99.0.1', '-p', 'tcp', '--dport', '80', '-j', 'DROP'];
  try {
    for (const [layout, rulesOf] of Object.entries(LAYOUTS)) {
      const files = SIZES.map((count) => path(`${layout}-${count}.rules`, rulesOf(count)));
      const others = SIZES.map((count) =>
        path(
          `${layout}-${count}-new.rules`,
          rulesOf(count).replace(/DROP\nCOMMIT/, 'REJECT\nCOMMIT'),
        ),
      );
      const expected = files.map((file) => {
        writeFileSync(
          file.replace(/rules$/, 'test.yaml'),
          'invariants:\n  - never: accept\n    in: { chain: CONNECT, remote: 192.168.0.0/16 }\n',
        );
        return file;
      });
      const commands = {
        'node -e 0': () => node('-e', '0'),
        'cat FILE': (n) => timed(['cat', files[n]]),
        save: (n) => run('--file', files[n], 'save'),
        '-C': (n) => run('--file', files[n], '-C', ...rule),
        explain: (n) =>
          run(
            '--file',
            files[n],
            'explain',
            'CONNECT',
            '--proto',
            'tcp',
            '--dst',
            '10.1.0.0:1000',
            '--group',
            '1',
          ),
        '-A': (n) => run('--file', others[n], '-A', ...rule),
        'restore --test': (n) => run('restore', '--test', files[n]),
        query: (n) => run('query', 'accept', files[n], '--remote', '10.1.0.0/24'),
        test: (n) => run('test', expected[n]),
        check: (n) => run('check', '--exit-zero', files[n]),
        diff: (n) => run('diff', files[n], others[n]),
        simplify: (n) => run('simplify', files[n]),
      };
      const rows = Object.entries(commands).map(([name, command]) => [
        name,
        ...SIZES.map((_, n) => command(n)),
      ]);
      console.log(`  ${layout}`);
      show(rows);
    }
    for (const [kind, rulesOf] of Object.entries(LISTS)) {
      const files = LIST_SIZES.map((count) => path(`${kind}-${count}.rules`, rulesOf(count)));
      const commands = {
        'restore --test': (file) => run('restore', '--test', file),
        check: (file) => run('check', '--exit-zero', file),
        '-A': (file) => run('--file', file, '-A', ...rule),
      };
      console.log(`  ${kind}`);
      show(
        Object.entries(commands).map(([name, command]) => [name, ...files.map(command)]),
        LIST_SIZES,
      );
    }
    await withPlace(({ root, netns }) => {
      const inside = ['ip', 'netns', 'exec', netns];
      const peers = {
        'sockfilter restore': (count) =>
          timed(
            [process.execPath, '--require', peak, SOCKFILTER, '--root', root, 'restore'],
            LAYOUTS.exact(count),
          ),
        'sockfilter -A': () => run('--root', root, '-A', ...rule),
        ...(isInstalled('iptables-legacy-restore') && {
          'iptables-legacy-restore': (count) =>
            timed([...inside, 'iptables-legacy-restore'], iptablesRules(count)),
          'the same of TCP': (count) =>
            timed([...inside, 'iptables-legacy-restore'], iptablesRules(count, 'tcp')),
        }),
        ...(isInstalled('nft') && {
          'nft -f, a map': (count) =>
            timed([...inside, 'nft', '-f', '/dev/stdin'], `flush ruleset\n${nftMap(count)}`),
        }),
      };
      const cells = new Map(Object.keys(peers).map((name) => [name, []]));
      for (const count of SIZES)
        for (const [name, command] of Object.entries(peers)) cells.get(name).push(command(count));
      run('--root', root, 'teardown');
      console.log('  in force, exact');
      show([...cells].map(([name, each]) => [name, ...each]));
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}
