/** What each check says, and what it does not. */
import { parseSave } from '@sockfilter/iptables';
import { NO_NAMES } from '@sockfilter/language';
import {
  type Code,
  checkFile,
  documentFile,
  type Finding,
  tellOnce,
  wordsKey,
} from '@sockfilter/policy';
import { evaluate, type Moment } from '@sockfilter/table';
import { FIRST_LINE, fileOf } from './rulefile.js';

/** Findings about chains that refuse nothing are in every small file. */
function findingsIn(lines: readonly string[]): readonly Finding[] {
  return checkFile(fileOf(lines)).findings.filter(({ code }) => code !== 'SF013');
}

/** Lines, then what is found: `CODE line`, the lines counted from 1. */
const ROWS: readonly (readonly [name: string, lines: string, found: string])[] = [
  ['nothing', '-A BIND -d 10.0.0.5 -m cgroup --id 3 -j ACCEPT', 'SF004 1'],
  [
    'shadowed in full',
    '-A CONNECT -d 10.0.0.0/8 -j DROP|-A CONNECT -d 10.1.0.0/16 -j ACCEPT',
    'SF001 2',
  ],
  [
    'shadowed by two rules together',
    '-A CONNECT -d 10.0.0.0/9 -j DROP|-A CONNECT -d 10.128.0.0/9 -j REJECT|-A CONNECT -d 10.0.0.0/8 -j ACCEPT',
    'SF001 3',
  ],
  ['redundant', '-A CONNECT -d 10.0.0.0/8 -j DROP|-A CONNECT -d 10.1.0.0/16 -j DROP', 'SF002 2'],
  [
    'not shadowed where a piece is left',
    '-A CONNECT -d 10.0.0.0/9 -j DROP|-A CONNECT -d 10.0.0.0/8 -j REJECT',
    'SF004 1',
  ],
  [
    'shadowed behind a return',
    ':u -|-A CONNECT -j u|-A u -d 10.0.0.1 -j RETURN|-A u -d 10.0.0.1 -j DROP',
    'SF004 2, SF001 4',
  ],
  [
    'shadowed in the caller',
    ':u -|-A CONNECT -d 10.0.0.1 -j DROP|-A CONNECT -j u|-A u -d 10.0.0.1 -j ACCEPT',
    'SF004 3, SF001 4',
  ],
  [
    'excluded by the caller',
    ':u -|-A CONNECT -d 10.0.0.1 -j u|-A u -d 10.0.0.2 -j DROP',
    'SF004 2, SF003 3',
  ],
  ['excluded by the chain', '-A ACCEPT -p tcp --tcp-flags ACK ACK -j DROP', 'SF003 1'],
  [
    'two families',
    '-A CONNECT -s 10.0.0.1 -m iprange --dst-range 10.0.0.1-10.0.0.2 -4 -j DROP',
    '',
  ],
  ['removable', '-A CONNECT -d 10.0.0.1 -j DROP|-A CONNECT -d 10.0.0.0/8 -j DROP', 'SF004 1'],
  ['a rule that counts is not removable', '-A CONNECT -d 10.0.0.1', ''],
  ['unused chain', ':u -|-A u -d 10.0.0.1 -j DROP', 'SF005 1'],
  [
    'unreachable chain',
    ':u -|-A CONNECT -j DROP|-A CONNECT -d 10.0.0.1 -j u|-A u -p tcp -j DROP',
    'SF005 1, SF002 3',
  ],
  [
    'behind a RETURN that leads to the same verdict',
    '-P BIND DROP|-A BIND -p udp -j RETURN|-A BIND -p udp --dport 53 -j DROP|-A BIND -p udp --dport 54 -j ACCEPT',
    'SF002 3, SF001 4',
  ],
  [
    'behind a goto that falls through to the same verdict',
    ':u -|-A CONNECT -d 10.0.0.1 -g u|-A CONNECT -d 10.0.0.1 -j ACCEPT|-A CONNECT -d 10.0.0.1 -j DROP|-A u -p udp -j DROP',
    'SF001 3, SF001 4',
  ],
  [
    'a RETURN of a user chain that leads to the verdict before it, and one that does not',
    ':u -|-A CONNECT -j u|-A CONNECT -p udp -j DROP|-A u -d 10.0.0.1 -j ACCEPT|-A u -p tcp -d 10.0.0.1 -j RETURN|-A u -d 10.0.0.1 -j RETURN',
    'SF002 5, SF001 6',
  ],
  ['a rule that could only count', '-A CONNECT -j DROP|-A CONNECT -p tcp', 'SF002 2'],
  ['used chain', ':u -|-A CONNECT -d 10.0.0.1 -j u|-A u -p tcp -j DROP', ''],
  ['undeclared id', '-A CONNECT -m cgroup --id 5 -j DROP', 'SF006 1'],
  ['undeclared range', '-A CONNECT -m cgroup --id 5:9 -j DROP', 'SF006 1'],
  ['range with a group', '-A CONNECT -m cgroup --id 4:9 -j DROP', ''],
  ['id 0', '-A CONNECT -m cgroup --id 0 -j DROP', ''],
  ['a path is declared when it is loaded', '-A CONNECT -m cgroup --path /new -j DROP', ''],
  ['a path that hardly exists', '-A CONNECT -m cgroup --path /x.service -j DROP', 'SF020 1'],
  [
    'the same of a group, once',
    '-G x --id 9 --path /x.service|-A CONNECT -m cgroup --path /x.service -j DROP',
    'SF020 1',
  ],
  ['two negations', '-A CONNECT ! -d 10.0.0.1 -j DROP|-A CONNECT ! -d 10.0.0.2 -j DROP', 'SF007 2'],
  [
    'two negated port lists',
    '-A CONNECT -p tcp -m multiport ! --dports 80 -j DROP|-A CONNECT -p tcp -m multiport ! --dports 443,8080 -j DROP',
    'SF007 2',
  ],
  [
    'negations that overlap',
    '-A CONNECT ! -d 10.0.0.0/8 -j DROP|-A CONNECT ! -d 10.0.0.0/9 -j DROP',
    'SF004 1',
  ],
  ['negations of two families', '-A CONNECT ! -d 10.0.0.1 -j DROP|-A CONNECT ! -d ::1 -j DROP', ''],
  [
    'negations with two verdicts',
    '-A CONNECT ! -d 10.0.0.1 -j DROP|-A CONNECT ! -d 10.0.0.2 -j ACCEPT',
    'SF004 2',
  ],
  ['negation of what cannot come', '-A ACCEPT ! -p udp -j DROP', 'SF008 1'],
  [
    'negation behind a caller',
    ':u -|-A CONNECT -p tcp -m cgroup --id 3 -j u|-A u -m cgroup ! --id 4 -j DROP',
    'SF008 3',
  ],
  ['cut bits', '-A CONNECT -d 10.0.0.5/8 -j DROP', 'SF009 1'],
  ['cut bits of /0', '-A CONNECT -s 10.0.0.5/0 -j DROP', 'SF009 1'],
  ['cut bits of a mask', '-A CONNECT -d 10.0.0.5/255.0.0.0 -j DROP', 'SF009 1'],
  ['cut bits of IPv6', '-A CONNECT -d fd00::1/64 -j DROP', 'SF009 1'],
  ['a whole network', '-A CONNECT -d 10.0.0.0/8 -j DROP', ''],
  ['wildcard left open', '-A BIND -d 10.0.0.5 -m cgroup --id 3 -j DROP', 'SF010 1'],
  [
    'wildcard of IPv6 left open',
    '-A BIND -d 10.0.0.5 -j DROP|-A BIND -d 0.0.0.0 -j DROP|-A ACCEPT -j DROP',
    'SF010 1',
  ],
  [
    'wildcards closed',
    '-A BIND -d 10.0.0.5 -j DROP|-A BIND -d 0.0.0.0 -j DROP|-A BIND -d :: -j DROP|-A ACCEPT -j DROP',
    '',
  ],
  [
    'wildcard open on another port',
    '-A BIND -p tcp -d 10.0.0.5 --dport 80 -j DROP|-A BIND -p tcp -d 0.0.0.0 --dport 80 -j DROP|-A BIND -p tcp -d :: --dport 80 -j DROP',
    '',
  ],
  [
    'IPv6 address, and the wildcard of IPv4',
    '-A BIND -d fd00::1 -j DROP|-A BIND -d :: -j DROP|-A ACCEPT -j DROP',
    '',
  ],
  ['port 0 without its ports', '-P BIND DROP|-A BIND -p tcp --dport 0 -j ACCEPT', 'SF015 2'],
  [
    'port 0 with its ports',
    '-P BIND DROP|-A BIND -p tcp -m multiport --dports 0,32768:60999 -j ACCEPT',
    '',
  ],
  [
    'port 0 without the first of its ports',
    '-P BIND DROP|-A BIND -p tcp -m multiport --dports 0,32769:60999 -j ACCEPT',
    'SF015 2',
  ],
  [
    'port 0 without the last of its ports',
    '-P BIND DROP|-A BIND -p tcp -m multiport --dports 0,32768:60998 -j ACCEPT',
    'SF015 2',
  ],
  [
    'port 0 with some of its ports, for one group',
    ':BIND ACCEPT|-A BIND -p udp --dport 40000 -m cgroup --id 3 -j DROP',
    'SF015 1',
  ],
  [
    'udplite where CONNECT leads too',
    ':u -|-A CONNECT -d 10.0.0.1 -j u|-A SENDTO -d 10.0.0.1 -j u|-A u -p udplite -j DROP',
    'SF004 2, SF019 4',
  ],
  [
    'udplite that nobody can make',
    '--deny-unseen|:u -|-A CONNECT -d 10.0.0.1 -j u|-A SENDTO -d 10.0.0.1 -j u|-A u -p udplite -j DROP',
    'SF004 3',
  ],
  [
    'unseen sockets beside what refuses',
    ':CONNECT DROP|:SENDTO DROP|-A CONNECT -d 10.0.0.1 -j ACCEPT|-A SENDTO -d 10.0.0.1 -j ACCEPT',
    'SF021 1',
  ],
  [
    'what is audited',
    ':CONNECT DROP [0:0] --audit|-A CONNECT -p udp -j DROP --audit',
    'SF022 1, SF022 2',
  ],
  ['a name lets pass', ':CONNECT DROP|-A CONNECT -m comm --comm nginx -j ACCEPT', 'SF023 2'],
  ['a name is refused', '-A CONNECT -m comm --comm nginx -j DROP', 'SF023 1'],
  [
    'a name decides nothing alone',
    ':CONNECT DROP|-A CONNECT -m comm --comm nginx|-A CONNECT -d 10.0.0.1 -j ACCEPT',
    '',
  ],
  ['a device is refused', '-A CONNECT -o eth0 -j DROP', 'SF023 1'],
  ['a device is refused one address', '-A CONNECT -d 10.0.0.1 -o eth0 -j DROP', 'SF023 1'],
  [
    'a name is refused behind what decides alike',
    '-A CONNECT -d 10.0.0.1 -j DROP|-A CONNECT -d 10.0.0.0/30 -m comm --comm nginx -j DROP',
    'SF023 2',
  ],
  ['a device lets pass', ':CONNECT DROP|-A CONNECT -o eth0 -j ACCEPT', ''],
  ...(
    [
      ['that groups share', 'CONNECT -m hashlimit', 'dstip', 'SF024 3'],
      ['of each group', 'CONNECT -m hashlimit', 'dstip,group', ''],
      ['of one group', 'CONNECT -m cgroup --id 1 -m hashlimit', 'dstip', ''],
      ['of what others choose', 'ACCEPT -m hashlimit', 'srcip', ''],
    ] as const
  ).map(
    ([name, rule, mode, found]) =>
      [
        `buckets ${name}`,
        `-G a --id 1|-G b --id 2|-A ${rule} --hashlimit-above 9/s --hashlimit-name x --hashlimit-mode ${mode} -j DROP`,
        found,
      ] as const,
  ),
  ['all but a device', '-A CONNECT ! -o eth0 -j DROP', ''],
  ['the device of what comes in', '-A ACCEPT -i eth0 -j DROP', ''],
  [
    'what is audited and decides nothing',
    '-A CONNECT -p udp -j ACCEPT|-A CONNECT -p udp -j DROP --audit',
    'SF004 1, SF002 2',
  ],
  [
    'unseen sockets that may be made',
    ':CONNECT DROP|:SENDTO DROP|--deny-unseen off|-A CONNECT -d 10.0.0.1 -j ACCEPT|-A SENDTO -d 10.0.0.1 -j ACCEPT',
    '',
  ],
  [
    'no unseen sockets beside what refuses',
    ':CONNECT DROP|:SENDTO DROP|--deny-unseen|-A CONNECT -d 10.0.0.1 -j ACCEPT|-A SENDTO -d 10.0.0.1 -j ACCEPT',
    '',
  ],
  ['udplite where only SENDTO leads', ':u -|-A SENDTO -j u|-A u -p udplite -j DROP', ''],
  ['port 0 refused with its ports', '-A BIND -m cgroup --id 3 -j DROP', ''],
  ['a port that the kernel never chooses', '-A BIND -p tcp --dport 80 -j DROP', ''],
  [
    'the last port before those, and the first behind',
    '-A BIND -p tcp -m multiport --dports 32767,61000 -j DROP',
    '',
  ],
  [
    'a port that callers name, without port 0',
    '-P BIND DROP|-A BIND -p tcp --dport 80 -j ACCEPT',
    '',
  ],
];

const isOtherWay = ({ code }: Finding) => code === 'SF017' || code === 'SF018';

function told(findings: readonly Finding[]): string {
  return findings.map(({ code, place }) => `${code} ${place.line - FIRST_LINE + 1}`).join(', ');
}

/** Other ways are a table of their own: what is about CONNECT alone always has one. */
test.each(ROWS)('%s', (_, lines, expected) => {
  const found = findingsIn(lines.split('|'));
  expect(told(found.filter((finding) => !isOtherWay(finding)))).toBe(expected);
});

const OTHER_WAYS: readonly (readonly [name: string, lines: string, found: string])[] = [
  [
    'udp that one chain refuses and another sends',
    '-A CONNECT -d 10.0.0.1 -j DROP|-A SENDTO -p udp -d 10.0.0.2 -j DROP',
    'SF017 1, SF017 2',
  ],
  [
    'the same refused for another caller',
    '-A CONNECT -p udp -d 10.0.0.1 -m cgroup --id 3 -j DROP|-A SENDTO -p udp -d 10.0.0.1 -m cgroup --id 4 -j DROP',
    'SF017 1, SF017 2',
  ],
  [
    'the same refused in both',
    ':u -|-A CONNECT -j u|-A SENDTO -j u|-A u -p udp -d 10.0.0.1 -j DROP',
    '',
  ],
  [
    'a rule that gives what the policy of another chain withholds',
    ':SENDTO DROP|:CONNECT DROP|-A CONNECT -d 10.0.0.1 -j ACCEPT',
    'SF018 1',
  ],
  ['policies that differ', ':SENDTO DROP', 'SF017 1'],
  ['tcp has no other way', '-A CONNECT -p tcp -d 10.0.0.1 -j DROP', ''],
  [
    'what a chain itself accepts from another port',
    '-A CONNECT -p udp -d 10.0.0.1 --sport 5 -j DROP',
    '',
  ],
  ['a peer that a connected socket hears', '-A RECVFROM -s 10.0.0.1 -j DROP', 'SF018 1'],
  [
    'a peer that no socket connects to',
    '-A RECVFROM -p udp -s 10.0.0.1 -j DROP|-A CONNECT -p udp -d 10.0.0.1 -j DROP|-A SENDTO -p udp -d 10.0.0.1 -j DROP',
    '',
  ],
  [
    'an address of ours that a datagram can name',
    '-A BIND -d 10.0.0.5 -j DROP|-A BIND -d 0.0.0.0 -j DROP|-A BIND -d :: -j DROP',
    'SF018 1',
  ],
  [
    'an address of ours that none can name',
    '-A BIND -d 10.0.0.5 -j DROP|-A BIND -d 0.0.0.0 -j DROP|-A BIND -d :: -j DROP|-A SENDTO -s 10.0.0.5 -p udp -j DROP',
    '',
  ],
];

test.each(OTHER_WAYS)('%s', (_, lines, expected) => {
  expect(told(findingsIn(lines.split('|')).filter(isOtherWay))).toBe(expected);
});

test('what is about a way of working is told once, and names the other files', () => {
  const open = [':CONNECT DROP', ':SENDTO DROP', '-A CONNECT -p tcp -j ACCEPT'];
  const files = ['a', 'b', 'c', 'd'].map((name) => checkFile(fileOf(open, name)).findings);
  const told = tellOnce(files.map((all) => all.filter(({ code }) => code === 'SF021')));
  expect(told.map((all) => all.length)).toEqual([1, 0, 0, 0]);
  expect(told[0]?.[0]?.notes).toEqual([{ message: 'likewise `b` and 2 more files' }]);
  const others = files.map((all) => all.filter(({ code }) => code !== 'SF021'));
  expect(tellOnce(others)).toEqual(others);
});

const EARLY: Moment = { uptime: 0n, time: 0, minutesWest: 0, random: () => 0, states: new Map() };

test('every finding about calls has one that can happen', () => {
  for (const [, lines] of ROWS) {
    const file = fileOf(lines.split('|'));
    for (const finding of checkFile(file).findings) {
      const isAboutCalls = !['SF003', 'SF005', 'SF020', 'SF021'].includes(finding.code);
      if (isAboutCalls && !finding.witness) throw new Error(`${finding.code} of ${lines}`);
      if (finding.witness) evaluate(file.table, finding.witness.packet, EARLY);
    }
  }
});

function one(code: Code, lines: readonly string[]): Finding {
  const [finding] = findingsIn(lines).filter((each) => each.code === code);
  if (!finding) throw new Error(`no ${code}`);
  return finding;
}

test('a shadowed rule names what covers it, in full or in part', () => {
  const { notes, witness } = one('SF001', [
    '-A CONNECT -d 10.0.0.0/9 -j DROP',
    '-A CONNECT -d 10.128.0.0/9 -m comment --comment lan -j REJECT',
    '-A CONNECT -d 10.0.0.0/8 -j ACCEPT',
  ]);
  expect(notes.map(({ message }) => message)).toEqual([
    'rule 1 of CONNECT (DROP) decides a part of its calls before it',
    'rule 2 of CONNECT (REJECT with EPERM, "lan") decides a part of its calls before it',
  ]);
  expect(witness?.call).toContain('connect(tcp, 10.');
});

test('a removable rule names what decides in its stead', () => {
  const { notes } = one('SF004', ['-A CONNECT -d 10.0.0.1 -j DROP', '-A CONNECT -j DROP']);
  expect(notes.map(({ message }) => message)).toEqual([
    'without it rule 2 of CONNECT (DROP) gives this call the same verdict',
  ]);
});

test('the wildcard that is open is shown with the rule that accepts it', () => {
  const { notes } = one('SF010', [
    '-A BIND -d :: -m cgroup --id 3 -j ACCEPT',
    '-A BIND -m cgroup --id 3 -j DROP',
    '-A ACCEPT -j DROP',
  ]);
  expect(notes[0]?.message).toMatch(
    /^rule 1 of BIND \(ACCEPT\) accepts bind\(tcp, \[::\]:\d+\) by group web/,
  );
});

test('a kernel that is too old', () => {
  const file = fileOf([]);
  const codes = (major: number, minor: number) =>
    checkFile(file, { kernel: { major, minor } }).findings.map(({ code }) => code);
  expect(codes(5, 15)).toContain('SF012');
  expect(codes(6, 1)).not.toContain('SF012');
  expect(codes(7, 0)).not.toContain('SF012');
});

test('comments silence one code for one rule, and are counted', () => {
  const checked = checkFile(
    fileOf([
      '# sockfilter: ignore[SF009] all of 10/8 is meant',
      '# another comment',
      '-A CONNECT -p tcp -d 10.0.0.5/8 -j DROP',
      '-A CONNECT -p tcp -d 11.0.0.5/8 -j DROP',
      '# sockfilter: ignore[SF001] not so',
      '-A CONNECT -p tcp -d 12.0.0.0/8 -j DROP',
    ]),
  );
  const found = checked.findings.filter(({ code }) => code !== 'SF013');
  expect(found.map(({ code, place }) => [code, place.line - FIRST_LINE + 1])).toEqual([
    ['SF009', 4],
    ['SF014', 5],
  ]);
  expect(checked.ignored.map(({ finding, reason }) => [finding.code, reason])).toEqual([
    ['SF009', 'all of 10/8 is meant'],
  ]);
});

describe('a comment that ignores', () => {
  const RULE = '-A CONNECT -d 10.0.0.5/8 -j DROP';
  const NOW = new Date('2026-11-25T12:00:00Z');
  const codes = (comment: string, more: { requireReason?: boolean; now?: Date } = {}) => {
    const checked = checkFile(fileOf([comment, RULE]), { now: NOW, ...more });
    const about = new Set(['SF009', 'SF014', 'SF016']);
    const shown = checked.findings.flatMap(({ code }) => (about.has(code) ? code : []));
    return [...shown, ...checked.ignored.map(({ finding }) => `(${finding.code})`)];
  };
  const ignore = '# sockfilter: ignore';

  test.each([
    [`${ignore}[SF009] meant`, ['(SF009)']],
    [`${ignore}[SF009] until 2026-11-25 meant`, ['(SF009)']],
    [`${ignore}[SF009] until 2027-01-31, ticket 1`, ['(SF009)']],
    [`${ignore}[SF009] until 2020-01-01, ticket 1`, ['SF016', 'SF009']],
    [`${ignore}[SF009] until tomorrow`, ['SF016', 'SF009']],
    [`${ignore}[SF009] until 2027-02-31`, ['SF016', 'SF009']],
    [`${ignore}[SF009] until`, ['SF016', 'SF009']],
    [`${ignore} [SF009] a blank too many`, ['SF016', 'SF009']],
    [`# sockfilter ignore[SF009] no colon`, ['SF016', 'SF009']],
    [`${ignore} SF009`, ['SF016', 'SF009']],
    [`${ignore}[SF999]`, ['SF016', 'SF009']],
    [`# sockfilter ignores nobody`, ['SF009']],
  ])('%s', (comment, wanted) => {
    expect(codes(comment)).toEqual(wanted);
  });

  test('the last day ends where it ends last', () => {
    const comment = `${ignore}[SF009] until 2027-01-31 meant`;
    expect(codes(comment, { now: new Date('2027-02-01T11:59:59Z') })).toEqual(['(SF009)']);
    expect(codes(comment, { now: new Date('2027-02-01T12:00:00Z') })).toEqual(['SF016', 'SF009']);
  });

  test('a reason may be required', () => {
    const requireReason = true;
    for (const bare of ['', ' until 2027-01-31', ' until 2027-01-31,'])
      expect(codes(`${ignore}[SF009]${bare}`, { requireReason })).toEqual(['SF016', 'SF009']);
    expect(codes(`${ignore}[SF009] meant`, { requireReason })).toEqual(['(SF009)']);
    expect(codes(`${ignore}[SF009] until 2027-01-31 meant`, { requireReason })).toEqual([
      '(SF009)',
    ]);
  });
});

test('what is found again and again is proved as often as it is shown, in the order of lines', () => {
  const lines = ['-A CONNECT -d 10.0.0.1 -j DROP', '-A CONNECT -d 10.0.0.2 -j DROP'];
  const covered = [...lines, '-A BIND -d 10.0.0.3 -j DROP', '-A BIND -d 10.0.0.3 -j DROP'];
  const file = fileOf([':CONNECT DROP', '-A BIND -d 10.0.0.3 -j DROP', ...covered, ...lines]);
  const isRepeated = ({ code }: Finding) => code === 'SF002' || code === 'SF004';
  const all = checkFile(file).findings.filter(isRepeated);
  const some = checkFile(file, { mostProven: 1 }).findings.filter(isRepeated);
  const seen = new Set<string>();
  for (const [n, finding] of all.entries()) {
    const key = wordsKey(finding);
    const isFirst = !seen.has(key);
    seen.add(key);
    const bare = { ...finding, notes: [], witness: undefined };
    expect(some[n]).toEqual(isFirst ? finding : bare);
  }
  expect(some.length).toBe(all.length);
  expect(some.filter(({ witness }) => witness).length).toBeLessThan(
    all.filter(({ witness }) => witness).length,
  );
});

test('a prefix that cuts off what was written is found among lines as they are printed', () => {
  const printed = (n: number) => `-A CONNECT -d 10.0.${n}.0/24 -p tcp -m tcp --dport 80 -j DROP`;
  const lines = [1, 2, 3, 4, 5, 6].map(printed);
  const text = ['*socket', ...lines, printed(7).replace('.0/24', '.5/24'), 'COMMIT', ''].join('\n');
  const { document, table } = parseSave(text, 'x.rules', { names: NO_NAMES });
  const file = documentFile(document, table);
  const rules = table.chains.flatMap((chain) => chain.rules);
  expect(rules.map(file.isPrinted).slice(-3)).toEqual([true, true, false]);
  const wide = checkFile(file).findings.filter(({ code }) => code === 'SF009');
  expect(wide.map(({ place }) => place.line)).toEqual([8]);
});
