/** Whole commands, process start included. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { median, printTable } from './figures.js';
import { isInstalled, run, withPlace } from './place.js';
import { groupedRules, iptablesRules, nftMap, sockfilterRules } from './rules.js';

const SOCKFILTER = fileURLToPath(new URL('../../packages/cli/bin/sockfilter.cjs', import.meta.url));
const sockfilter = (...words) => [process.execPath, SOCKFILTER, ...words];

/** Milliseconds of a whole command, and of the floor by turns with it: medians. */
function timeBoth(floor, words, rounds, input) {
  const time = ([command, ...args]) => {
    const start = performance.now();
    run(command, args, input);
    return performance.now() - start;
  };
  const floors = [];
  const times = [];
  for (let round = 0; round < rounds; round++) {
    floors.push(time(floor));
    times.push(time(words));
  }
  return [median(floors), median(times)];
}

function row(name, [floor, time]) {
  return [name, floor.toFixed(0), time.toFixed(0), (time / floor).toFixed(2)];
}

export function startupBench() {
  const folder = mkdtempSync(join(tmpdir(), 'sockfilter-bench-'));
  try {
    const file = join(folder, 'web.rules');
    writeFileSync(file, groupedRules(100, 10));
    const node = [process.execPath, '-e', '0'];
    const commands = {
      'sockfilter --version': sockfilter('--version'),
      'sockfilter --file F -S (100 rules)': sockfilter('--file', file, '-S'),
      'sockfilter --file F -C': sockfilter(
        '--file',
        file,
        '-C',
        'BIND',
        '-d',
        '10.1.0.0',
        '-p',
        'tcp',
        '--dport',
        '1000',
        '-m',
        'cgroup',
        '--id',
        '1',
        '-j',
        'DROP',
      ),
      'sockfilter --help': sockfilter('--help'),
    };
    const rows = Object.entries(commands).map(([name, words]) =>
      row(name, timeBoth(node, words, 11)),
    );
    printTable(['command', 'node -e 0 ms', 'ms', 'ratio'], rows);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

export async function loadBench() {
  await withPlace(async ({ root, netns }) => {
    const inside = (...words) => ['ip', 'netns', 'exec', netns, ...words];
    const peers = { iptables: 'iptables-legacy-restore', nft: 'nft' };
    const rows = [];
    for (const count of [1000, 10_000, 100_000]) {
      const rules = sockfilterRules(count, 'CONNECT');
      const rounds = count > 10_000 ? 3 : 5;
      for (const [peer, command] of Object.entries(peers)) {
        if (!isInstalled(command)) continue;
        const floor = peer === 'nft' ? inside('nft', '-f', '/dev/stdin') : inside(command);
        const floorInput =
          peer === 'nft' ? `flush ruleset\n${nftMap(count)}` : iptablesRules(count);
        const floors = [];
        const times = [];
        for (let round = 0; round < rounds; round++) {
          floors.push(timed(floor, floorInput));
          times.push(timed(sockfilter('--root', root, 'restore'), rules));
        }
        rows.push([`restore ${count}`, peer, ...row('', [median(floors), median(times)]).slice(1)]);
      }
      const append = sockfilter('--root', root, '-A', 'CONNECT', '-d', '10.77.0.1', '-j', 'DROP');
      const floor = inside('iptables-legacy', '-A', 'OUTPUT', '-d', '10.77.0.1', '-j', 'DROP');
      if (isInstalled('iptables-legacy'))
        rows.push([
          `append at ${count}`,
          'iptables',
          ...row('', timeBoth(floor, append, rounds)).slice(1),
        ]);
    }
    run(process.execPath, sockfilter('--root', root, 'teardown').slice(1));
    printTable(['command', 'peer', 'peer ms', 'sockfilter ms', 'ratio'], rows);
  });
}

function timed([command, ...args], input) {
  const start = performance.now();
  run(command, args, input);
  return performance.now() - start;
}
