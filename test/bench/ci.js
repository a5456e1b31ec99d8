/** Commands of CI as CI runs them: process start included, with node by itself as the floor. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { median, printTable } from './figures.js';
import { groupedRules, policyRules } from './rules.js';

const SOCKFILTER = fileURLToPath(new URL('../../packages/cli/bin/sockfilter.cjs', import.meta.url));
const ROUNDS = 5;

/** Says on standard error how much memory the process had at most, in MB. */
const PEAK =
  "process.on('exit', () => console.error('peak', process.resourceUsage().maxRSS >> 10))";

/** Runs node to its end. Commands of CI exit with 1 for findings: here that is no failure. */
function node(...words) {
  const start = performance.now();
  const { status, stderr } = spawnSync(process.execPath, words, {
    stdio: ['ignore', 'ignore', 'pipe'],
    encoding: 'utf8',
  });
  const ms = performance.now() - start;
  if (status !== 0 && status !== 1) throw new Error(`${words.join(' ')}: ${stderr}`);
  return { ms, stderr };
}

/** The rules with so many verdicts turned round, spread evenly. */
function turned(text, count) {
  const lines = text.split('\n');
  const first = lines.findIndex((line) => line.startsWith('-A '));
  const step = Math.floor((lines.length - first - 5) / count);
  for (let n = 0; n < count; n++) {
    const at = first + n * step;
    lines[at] = lines[at].replace(/(DROP|ACCEPT)$/, (word) =>
      word === 'DROP' ? 'ACCEPT' : 'DROP',
    );
  }
  return lines.join('\n');
}

/** `@src/len dst/len sport : sport dport : dport proto/mask flags` */
const LINE = /^@([\d./]+)\s+([\d./]+)\s+(\d+) : (\d+)\s+(\d+) : (\d+)\s+0x(\w+)\/0x(\w+)/;

const PROTOCOLS = { 1: 'icmp', 6: 'tcp', 17: 'udp' };

/** A ClassBench set as rules of CONNECT; of protocols that no socket call has, none. */
function classBenchRules(text) {
  const rules = text.split('\n').flatMap((line, at) => {
    const [, source, destination, ...numbers] = LINE.exec(line) ?? [];
    if (source === undefined) return [];
    const [fromLow, fromHigh, toLow, toHigh] = numbers.slice(0, 4).map(Number);
    const protocol = Number.parseInt(numbers[4], 16);
    const isAny = Number.parseInt(numbers[5], 16) === 0;
    const isOpen = fromLow === 0 && fromHigh === 65535 && toLow === 0 && toHigh === 65535;
    const names = isAny ? (isOpen ? [''] : ['tcp', 'udp']) : [PROTOCOLS[protocol]];
    return names
      .filter((name) => name !== undefined)
      .map((name) => {
        const hasPorts = name === 'tcp' || name === 'udp';
        const words = [
          `-s ${source} -d ${destination}`,
          name === '' ? '' : `-p ${name}`,
          hasPorts && fromHigh - fromLow < 65535 ? `--sport ${fromLow}:${fromHigh}` : '',
          hasPorts && toHigh - toLow < 65535 ? `--dport ${toLow}:${toHigh}` : '',
        ];
        return `-A CONNECT ${words.filter(Boolean).join(' ')} -j ${at % 3 === 0 ? 'DROP' : 'ACCEPT'}`;
      });
  });
  return { count: rules.length, text: ['*socket', ...rules, 'COMMIT', ''].join('\n') };
}

/** The sets of about a thousand rules in `$SOCKFILTER_VECTORS/classbench`, where there are any. */
function classBenchSets() {
  const folder = join(process.env.SOCKFILTER_VECTORS ?? 'vectors', 'classbench');
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => name.endsWith('_1k.rules'))
    .map((name) => ({ name, ...classBenchRules(readFileSync(join(folder, name), 'utf8')) }));
}

export function ciBench() {
  const folder = mkdtempSync(join(tmpdir(), 'sockfilter-bench-'));
  const write = (name, text) => {
    const path = join(folder, name);
    writeFileSync(path, text);
    return path;
  };
  try {
    const peak = write('peak.cjs', PEAK);
    const large = policyRules(10_000, 100);
    const [small, old, now, bad] = [
      write('small.rules', policyRules(1000, 10)),
      write('old.rules', large),
      write('new.rules', turned(large, 10)),
      write('bad.rules', groupedRules(10_000, 100)),
    ];
    const commands = {
      'check, 1,000 rules, 10 groups': ['check', small],
      'check, 10,000 rules, 100 groups': ['check', old],
      'check, the same with 22,000 findings': ['check', bad],
      'diff, 10,000 rules, 10 of them differ': ['diff', old, now],
      'query, 10,000 rules, matrix': ['query', 'accept', old, '--matrix'],
      'query, 10,000 rules, page': ['query', 'accept', old, '--report', join(folder, 'page.html')],
    };
    for (const { name, count, text } of classBenchSets())
      commands[`check, ${name}, ${count} rules`] = ['check', write(name, text)];
    const rows = Object.entries(commands).map(([name, words]) => {
      const times = [];
      const floors = [];
      for (let round = 0; round < ROUNDS; round++) {
        floors.push(node('-e', '0').ms);
        times.push(node(SOCKFILTER, ...words).ms);
      }
      const [, memory] = /^peak (\d+)$/m.exec(node('--require', peak, SOCKFILTER, ...words).stderr);
      const [floor, time] = [median(floors), median(times)];
      return [name, floor.toFixed(0), time.toFixed(0), (time / floor).toFixed(1), memory];
    });
    printTable(['command', 'node -e 0 ms', 'ms', 'ratio', 'peak MB'], rows);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
