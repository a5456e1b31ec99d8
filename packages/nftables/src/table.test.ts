/** The socket table as JSON and back: what is written reads as the same table. */

import { parseSave, printSave } from '@sockfilter/iptables';
import { NO_NAMES, renderDiagnostics } from '@sockfilter/language';
import { elementAt, isMatchName, MATCHES } from '@sockfilter/table';
import { parseTable, printTable } from './index.js';
import { rowOf, TESTS } from './row.js';

const names = { names: NO_NAMES };

function fromText(text: string) {
  const { table, diagnostics } = parseSave(text, 'rules', names);
  expect(diagnostics).toEqual([]);
  return table;
}

function fromJson(text: string) {
  const { table, document, diagnostics } = parseTable(text, 'rules.json', names);
  expect(renderDiagnostics(diagnostics, document.source)).toBe('');
  return table;
}

/** A document of one rule in CONNECT. */
const withRule = (expr: string, more = '') =>
  `{"nftables": [{"table": {"family": "inet", "name": "socket"}},\n{"rule": {"family": "inet", "table": "socket", "chain": "CONNECT", ${more}"expr": [${expr}]}}]}`;

function rulesOf(text: string): readonly string[] {
  return printSave(fromJson(text))
    .split('\n')
    .filter((line) => line.startsWith('-A'));
}

/** Each mistake: what stands at its place, and what is said. */
function faults(text: string): readonly (readonly [place: string, said: string])[] {
  const lines = text.split('\n');
  return parseTable(text, 'f', names).diagnostics.map(({ message, span, notes = [] }) => {
    const from = span.column - 1;
    const place = elementAt(lines, span.line - 1).slice(from, from + span.length);
    return [place, [message, ...notes].join('; ')];
  });
}

test('every option of every match has a form', () => {
  for (const match of Object.keys(MATCHES).filter(isMatchName))
    for (const option of Object.keys(MATCHES[match].options))
      expect(rowOf(match, option)).toBeDefined();
});

test('no two options are written alike', () => {
  const seen = TESTS.flatMap(({ row, form }) =>
    row.selectors.flatMap((selector) =>
      row.constant === undefined
        ? form.shapes.map((shape) => `${selector} ${shape}`)
        : [`${selector} = ${row.constant}`],
    ),
  );
  expect(new Set(seen).size).toBe(seen.length);
});

const SAVED = [
  '-A CONNECT -d 10.0.0.0/8 -p tcp -m tcp --dport 80:90 -m comment --comment "to the web" -j ACCEPT',
  '-A CONNECT ! -s 10.0.0.5/32 -p tcp -m tcp ! --sport 5 --tcp-flags FIN,SYN,RST,ACK SYN -j DROP',
  '-A CONNECT -p tcp -m tcp --tcp-flags SYN NONE -j REJECT --reject-with EACCES',
  '-A CONNECT -p tcp -m tcp -j office',
  '-A CONNECT -p tcp -m comment --comment first -m tcp -m comment --comment second -g office',
  '-A CONNECT -6 -p udp -m multiport --dports 80,443,8000:8010',
  '-A SENDTO -p udplite -m multiport ! --ports 80 -m udplite --dport 9',
  '-A CONNECT -m iprange --src-range 10.0.0.1-10.0.0.1 ! --dst-range 10.0.0.1-10.0.0.9 -j RETURN',
  '-A CONNECT -d fd00::/8 -m cgroup ! --id 3:7 -m owner --uid-owner 0 ! --gid-owner 5-9 -j DROP',
  '-A CONNECT -d 10.0.5.0/255.0.255.0 -m cgroup --path "/web.slice/a b" -j DROP',
  '-A CONNECT -m socket --local 10.0.0.1/32 --remote-port 80 -m socket --remote 10.0.0.0/24 -j DROP',
  '-A CONNECT ! -p 99',
  '-A CONNECT -4 -j ACCEPT',
  '-A CONNECT -d 10.0.0.9/32 -j LOG --log-prefix "a \\"b\\" " --log-level 0 --log-uid',
  '-A CONNECT -j LOG',
  '-A CONNECT -p udp -j NFLOG --nflog-prefix "x y" --nflog-group 7',
  '-A CONNECT -j NFLOG',
  '-A CONNECT -j TRACE',
  '-A CONNECT -m mark --mark 0x7 -m mark ! --mark 0x10/0xf0 -j MARK --set-xmark 0x1/0xffffffff',
  '-A CONNECT -j DNAT --to-destination 10.0.0.5',
  '-A CONNECT -p tcp -j DNAT --to-destination [fd00::5]:80 --random --persistent',
  '-A BIND -p udp -j DNAT --to-destination :80 --random',
  '-A CONNECT -p tcp -j DNAT --to-destination 10.0.0.5-10.0.0.9:80-90 --persistent',
  '-A CONNECT -j DNAT --to-destination fd00::5-fd00::9',
  '-A SENDTO -p udp -j REDIRECT --to-ports 53-54',
  '-A SENDTO -j REDIRECT',
  '-A SENDTO -p udp -j REDIRECT --to-ports 53 --random',
  '-A CONNECT -j MARK --set-xmark 0x3/0x3',
  '-A CONNECT -j MARK --set-xmark 0x3/0x0',
  '-A CONNECT -j MARK --set-xmark 0x0/0xff',
  '-A CONNECT -j MARK --set-xmark 0x31/0xff',
  '-A CONNECT -o eth+ -m comm ! --comm "a b" -m netns --inode 5-9 -j DROP',
  '-A RECVFROM ! -i lo -j DROP',
  '-A CONNECT -m addrtype ! --src-type UNSPEC --dst-type BROADCAST,MULTICAST -j DROP',
  '-A CONNECT -m limit --limit 10/sec -m statistic --mode nth --every 3 --packet 0 -j ACCEPT',
  '-A CONNECT -m hashlimit --hashlimit-above 3/day --hashlimit-burst 9 --hashlimit-mode srcip,group --hashlimit-name a --hashlimit-srcmask 24 -j DROP',
  '-A CONNECT -m limit --limit 3/day --limit-burst 9 -m limit --limit 4/min -m quota --quota 7 -j ACCEPT',
];

const FILE = `*socket
:BIND DROP [7:0]
:ACCEPT ACCEPT [0:0]
:CONNECT ACCEPT [18446744073709551615:0]
:SENDTO ACCEPT [0:0]
:RECVFROM ACCEPT [0:0]
:office - [0:0]
-G web --id 3 --path "/web.slice"
-G spare --id 4
${SAVED.map((rule, at) => `[${at}:0] ${rule}`).join('\n')}
COMMIT
`;

test('what the language has comes back as it was', () => {
  const table = fromText(FILE);
  const again = fromJson(printTable(table));
  expect(again).toEqual(table);
  expect(printTable(again)).toBe(printTable(table));
});

test('what people write by hand is read', () => {
  const json = withRule(
    '{"match": {"op": "==", "left": {"payload": {"protocol": "tcp", "field": "dport"}}, "right": {"set": [80, {"range": [443, 445]}]}}}, {"accept": null}',
  );
  expect(rulesOf(json)).toEqual(['-A CONNECT -p tcp -m multiport --dports 80,443:445 -j ACCEPT']);
});

const test80 =
  '{"match": {"op": "==", "left": {"payload": {"protocol": "tcp", "field": "dport"}}, "right": 80}}';

test('a limit is the one of nft', () => {
  const [line = ''] = SAVED.slice(-1);
  const text = `*socket\n:BIND ACCEPT\n${line}\nCOMMIT\n`;
  expect(printTable(fromText(text))).toContain('{"limit":{"rate":3,"burst":9,"per":"day"}}');
  for (const [json, rule] of [
    ['"rate": 7, "per": "hour"', '7/hour'],
    ['"rate": 7, "per": "hour", "burst": 5, "rate_unit": "packets", "inv": false', '7/hour'],
    ['"rate": 7, "per": "minute", "burst": 8', '7/min --limit-burst 8'],
  ])
    expect(rulesOf(withRule(`{"limit": {${json}}}`))).toEqual([
      `-A CONNECT -m limit --limit ${rule}`,
    ]);
});

test.each([
  ['"rate": 7', '{"rate": 7}', '`limit` needs `rate` and `per`'],
  ['"rate": 7, "per": "week"', '"week"', 'a period is one of second, minute, hour, day'],
  ['"rate": 7, "per": "day", "inv": true', 'true', 'no limit that matches above its rate'],
  ['"rate": 7, "per": "day", "rate_unit": "mbytes"', '"mbytes"', 'has no bytes'],
  ['"rate": "7", "per": "day"', '"7"', 'are numbers, not a string'],
  ['"rate": 0, "per": "day"', '0', 'rate'],
  ['"rate": 7, "per": "day", "burst": 0', '0', 'out of range'],
])('a limit %s is told', (json, place, said) => {
  expect(faults(withRule(`{"limit": {${json}}}`))).toEqual([
    [place, expect.stringContaining(said)],
  ]);
});

test.each([
  ['{', '', 'this is not JSON: close brace expected'],
  ['[]', '[]', 'a document is an object, not an empty array; at $'],
  ['{"nftables": []}', '[]', 'no table: the document needs'],
  [
    '{"nftables": [{"table": {"family": "ip", "name": "filter"}}]}',
    '"ip"',
    'sockfilter has the table `socket` of the family `inet` alone; at $.nftables[0].table.family',
  ],
  [
    '{"nftables": [{"metainfo": {"sockfilter": {"format": 2}}}]}',
    '2',
    'a newer sockfilter has written this: format 2, and this one reads 1',
  ],
  [
    withRule(test80.replace('dport', 'dprt')),
    '{"payload": {"protocol": "tcp", "field": "dprt"}}',
    'no socket rule can look at `tcp dprt`; at $.nftables[1].rule.expr[0].match.left',
  ],
  [
    withRule(test80.replace('80', '70000')),
    '70000',
    'port `70000` is out of range: it must be 0 to 65535; at $.nftables[1].rule.expr[0].match.right',
  ],
  [withRule(test80.replace('==', '<')), '"<"', 'a socket rule compares with `==` or `!=`, not `<`'],
  [withRule('{"queue": {"num": 5}}'), '"queue"', 'a socket rule has no `queue`'],
  [
    withRule('{"drop": null}, {"accept": null}'),
    '{"accept": null}',
    'nothing stands behind the verdict of a rule; at $.nftables[1].rule.expr[1]',
  ],
  [
    withRule('{"log": {"group": 1, "level": "alert"}}'),
    '"alert"',
    '`level` does not go with `group`; at $.nftables[1].rule.expr[0].log.level',
  ],
  [withRule('{"log": {"level": "audit"}}'), '"audit"', 'a level is one of emerg, alert, crit'],
  [withRule('{"log": {"flags": "all"}}'), '"all"', 'a socket call has `skuid` alone as flags'],
  [
    withRule('{"mangle": {"key": {"meta": {"key": "priority"}}, "value": 1}}'),
    '{"key": {"meta": {"key": "priority"}}, "value": 1}',
    'a socket rule can set `mark`, and `nftrace` to 1, and nothing else',
  ],
  [withRule('{"drop": null}', '"coment": "x", '), '"coment"', 'a rule has no `coment`'],
  [
    withRule('{"drop": null}', '"comment": "x", "comment": "y", '),
    '"comment"',
    '`comment` is given twice',
  ],
  [withRule(`{"counter": null}, ${test80}`), test80, 'a rule counts what all of its matches match'],
  [
    withRule('{"jump": {"target": "nowhere"}}'),
    '"nowhere"',
    'No chain/target/match by that name.; at $.nftables[1].rule.expr[0].jump.target',
  ],
  [
    withRule('{"drop": null}', '"sockfilter": {"matches": [{"match": "tcp", "tests": 1}]}, '),
    '{"match": "tcp", "tests": 1}',
    'these are not the tests of the rule in their order',
  ],
])('%s', (text, place, fault) => {
  expect(faults(text)).toEqual([[place, expect.stringContaining(fault)]]);
});

test('each mistake is told once, in its order', () => {
  const rule = (expr: string) =>
    `{"rule": {"family": "inet", "table": "socket", "chain": "BIND", "expr": [${expr}]}}`;
  const match = (key: string, right: string) =>
    `{"match": {"left": {"meta": {"key": "${key}"}}, "right": ${right}}}`;
  const text = `{"nftables": [{"table": {"family": "inet", "name": "socket"}},\n${[
    rule(match('skuid', '"nobody here"')),
    rule(match('iifname', '"lo"')),
    rule('{"drop": 1}'),
    rule(match('l4proto', '"sctp"')),
  ].join(',\n')}]}`;
  expect(faults(text).map(([place]) => place)).toEqual([
    '"nobody here"',
    '{"meta": {"key": "iifname"}}',
    '1',
    '"sctp"',
  ]);
});
