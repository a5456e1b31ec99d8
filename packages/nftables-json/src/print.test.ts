/** Rules that the kernel of the tests may not have; the others are held against nft's own text. */
import {
  check,
  type Item,
  normalise,
  printRule,
  printStatement,
  statementSchema,
  UnprintableError,
  visitStatement,
} from './index.js';

test.each([
  ['{"queue": null}', 'queue'],
  ['{"queue": {"num": 2}}', 'queue to 2'],
  [
    '{"queue": {"num": {"range": [1, 4]}, "flags": ["bypass", "fanout"]}}',
    'queue flags bypass,fanout to 1-4',
  ],
  ['{"queue": {"num": {"symhash": {"mod": 4}}}}', 'queue to symhash mod 4'],
  ['{"flow": {"op": "add", "flowtable": "@ft"}}', 'flow add @ft'],
  ['{"secmark": "ssh"}', 'meta secmark set "ssh"'],
  ['{"tunnel": "geneve-t"}', 'tunnel name "geneve-t"'],
  [
    '{"map": {"op": "update", "elem": {"payload": {"protocol": "ip", "field": "saddr"}}, "data": {"payload": {"protocol": "tcp", "field": "dport"}}, "map": "@learned"}}',
    'update @learned { ip saddr : tcp dport }',
  ],
  [
    '{"match": {"op": "==", "left": {"payload": {"tunnel": "vxlan", "protocol": "ip", "field": "saddr"}}, "right": "10.0.0.1"}}',
    'vxlan ip saddr 10.0.0.1',
  ],
  [
    '{"match": {"op": "==", "left": {"dccp option": {"type": 1}}, "right": true}}',
    'dccp option 1 exists',
  ],
  ['{"match": {"op": "==", "left": {"tunnel": {"key": "id"}}, "right": 5}}', 'tunnel id 5'],
  ['{"tproxy": {"family": "ip6", "addr": "fd00::1", "port": 80}}', 'tproxy ip6 to [fd00::1]:80'],
  [
    '{"snat": {"family": "ip6", "addr": {"range": ["fd00::1", "fd00::9"]}, "port": {"range": [1, 9]}}}',
    'snat ip6 to [fd00::1]-[fd00::9]:1-9',
  ],
  [
    '{"meter": {"name": "m", "size": 10, "key": {"payload": {"protocol": "ip", "field": "saddr"}}, "stmt": {"ct count": {"val": 5, "inv": true}}}}',
    'meter m size 10 { ip saddr ct count over 5 }',
  ],
])('%s', (text, printed) => {
  const checked = check(statementSchema, JSON.parse(text));
  expect(checked).toMatchObject({ ok: true, unknown: [] });
  expect(checked.ok && printStatement(checked.value)).toBe(printed);
});

test('what has no syntax is told, not left out', () => {
  expect(() => printRule({ expr: [{ xt: { type: 'match', name: 'bpf' } }] })).toThrow(
    UnprintableError,
  );
  const checked = check(statementSchema, JSON.parse('{"frob": {"a": 1}}'));
  expect(() => checked.ok && printStatement(checked.value)).toThrow('frob is not known');
});

test('a visitor gets kinds by name, whatever else they are called', () => {
  const other = () => 'other';
  const visit = (text: string) => {
    const checked = check(statementSchema, JSON.parse(text));
    return (
      checked.ok &&
      visitStatement(checked.value, {
        text: other,
        match: () => 'match',
        vmap: other,
        counter: other,
        quota: other,
        limit: other,
        'ct count': other,
        last: other,
        mangle: other,
        flow: other,
        fwd: other,
        notrack: other,
        dup: other,
        snat: other,
        dnat: other,
        masquerade: other,
        redirect: other,
        reject: other,
        set: other,
        map: other,
        log: other,
        'ct helper': other,
        'ct timeout': other,
        'ct expectation': other,
        secmark: other,
        tunnel: other,
        meter: other,
        queue: other,
        tproxy: other,
        synproxy: other,
        reset: other,
        xt: other,
        accept: other,
        drop: other,
        continue: other,
        break: other,
        return: other,
        jump: other,
        goto: other,
        unknown: (kind) => `unknown ${kind}`,
      })
    );
  };
  expect(visit('{"match": {"op": "==", "left": 1, "right": 2}}')).toBe('match');
  expect(visit('{"accept": null}')).toBe('other');
  expect(visit('{"text": 1}')).toBe('unknown text');
  expect(visit('{"unknown": 1}')).toBe('unknown unknown');
});

test('a form of nft’s own stays as it is when it is given again', () => {
  const given: readonly Item[] = [
    {
      add: {
        chain: {
          family: 'ip',
          table: 't',
          name: 'c',
          type: 'filter',
          hook: 'input',
          prio: 0,
          dev: ['lo'],
        },
      },
    },
    {
      rule: {
        family: 'ip',
        table: 't',
        chain: 'c',
        expr: [
          {
            match: {
              op: '==',
              left: { payload: { protocol: 'ip6', field: 'saddr' } },
              right: 'FD00::0:1',
            },
          },
          { counter: null },
          { limit: { rate: 1024, rate_unit: 'bytes' } },
          { quota: { val: 2048 } },
          { log: { flags: ['ether', 'skuid', 'ip options', 'tcp options', 'tcp sequence'] } },
          { masquerade: {} },
          { snat: { addr: '10.0.0.1', flags: 'random' } },
        ],
      },
    },
  ];
  const once = normalise({ nftables: given });
  expect(normalise(once)).toEqual(once);
  expect(once.nftables).toMatchObject([
    { chain: { dev: 'lo', policy: 'accept' } },
    {
      rule: {
        expr: [
          { match: { right: 'fd00::1' } },
          { counter: { packets: 0, bytes: 0 } },
          { limit: { rate: 1, rate_unit: 'kbytes', per: 'second', burst: 0, burst_unit: 'bytes' } },
          { quota: { val: 2, val_unit: 'kbytes' } },
          { log: { flags: ['all'] } },
          { masquerade: null },
          { snat: { flags: ['random'] } },
        ],
      },
    },
  ]);
});
