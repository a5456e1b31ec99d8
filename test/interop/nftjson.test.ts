/** Rulesets of nft as rules: what can be said is said, and the rest is told and never accepted for. */
import { finishDraft, readRuleset, translate } from '@sockfilter/interop';
import { parseSave } from '@sockfilter/iptables';
import { NO_NAMES } from '@sockfilter/language';
import type { BuiltinChain } from '@sockfilter/table';

const MAP = new Map<string, readonly BuiltinChain[]>([
  ['input', ['ACCEPT']],
  ['output', ['CONNECT']],
]);

function imported(items: readonly object[]) {
  const text = JSON.stringify({ nftables: items });
  const draft = translate([readRuleset({ name: 'r.json', text })], MAP, []);
  const { text: rules, remarks } = finishDraft(draft);
  expect(parseSave(rules, 'rules', { names: NO_NAMES }).diagnostics).toEqual([]);
  return {
    rules: rules.split('\n').filter((line) => line.startsWith('-A')),
    remarks: remarks.map(({ place, fate, reason }) => `${place} ${fate}: ${reason}`),
  };
}

const base = (name: string, hook: string, policy = 'drop') => ({
  chain: { family: 'inet', table: 't', name, type: 'filter', hook, prio: 0, policy },
});
const rule = (expr: readonly unknown[], chain = 'in') => ({
  rule: { family: 'inet', table: 't', chain, expr },
});
const compare = (left: object, right: unknown, op = '==') => ({ match: { op, left, right } });
const port = { payload: { protocol: 'tcp', field: 'dport' } };
const source = { payload: { protocol: 'ip', field: 'saddr' } };
const accept = { accept: null };
const drop = { drop: null };

test.each([
  ['a device', [compare({ meta: { key: 'iifname' } }, 'eth0')]],
  ['a limit', [{ limit: { rate: 5, per: 'second' } }]],
  ['a named limit', [{ limit: 'slow' }]],
  ['a count of connections', [{ 'ct count': { val: 10 } }]],
  ['a mark', [compare({ meta: { key: 'mark' } }, 5)]],
  ['raw bytes', [compare({ payload: { base: 'nh', offset: 8, len: 8 } }, 5)]],
  ['a set that is not listed', [compare(source, '@gone')]],
  ['a mask', [compare({ '&': [source, '255.0.255.0'] }, '10.0.1.0')]],
  ['a match of iptables', [{ xt: { type: 'match', name: 'recent' } }]],
  ['a change of a set', [{ set: { op: 'add', elem: source, set: '@s' } }]],
  ['the sign before a control group', [compare({ socket: { key: 'cgroupv2' } }, 'a/b', '!=')]],
  ['the order of addresses', [compare(source, '10.0.0.1', '<')]],
])('%s: what accepts is left out, and what refuses does it without', (_, expr) => {
  const opened = imported([base('in', 'input'), rule([...expr, accept])]);
  expect(opened.rules).toEqual(['-A ACCEPT -j DROP']);
  expect(opened.remarks[0]).toMatch(/^\$\.nftables\[1\]\.rule narrowed: left out: /);
  const closed = imported([base('in', 'input', 'accept'), rule([...expr, drop])]);
  expect(closed.rules.every((line) => /-j DROP$/.test(line) && !/ -s /.test(line))).toBe(true);
  expect(closed.rules.length).toBeGreaterThan(0);
  expect(closed.remarks.join()).toContain('narrowed: it refuses without a test');
});

test('a chain is named by itself, and with its table where several have the name', () => {
  const table = (name: string) => [
    { chain: { family: 'inet', table: name, name: 'zone' } },
    { rule: { family: 'inet', table: name, chain: 'zone', expr: [compare(port, 22), accept] } },
  ];
  const one = JSON.stringify({ nftables: table('a') });
  const two = JSON.stringify({ nftables: [...table('a'), ...table('b')] });
  const run = (text: string, name: string) =>
    finishDraft(
      translate([readRuleset({ name: 'r', text })], new Map([[name, ['ACCEPT'] as const]]), []),
    );
  for (const { text } of [run(one, 'zone'), run(two, 'inet b zone')])
    expect(text).toContain('-A ACCEPT -p tcp --dport 22 -j ACCEPT');
  expect(run(two, 'zone').remarks.map(({ fate, reason }) => `${fate}: ${reason}`)).toContain(
    'wider: `zone` may be `inet a zone` or `inet b zone`',
  );
});

test.each([
  ['a statement of a newer nft', { teleport: null }],
  ['a queue', { queue: { num: 3 } }],
  ['text', 'jump { accept; }'],
  ['a target of iptables', { xt: { type: 'target', name: 'NFQUEUE' } }],
  ['an unnamed expression of iptables', { xt: null }],
])('%s refuses', (_, statement) => {
  const { rules, remarks } = imported([base('in', 'input', 'accept'), rule([statement, accept])]);
  expect(rules).toEqual(['-A ACCEPT -j DROP']);
  expect(remarks.join()).toContain('narrowed: sockfilter has no target');
});

test.each([
  ['a key in a match', rule([{ match: { op: '==', left: port, right: 22, mask: 5 } }, accept])],
  ['a wrong type', rule([{ match: { op: '===', left: port, right: 22 } }, accept])],
  ['a command', { delete: { table: { family: 'inet', name: 't' } } }],
  ['a rule of no chain', rule([accept], 'gone')],
])('%s is told as wider', (_, item) => {
  expect(imported([base('in', 'input'), item]).remarks.join()).toMatch(
    /\$\.nftables\[1\].* wider: /,
  );
});

test('sets, ranges and maps become rules, in their order', () => {
  const { rules, remarks } = imported([
    base('in', 'input'),
    { chain: { family: 'inet', table: 't', name: 'web' } },
    {
      set: {
        family: 'inet',
        table: 't',
        name: 's',
        type: 'ipv4_addr',
        elem: [
          { prefix: { addr: '10.0.0.0', len: 8 } },
          { elem: { val: '192.0.2.1', timeout: 5 } },
        ],
      },
    },
    rule([compare(port, { set: [80, { range: [8000, 8080] }] }), compare(source, '@s'), accept]),
    rule([
      {
        vmap: {
          key: port,
          data: {
            set: [
              ['*', { jump: { target: 'web' } }],
              [22, drop],
            ],
          },
        },
      },
    ]),
    rule([compare(source, { set: ['10.0.0.1', '10.0.0.2'] }, '!='), drop], 'web'),
    rule([compare({ ct: { key: 'state' } }, ['established', 'related'], 'in'), accept], 'web'),
    rule([compare({ meta: { key: 'l4proto' } }, 'tcp'), compare(port, 1024, '>'), accept], 'web'),
  ]);
  expect(rules).toEqual([
    '-A ACCEPT -4 -p tcp -m multiport --dports 80,8000:8080 -s 10.0.0.0/8 -j ACCEPT',
    '-A ACCEPT -4 -p tcp -m multiport --dports 80,8000:8080 -s 192.0.2.1 -j ACCEPT',
    '-A ACCEPT -p tcp --dport 22 -j DROP',
    '-A ACCEPT -p tcp -j web',
    '-A ACCEPT -j DROP',
    '-A web -4 -j web-besides',
    '-A web -p tcp --dport 1025:65535 -j ACCEPT',
    '-A web-besides -4 -s 10.0.0.1 -j RETURN',
    '-A web-besides -4 -s 10.0.0.2 -j RETURN',
    '-A web-besides -j DROP',
  ]);
  expect(remarks).toEqual(['$.nftables[6].rule moot: `ESTABLISHED,RELATED`: a socket call is NEW']);
});

test('what one chain of a hook accepts goes on to the next', () => {
  const late = { chain: { ...base('late', 'input').chain, prio: 10 } };
  const { rules } = imported([
    late,
    base('in', 'input', 'accept'),
    rule([compare(port, 22), accept]),
    rule([compare(port, 23), drop]),
    rule([compare(port, 22), accept], 'late'),
  ]);
  expect(rules).toEqual([
    '-A ACCEPT -p tcp --dport 22 -g late',
    '-A ACCEPT -p tcp --dport 23 -j DROP',
    '-A ACCEPT -g late',
    '-A late -p tcp --dport 22 -j ACCEPT',
    '-A late -j DROP',
  ]);
});

test.each([
  ['*filter\n:INPUT DROP [0:0]\nCOMMIT\n', 'iptables-save'],
  ['table inet t {\n}\n', 'without `-j`'],
])('what is no JSON is told with what it may be: %j', (text, hint) => {
  const { remarks } = readRuleset({ name: 'r.json', text });
  expect(remarks.map(({ fate }) => fate)).toEqual(['wider']);
  expect(remarks[0]?.reason).toContain(hint);
});

test('a chain map of no chain is told, and nothing else', () => {
  const filter = readRuleset({ name: 'r.json', text: '{"nftables": []}' });
  const { remarks } = translate([filter], new Map([['INPTU', ['ACCEPT']]]), []);
  expect(remarks.map(({ fate }) => fate)).toEqual(['wider']);
});
