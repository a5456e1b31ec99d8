/** The real iptables 1.8.9 beside the language: statuses, and what is then listed. */
import { spawnSync } from 'node:child_process';
import { applyEdit, exitStatus, isEdit, NO_NAMES } from '@sockfilter/language';
import { type Table, TableError } from '@sockfilter/table';
import { describeIptables } from '../../../test/harness/iptables.js';
import { parseCommand, parseSave, printRules, printVerbose, unfitNames } from './index.js';

const START: Table = parseSave(
  '*socket\n:zeta - [0:0]\n:web - [0:0]\n-A web -j DROP\nCOMMIT\n',
  'start',
  {
    names: NO_NAMES,
  },
).table;

/** Runs the lines in a network namespace of their own; each prints its status. */
function real(lines: readonly string[]): {
  readonly statuses: readonly number[];
  readonly printed: string;
} {
  const script = [
    'iptables -N zeta && iptables -N web && iptables -A web -j DROP || exit 99',
    ...lines.map((line) => `iptables ${line} >/dev/null 2>&1; echo "status $?"`),
    'iptables -S',
  ];
  const { status, stdout, stderr } = spawnSync('unshare', ['-n', 'sh', '-c', script.join('\n')], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(stderr);
  const statuses = [...stdout.matchAll(/^status (\d+)$/gm)].map(([, code]) => Number(code));
  return { statuses, printed: stdout.replace(/^status \d+\n/gm, '') };
}

function ours(lines: readonly string[]) {
  let table = START;
  const statuses = lines.map((line) => {
    const argv = line.replaceAll('OUTPUT', 'CONNECT').replaceAll('INPUT', 'ACCEPT').split(' ');
    const parsed = parseCommand(argv, { names: NO_NAMES, groups: [] });
    if (!parsed.command) return exitStatus(parsed.diagnostics);
    const { place, chain, target } = parsed;
    const places = { place, chain: chain?.span, target: target?.span };
    const missing = unfitNames(table, parsed.command, places, { names: NO_NAMES, groups: [] });
    if (missing.length > 0) return exitStatus(missing);
    try {
      if (isEdit(parsed.command)) table = applyEdit(table, parsed.command);
      return 0;
    } catch (error) {
      if (error instanceof TableError) return 1;
      throw error;
    }
  });
  return { statuses, table };
}

const SAME = [
  '-A OUTPUT -d 10/8 -j DROP',
  '-A OUTPUT -s 10.1/16',
  '-A OUTPUT -s 0/0 -d 10.1.2/24 -p tcp --dport 25',
  '-A OUTPUT -p tcp -m multiport --dport 80,90',
  '-A OUTPUT -p udp -m multiport --port 80',
  '-A OUTPUT -m limit --limit 90/min --limit-burst 9',
  '-A OUTPUT -m limit --limit 1000/hour',
  '-A OUTPUT -m hashlimit --hashlimit-upto 5/sec --hashlimit-name a',
  '-A OUTPUT -m hashlimit --hashlimit 90/m --hashlimit-name a --hashlimit-mode srcip',
  '-A OUTPUT -m hashlimit ! --hashlimit-upto 3/hour --hashlimit-mode dstport,srcip --hashlimit-burst 3 --hashlimit-name a',
  '-A OUTPUT -m hashlimit ! --hashlimit-above 7/min --hashlimit-srcmask 24 --hashlimit-dstmask 0 --hashlimit-mode dstip,srcport --hashlimit-name a',
  '-A OUTPUT -m hashlimit --hashlimit-above 20000/s --hashlimit-name a --hashlimit-htable-max 200 --hashlimit-htable-size 100',
  '-A OUTPUT -m hashlimit --hashlimit-above 5/s --hashlimit-name a --hashlimit-htable-expire 2000 --hashlimit-htable-gcinterval 60000',
  '-A OUTPUT -m hashlimit --hashlimit-above 5/s --hashlimit-name a --hashlimit-htable-expire 1000 --hashlimit-htable-gcinterval 1000',
  '-A OUTPUT -m hashlimit --hashlimit-upto 5/s',
  '-A OUTPUT -m hashlimit --hashlimit-name a',
  '-A OUTPUT -m hashlimit --hashlimit-upto 1/s --hashlimit-above 1/s --hashlimit-name a',
  '-A OUTPUT -m hashlimit --hashlimit-upto 1000001/s --hashlimit-name a',
  '-A OUTPUT -m hashlimit --hashlimit-upto 5/s --hashlimit-burst 1000001 --hashlimit-name a',
  '-A OUTPUT -m hashlimit --hashlimit-upto 5/s --hashlimit-mode nosuch --hashlimit-name a',
  '-A OUTPUT -m statistic --mode random ! --probability 0.3',
  '-A OUTPUT -m statistic --mode nth --every 5 --packet 2',
  '-A OUTPUT -m quota ! --quota 0x10',
  '-A OUTPUT -m time',
  '-A OUTPUT -m time --timestart 9:00 --weekdays 7,Mo ! --monthdays 31 --kerneltz',
  '-A OUTPUT -m time --timestart 23:00 --timestop 1:00 --contiguous --datestart 2020-05 --utc',
  '-A OUTPUT -o eth0 -d 10/8',
  '-A OUTPUT ! -o eth+ -p udp',
  '-A OUTPUT -o +',
  '-A OUTPUT ! -o +',
  '-A OUTPUT -o abcdefghijklmnop',
  '-A OUTPUT -i lo',
  '-A INPUT -i lo -p tcp --dport 80',
  '-A OUTPUT -m addrtype --dst-type multicast,UNICAST',
  '-A OUTPUT -m addrtype ! --dst-type Broadcast ! --src-type UNSPEC',
  '-A OUTPUT -m addrtype --src-type nosuch',
  '-A OUTPUT -m mark --mark 1',
  '-A OUTPUT -m mark ! --mark 0x7/0x3',
  '-A OUTPUT -m mark --mark 1/2/3',
  '-A OUTPUT -p tcp -m tcp -m multiport --dport 80',
  '-A OUTPUT -j ACCPT',
  '-D OUTPUT -j ACCPT',
  '-C OUTPUT -j ACCPT',
  '-A nowhere -j DROP',
  '-D OUTPUT 99',
  '-D OUTPUT -d 1.2.3.4 -j DROP',
  '-N OUTPUT',
  '-N web',
  '-N DROP',
  '-N -foo',
  '-N aaa',
  '-E web OUTPUT',
  '-P OUTPUT REJECT',
  '-P OUTPUT drop',
  '-P web DROP',
  '-P OUTPUT DROP',
  '-A OUTPUT -p tcp --dport 90:80',
  '-A OUTPUT -p tcp --dport 70000',
  '-A OUTPUT -p tpc',
  '-A OUTPUT -m nosuch',
  '-A OUTPUT --nosuch',
  '-A OUTPUT extra',
  '-A OUTPUT -d',
  '-A OUTPUT --dport 80',
  '-A OUTPUT -j ACCEPT -j DROP',
  '-F -s 1.1.1.1',
  '-A OUTPUT -j web',
  '-A OUTPUT -g zeta',
  '-I OUTPUT 99 -j DROP',
  '-R OUTPUT 99 -j DROP',
];

/** What differs, with both statuses; docs/language.md says why. */
const DIFFERENT: readonly (readonly [line: string, real: number, ours: number])[] = [
  ['-A OUTPUT -d 10.1', 0, 2],
  ['-A OUTPUT -m hashlimit --hashlimit-upto 5kb/s --hashlimit-name a', 0, 2],
  ['-A OUTPUT -m hashlimit --hashlimit-upto 5/s --hashlimit-name a --hashlimit-mode group', 2, 0],
  ['-t nosuch -S', 3, 2],
  ['-X web', 4, 1],
];

describeIptables('beside iptables', () => {
  test('statuses and rules are the same', () => {
    const theirs = real(SAME);
    const { statuses, table } = ours(SAME);
    const rows = (codes: readonly number[]) => SAME.map((line, at) => `${line}: ${codes[at]}`);
    expect(rows(statuses)).toEqual(rows(theirs.statuses));
    const rules = (text: string) => text.split('\n').filter((line) => /^-A OUTPUT|^-N/.test(line));
    const listed = printRules(table).replaceAll('CONNECT', 'OUTPUT').replaceAll(/-4 /g, '');
    expect(rules(listed)).toEqual(rules(theirs.printed));
  });

  test.each(DIFFERENT)('%s: %s there, %s here', (line, there, here) => {
    expect(real([line]).statuses).toEqual([there]);
    expect(ours([line]).statuses).toEqual([here]);
  });

  test('what -v tells', () => {
    const rules = [
      '-p tcp --dport 80 -d 10.0.0.0/8 -j DROP',
      '! -s 10.0.0.1 -j ACCEPT',
      '-m comment --comment hi -m owner --uid-owner 3 -g zeta',
      '-p udp -m multiport --dports 1,2',
    ];
    const script = ['iptables -N zeta', ...rules.map((rule) => `iptables -v -A OUTPUT ${rule}`)];
    const { stdout } = spawnSync('unshare', ['-n', 'sh', '-c', script.join('\n')], {
      encoding: 'utf8',
    });
    const told = rules.map((rule) => {
      const { command } = parseCommand(`-4 -A CONNECT ${rule}`.split(' '), {
        names: NO_NAMES,
        groups: [],
      });
      return command && 'rules' in command && command.rules[0]
        ? printVerbose(command.rules[0])
        : '';
    });
    const plain = (text: string) => text.replaceAll(/ +/g, ' ').trimEnd();
    expect(told.map(plain)).toEqual(stdout.trimEnd().split('\n').map(plain));
  });
});
