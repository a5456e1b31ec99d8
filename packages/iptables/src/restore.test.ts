import { NO_NAMES } from '@sockfilter/language';
import { EMPTY_TABLE, findChain } from '@sockfilter/table';
import { editSave, parseSave, printSave } from './index.js';

const names = NO_NAMES;

function messages(text: string): readonly string[] {
  return parseSave(text, 'f', { names }).diagnostics.map(
    ({ span, message }) => `${span.line}:${span.column} ${message}`,
  );
}

const wrap = (...lines: readonly string[]) => `*socket\n${lines.join('\n')}\nCOMMIT\n`;

test.each<[string, string[]]>([
  ['', ['1:1 no table: the file needs a line `*socket`']],
  ['# nothing\n\n', ['1:1 no table: the file needs a line `*socket`']],
  ['*socket\n', ['1:1 COMMIT expected at the end of the table']],
  [
    '*filter\nCOMMIT\n',
    ['1:1 `*filter` is a table of iptables: sockfilter restores `*socket` alone'],
  ],
  ['-A BIND\n*socket\nCOMMIT\n', ['1:1 line before the table: `-A`']],
  [`${wrap()}-A BIND\n`, ['4:1 line after the table: `-A`']],
  [wrap(':BIND MAYBE'), ['2:7 Bad policy name.']],
  [wrap(':BIND ACCEPT [0:0] --audit'), ['2:20 `--audit` goes with DROP']],
  [wrap(':BIND DROP --audit [0:0] --audit'), ['2:26 bad argument `--audit`']],
  [wrap(':web - --audit'), ['2:6 a user chain has no policy: write `-`']],
  [wrap(':web ACCEPT'), ['2:6 a user chain has no policy: write `-`']],
  [wrap(':web - [x:0]'), ['2:8 invalid policy counters `[x:0]`']],
  [wrap(':web -', ':web -'), ['3:1 chain `web` is declared twice']],
  [wrap(':DROP -'), ['2:2 chain name `DROP` clashes with a target of that name']],
  [wrap('-A web -j DROP'), ['2:4 No chain/target/match by that name.']],
  [wrap('-A BIND -j web'), ['2:12 No chain/target/match by that name.']],
  // Only a rule that is appended may call a chain that a later line makes.
  [wrap('-I BIND -j web', ':web -'), ['2:12 No chain/target/match by that name.']],
  [wrap('-D BIND -j web', ':web -'), ['2:12 No chain/target/match by that name.']],
  [wrap('-A BIND -d 10.0.0.1', '-R BIND 1 -j web'), ['3:14 No chain/target/match by that name.']],
  [wrap(':a -', ':b -', '-A a -j b', '-A b -j a'), ['5:1 Loop found: a -> b -> a']],
  [wrap('-G a --id 1', '-G b --id 1'), ['3:1 id 1 belongs to group `a` already']],
  [wrap('-G a --id 1', '-G a --id 2'), ['3:1 group `a` exists already (id 1)']],
  [
    wrap('-G a --id 1 --path /x', '-G b --id 2 --path x/'),
    ['3:1 path `/x` belongs to group `a` (id 1) already'],
  ],
  [
    wrap('-G a --id 1 --path "/s/d*"', '-G b --id 2 --path "/s/*.scope"'),
    ['3:1 `/s/*.scope` of group `b` and `/s/d*` of group `a` (id 1) both match `/s/d.scope`'],
  ],
  [
    wrap(String.raw`-G a --id 1 --path "/s/dev\x2dsda"`),
    ['2:20 the double quotes take the backslash out of `\\x2dsda`'],
  ],
  [
    wrap(String.raw`-A BIND -m cgroup --path "/s/a\*" -j DROP`),
    ['2:26 the double quotes take the backslash out of `\\*`'],
  ],
  [
    wrap('-G a --id 1 --path "/sys/fs/cgroup/a"'),
    [
      '2:20 `/sys/fs/cgroup/a` begins with a mount point of cgroup2: a path is written from the root of that',
    ],
  ],
  [wrap('-G a'), ['2:1 a group needs `--id`']],
  [wrap('-G 1a --id 1'), ['2:4 invalid group name `1a`']],
  [wrap('-G a --id 0'), ['2:11 group id `0` is out of range: it must be 1 to 4294967295']],
  [wrap('-A BIND --comment "x'), ['2:19 no closing double quote']],
  [wrap('-L'), ['2:1 a save file holds commands that change the table only']],
  [wrap('--file x -F'), ['2:10 a save file holds commands that change the table only']],
  [wrap('-D BIND 1'), ['2:1 Index of deletion too big.']],
  [
    wrap('-A CONNECT -p tcpp', '-A CONNECT --dprt 1'),
    ['2:15 unknown protocol `tcpp`', '3:12 unknown option `--dprt`'],
  ],
  // All phases at once.
  [
    wrap('-A CONNECT -d 10.0.0.300 -j DROP', '-A CONNECT -j accept', '-A web -j DROP'),
    [
      '2:15 invalid address `10.0.0.300`',
      '3:15 No chain/target/match by that name.',
      '4:4 No chain/target/match by that name.',
    ],
  ],
  [
    wrap(':a -', '-A a -j a', '-A BIND --y'),
    ['3:1 Loop found: a -> a', '4:9 unknown option `--y`'],
  ],
  // One mistake, one diagnostic.
  [
    wrap('-A CONNECT -p icmp -m icmp --icmp-type 8'),
    ['2:23 match `icmp` is not available: a socket call has no ICMP type'],
  ],
  [
    wrap('-A CONNECT -m set --match-set blocklist dst -j DROP'),
    ["2:19 Set blocklist doesn't exist."],
  ],
  [
    wrap('-A CONNECT -m owner --pid-owner 5'),
    ['2:21 `--pid-owner` is not available: iptables itself has it no more'],
  ],
  [
    wrap('-A CONNECT -j SNAT --to-source 10.0.0.1'),
    [
      '2:15 target `SNAT` is not available: a hook gives connect(2) a source only by binding the socket, for good, also if the call fails; MARK in CONNECT and a route with `src` choose one',
    ],
  ],
  [
    wrap('-A CONNECT -j NETMAP --to 10.0.0.0/8'),
    ['2:15 target `NETMAP` is not available: sockfilter does not have it yet'],
  ],
  [
    wrap('-A CONNECT -m comm --exe /usr/bin/curl -j DROP'),
    ['2:20 `--exe` is not available: sockfilter does not have it yet'],
  ],
  [
    wrap('-A CONNECT -p tcp -m connlimit --connlimit-above 3 -j DROP'),
    [
      '2:22 match `connlimit` is not available: sockfilter does not have it yet: it judges calls, and counts no connections that live; `-m hashlimit` limits how often peers call',
    ],
  ],
  [
    wrap('-A CONNECT -m recent --rcheck --seconds 60 -j DROP'),
    [
      '2:15 match `recent` is not available: sockfilter does not have it yet; `-m hashlimit` limits how often an address calls, and a set with `timeout` holds what `sockfilter set add` puts in',
    ],
  ],
  [wrap('-N -foo'), ['2:4 chain name `-foo` not allowed to start with `-`']],
  [
    wrap(':INPUT DROP', '-A INPUT -j ACCEPT', '-A CONNECT -j INPUT'),
    ['2:2 table `socket` has no chain `INPUT`'],
  ],
  [wrap(':w!b ACCEPT', '-A BIND -j w!b'), ['2:6 a user chain has no policy: write `-`']],
  [
    `*nat\n:OUTPUT ACCEPT [0:0]\n-A OUTPUT -j "open\nCOMMIT\n*filter\nCOMMIT\n${wrap('-A CONNECT --y')}`,
    [
      '1:1 `*nat`, `*filter` are tables of iptables: sockfilter restores `*socket` alone',
      '8:12 unknown option `--y`',
    ],
  ],
  ['*socket\n*socket\nCOMMIT\n', ['2:1 COMMIT expected before the table is opened again']],
  ['*scket\nCOMMIT\n', ['1:1 no table `scket`']],
  [
    wrap(':f2b -', '-A ACCEPT -j f2b', '-A f2b -j REJECT --reject-with icmp-port-unreachable'),
    [
      '4:8 REJECT is not available in `f2b`, which ACCEPT or RECVFROM reaches: the peer is not told there',
    ],
  ],
  [
    wrap(':f2b -', '-A CONNECT -j f2b', '-A f2b -j REJECT --reject-with icmp-port-unreachable'),
    ['4:32 `icmp-port-unreachable` is an answer on the network: a socket call fails with an errno'],
  ],
])('%j is refused', (text, found) => {
  expect(messages(text)).toEqual(found);
});

test('commands are carried out in order', () => {
  const text = wrap(
    '-N web',
    '-A web -j DROP',
    '-I web -j ACCEPT',
    '-A BIND -j web',
    '-D web 2',
    '-P BIND DROP',
  );
  const { table, diagnostics } = parseSave(text, 'f', { names });
  expect(diagnostics).toEqual([]);
  expect(printSave(table)).toBe(
    wrap(
      ':BIND DROP [0:0]',
      ':ACCEPT ACCEPT [0:0]',
      ':CONNECT ACCEPT [0:0]',
      ':SENDTO ACCEPT [0:0]',
      ':RECVFROM ACCEPT [0:0]',
      ':web - [0:0]',
      '-A BIND -j web',
      '-A web -j ACCEPT',
    ),
  );
});

test('counters are read, and printed if asked for', () => {
  const text = wrap(':BIND ACCEPT [5:9]', '[7:1] -A BIND -p tcp', '-A BIND -c 8 1 -j DROP');
  const { table } = parseSave(text, 'f', { names });
  const counters = {
    counters: ({
      chain,
      rule,
    }: {
      chain: { packets: bigint };
      rule: { packets: bigint } | undefined;
    }) => (rule ?? chain).packets,
  };
  const printed = printSave(table, counters);
  expect(printed).toContain(':BIND ACCEPT [5:0]\n');
  expect(printed).toContain('\n[7:0] -A BIND -p tcp\n[8:0] -A BIND -j DROP\n');
  expect(printSave(parseSave(printed, 'g', { names }).table, counters)).toBe(printed);
});

test('a header is a comment', () => {
  const header = { version: '1', date: new Date(0) };
  const text = printSave(EMPTY_TABLE, { header });
  expect(text.split('\n')[0]).toBe(
    '# Generated by sockfilter-save v1 on Thu, 01 Jan 1970 00:00:00 GMT',
  );
  expect(parseSave(text, 'f', { names }).table).toEqual(EMPTY_TABLE);
});

test('a file can be added to a table', () => {
  const first = wrap(
    ':web -',
    ':db -',
    '-G a --id 1',
    '-A web -j DROP',
    '-A db -j DROP',
    '-A BIND -j web',
  );
  const { table: base } = parseSave(first, 'f', { names });
  const more = parseSave(wrap(':web -', '-G a --id 1', '-A web -j ACCEPT', '-A BIND -j db'), 'g', {
    names,
    base,
  });
  expect(more.diagnostics).toEqual([]);
  expect(printSave(more.table)).toContain(
    '-G a --id 1\n-A BIND -j web\n-A BIND -j db\n-A web -j ACCEPT\n-A db -j DROP\n',
  );
});

test('20,000 rules are read in a second or so', () => {
  const rules = Array.from(
    { length: 20_000 },
    (_, i) => `-A BIND -d 10.0.${i >> 8}.${i & 255} -p tcp --dport ${i} -j DROP`,
  );
  const start = process.cpuUsage();
  const { diagnostics } = parseSave(wrap(...rules), 'f', { names });
  expect(diagnostics).toEqual([]);
  expect(process.cpuUsage(start).user / 1e6).toBeLessThan(10);
});

test('rules share the options that they repeat, as long as groups are the same', () => {
  const text = `*socket
-G web --id 3
-A BIND -p tcp -m cgroup --id web
-A BIND ! -p tcp -m cgroup --id web
-A BIND -p tcp -m cgroup ! --id web
-G db --id 4
-A BIND -p tcp -m cgroup --id db
COMMIT
`;
  const { table, diagnostics } = parseSave(text, 'x', { names: NO_NAMES });
  expect(diagnostics).toEqual([]);
  const options = findChain(table, 'BIND')?.rules.map(({ matches }) =>
    matches.map((match) => match.options[0]),
  );
  const [first, second, third] = options ?? [];
  expect(second?.[1]).toBe(first?.[1]);
  expect(third?.[0]).toBe(first?.[0]);
  expect(printSave(table)).toContain(`
-A BIND -p tcp -m cgroup --id 3
-A BIND ! -p tcp -m cgroup --id 3
-A BIND -p tcp -m cgroup ! --id 3
-A BIND -p tcp -m cgroup --id 4
`);
});

test('an option that is wrong is told wherever it stands', () => {
  const line = '-A BIND -p tcp -s 10.0.0.1 -m cgroup --id nobody\n';
  const { diagnostics } = parseSave(`*socket\n${line}${line}COMMIT\n`, 'x', { names: NO_NAMES });
  expect(diagnostics.map(({ code, span }) => [code, span.line])).toEqual(
    [2, 3].flatMap((at) => [
      ['not-in-chain', at],
      ['unknown-name', at],
    ]),
  );
});

const rulesOf = (text: string, chain = 'CONNECT') => {
  const { table, diagnostics } = parseSave(text, 'f', { names });
  expect(diagnostics).toEqual([]);
  return findChain(table, chain)?.rules.length;
};

test('a table that is given again replaces the one before, as with iptables-restore', () => {
  const first = wrap(':web -', '-A CONNECT -j web', '-A CONNECT -j DROP');
  expect(rulesOf(`${first}${wrap('-A CONNECT -j ACCEPT')}`)).toBe(1);
  const { table } = parseSave(`${first}${wrap(':web -', '-A BIND -j web')}`, 'f', { names });
  expect(findChain(table, 'CONNECT')?.rules).toEqual([]);
  expect(findChain(table, 'web')).toBeDefined();
});

test('quoted options, and an option with a quoted value', () => {
  const lines = [
    '-A CONNECT "-d" "10.0.0.2" "-j" "DROP"',
    '-A CONNECT -m comment --comment="a b" -j DROP',
  ];
  expect(rulesOf(wrap(...lines))).toBe(2);
  const { table } = parseSave(wrap('-A CONNECT -m comment --comment "-j"'), 'f', { names });
  expect(printSave(table)).toContain('-A CONNECT -m comment --comment -j\n');
});

test('a byte order mark and CRLF stay through an edit', () => {
  const text =
    '\ufeff*socket\r\n:BIND DROP [0:0]\r\n# why\r\n-A BIND -p tcp -j ACCEPT\r\nCOMMIT\r\n';
  const { document, table, diagnostics } = parseSave(text, 'f', { names });
  expect(diagnostics).toEqual([]);
  const rules = parseSave(wrap(':web -', '-G g --id 4', '-A BIND -j web', '-A web -j DROP'), 'g', {
    names,
    base: table,
  });
  const edited = editSave(document, rules.table);
  expect(edited.startsWith('\ufeff*socket\r\n')).toBe(true);
  expect(edited).toContain('# why\r\n-A BIND -p tcp -j ACCEPT\r\n-A BIND -j web\r\n');
  expect(edited).toContain('-G g --id 4\r\n');
  expect(edited.replaceAll('\r\n', '')).not.toMatch(/[\r\n]/);
  // Printed anew as a whole, for the file itself edits what it declares.
  const other = parseSave(text.replace('COMMIT', '-F BIND\r\nCOMMIT'), 'f', { names });
  const anew = editSave(other.document, rules.table);
  expect(anew.replaceAll('\r\n', '')).not.toMatch(/[\r\n]/);
  expect(anew.startsWith('\ufeff')).toBe(true);
});

test('an odd character is told by its code point', () => {
  const { diagnostics } = parseSave(wrap('-A CONNECT -d 10.0.0.2/32 \u2013j DROP'), 'f', { names });
  expect(diagnostics).toMatchObject([
    {
      message: 'bad argument `\u2013j`',
      help: 'write `-j`',
      notes: ['`\u2013` is U+2013, not `-`'],
    },
  ]);
});

test('backslashes in paths come back as they were', () => {
  const lines = [
    String.raw`-G a --id 1 --path "/s/dev\\x2dsda"`,
    String.raw`-G b --id 2 --path "/s/a\\*"`,
    String.raw`-G c --id 3 --path "/s/\\x40*.scope"`,
  ];
  const { table, diagnostics } = parseSave(wrap(...lines), 'f', { names });
  expect(diagnostics).toEqual([]);
  expect(table.groups.map(({ path }) => path)).toEqual([
    String.raw`/s/dev\x2dsda`,
    String.raw`/s/a\*`,
    String.raw`/s/\x40*.scope`,
  ]);
  for (const line of lines) expect(printSave(table)).toContain(`${line}\n`);
  // Without quotes and in single quotes a backslash is a character like others.
  for (const path of [String.raw`/s/dev\x2dsda`, String.raw`'/s/dev\x2dsda'`])
    expect(parseSave(wrap(`-G a --id 1 --path ${path}`), 'f', { names }).table.groups).toEqual([
      table.groups[0],
    ]);
});
