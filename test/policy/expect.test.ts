/** Expectations: how they are read, and when they hold. */
import { jsonSchema, readExpectations, readIntended, testFile } from '@sockfilter/policy';
import { fileOf } from './rulefile.js';

const RULES = fileOf([
  ':BIND DROP',
  '-A BIND -d 10.0.0.5 -p tcp --dport 80 -m cgroup --id 3 -m comment --comment "our address" -j ACCEPT',
  '-A CONNECT -d 10.0.0.0/8 -m cgroup --id 3 -j ACCEPT',
  '-A CONNECT -m cgroup --id 3 -j REJECT --reject-with EHOSTUNREACH',
]);

/** `CODE line:column message` of everything that is wrong. */
async function test1(text: string): Promise<readonly string[]> {
  const read = await readExpectations(text, 'x.test.yaml');
  const findings = read.ok
    ? testFile(RULES, read.value).flatMap((result) => result.findings)
    : read.findings;
  return findings.map(
    ({ code, place, message }) => `${code} ${place.line}:${place.column} ${message}`,
  );
}

const oneCase = (call: string, rest: string) => `cases:\n  - call: { ${call} }\n    ${rest}\n`;
const invariant = (text: string) => `invariants:\n  - ${text}\n`;
const WEB_BIND = 'chain: BIND, group: web, dst: 10.0.0.5, dport: 80';

test.each([
  ['accepted', oneCase(WEB_BIND, 'expect: accept')],
  ['by its comment', oneCase(WEB_BIND, 'expect: accept\n    by: our address')],
  ['by the policy', oneCase('chain: BIND, dst: "::", dport: 0', 'expect: drop\n    by: policy')],
  ['an errno', oneCase('chain: CONNECT, group: 3, dst: 1.1.1.1, dport: 1', 'expect: EHOSTUNREACH')],
  [
    'by end',
    oneCase('chain: CONNECT, group: /web, remote: 10.1.1.1, remote-port: 1', 'expect: accept'),
  ],
  ['never', invariant('never: accept\n    in: { chain: BIND, group: db }')],
  ['always', invariant('always: drop\n    in: [{ chain: CONNECT, group: web, family: 6 }]')],
  ['always accept', invariant('always: accept\n    in: { chain: [SENDTO, RECVFROM, ACCEPT] }')],
  [
    'only',
    invariant(
      'only: { in: { chain: BIND }, accept: [{ group: web, local: 10.0.0.5, dport: 80 }] }',
    ),
  ],
])('holds: %s', async (_, text) => {
  expect(await test1(text)).toEqual([]);
});

test.each([
  ['', 'SF102 1:1 the file expects nothing'],
  ['cases: []\n', 'SF102 1:1 the file expects nothing'],
  [oneCase(WEB_BIND, 'expect: refuse'), 'SF100 3:13 expected a refusal, but the call is accepted'],
  [
    oneCase('chain: BIND, dst: "::1", dport: 1', 'expect: EACCES'),
    'SF100 3:13 expected EACCES, but the call is refused with EPERM',
  ],
  [
    oneCase(WEB_BIND, 'expect: accept\n    by: policy'),
    'SF100 4:9 expected `policy` to decide, but another rule does',
  ],
  [invariant('never: accept\n    in: { chain: BIND }'), 'SF101 2:5 calls are accepted'],
  [invariant('always: accept\n    in: { chain: BIND }'), 'SF101 2:5 calls are refused'],
  [
    invariant('only: { in: { chain: BIND }, accept: [] }'),
    'SF101 2:11 calls outside `accept` are accepted',
  ],
  [
    invariant('never: accept\n    in: { chain: BIND, proto: icmp }'),
    'SF102 3:9 no call is in this region, so this holds whatever the rules say',
  ],
  [
    invariant('never: accept\n    in: { chain: BIND, remote: "!10.0.0.1" }'),
    'SF102 3:9 no call is in this region, so this holds whatever the rules say',
  ],
])('fails: %j', async (text, wanted) => {
  expect(await test1(text)).toEqual([wanted]);
});

test.each([
  ['cases: [', 'SF103 1:9'],
  [
    'cases:\n  - call: { chian: BIND }\n    expect: accept\n',
    'SF103 2:13 `cases.0.call`: there is no `chian` here',
  ],
  [oneCase(WEB_BIND, 'expect: maybe'), 'SF103 3:13 `cases.0.expect`: this must be one of'],
  [oneCase('chain: BIND', 'expect: accept'), 'SF103 2:11 a call needs `dst`'],
  [
    oneCase('chain: BIND, dst: 1.1.1.300, dport: 1', 'expect: accept'),
    'SF103 2:31 invalid address `1.1.1.300`',
  ],
  [
    oneCase('chain: ACCEPT, dst: 1.1.1.1, dport: 1', 'expect: accept'),
    'SF103 2:11 a call of ACCEPT needs `src`',
  ],
  [oneCase(`${WEB_BIND}, proto: icmp`, 'expect: accept'), 'SF103 2:20 no such call can happen'],
  [oneCase(`${WEB_BIND}, local: 1.1.1.1`, 'expect: accept'), 'SF103 2:71 `dst` says the same'],
  [invariant('never: accept'), 'SF103 2:5 an invariant has'],
  [invariant('never: accept\n    always: drop\n    in: {}'), 'SF103 2:5 an invariant has'],
  [invariant('never: accept\n    in: { group: wbe }'), 'SF103 3:18 there is no group `wbe`'],
  [invariant('never: accept\n    in: { dport: [80, 70000] }'), 'SF103 3:23 `70000` is no port'],
  [invariant('never: accept\n    in: { remote: !10.0.0.0/8 }'), 'SF103 3:19 there is no such tag'],
])('cannot be understood: %j', async (text, wanted) => {
  const found = await test1(text);
  expect(found.map((each) => each.slice(0, wanted.length))).toEqual([wanted]);
});

test('a failed invariant shows a call, the rule that decides, and every region', async () => {
  const text = invariant('never: accept\n    in: { chain: [BIND, CONNECT], group: web }');
  const read = await readExpectations(text, 'x.test.yaml');
  if (!read.ok) throw new Error('unread');
  const [finding] = testFile(RULES, read.value).flatMap((result) => result.findings);
  expect(finding?.witness?.call).toContain('by group web (3)');
  expect(finding?.notes.map(({ message }) => message)).toEqual([
    expect.stringMatching(/^rule \d of \w+ \(ACCEPT.*\) decides that call: it is accepted$/),
    expect.stringMatching(/^rule \d of \w+ \(ACCEPT.*\) decides others$/),
    'violated by: BIND, group web (3), tcp, to 10.0.0.5 port 80',
    'violated by: CONNECT, group web (3), to 10.0.0.0/8',
  ]);
});

test('intended changes are read with their places', async () => {
  const read = await readIntended('accepted:\n  - { chain: BIND, group: web }\n', 'x.yaml');
  if (!read.ok) throw new Error('unread');
  expect(read.value.accepted).toEqual([{ chain: ['BIND'], group: ['web'] }]);
  expect(read.value.refused).toEqual([]);
  expect(read.value.locate(['accepted', 0, 'group'])).toMatchObject({ line: 2, column: 27 });
});

test('the schemas are JSON schemas', async () => {
  expect(await jsonSchema('expectations')).toMatchObject({
    $schema: expect.stringContaining('json-schema.org'),
    properties: { cases: { type: 'array' }, invariants: { type: 'array' } },
    additionalProperties: false,
  });
  expect(await jsonSchema('intended')).toMatchObject({ properties: { accepted: {} } });
});

describe('what a call goes on with', () => {
  const LED = fileOf([
    '-A CONNECT -p tcp -d 10.9.0.1 -j DNAT --to-destination 10.0.0.5-10.0.0.8:80-81',
    '-A CONNECT -d 10.0.0.8 -m comment --comment closed -j DROP',
    '-A CONNECT -d 10.0.0.0/8 -j MARK --set-mark 0x10',
    '-A CONNECT -p tcp -d fd00::1 -j DNAT --to-destination [fd00::5]:80',
  ]);
  const case4 = (rest: string, dst = '10.9.0.1') =>
    oneCase(`chain: CONNECT, dst: "${dst}", dport: 443`, rest.replaceAll('; ', '\n    '));

  test.each([
    [case4('expect: accept; destination: 10.9.0.2:443', '10.9.0.2'), []],
    [case4('expect: accept; destination: 10.9.0.2; mark: 0x10', '10.9.0.2'), []],
    [case4('expect: accept; destination: "[fd00::5]:80"; mark: 0', 'fd00::1'), []],
    [case4('expect: accept; destination: ":80"', 'fd00::1'), []],
    [
      case4('expect: accept; destination: "[fd00::5]:81"', 'fd00::1'),
      ['SF100 4:18 expected `[fd00::5]:81`, but the call goes on to [fd00::5]:80'],
    ],
    [
      case4('expect: accept; destination: 10.0.0.5', 'fd00::1'),
      ['SF100 4:18 expected `10.0.0.5`, but the call goes on to [fd00::5]:80'],
    ],
    [
      case4('expect: accept; mark: 1', '10.9.0.2'),
      ['SF100 4:11 expected mark 1, but the call goes on with 16'],
    ],
    // One of the four is refused, so that some calls are.
    [case4('expect: accept'), ['SF100 3:13 expected accept, but the call is refused with EPERM']],
    [
      case4('expect: refuse; by: closed; destination: 10.0.0.8', '10.0.0.8'),
      ['SF100 3:13 a call that is refused goes on to nowhere'],
    ],
  ])('%s', async (text, expected) => {
    const read = await readExpectations(text, 'x.test.yaml');
    if (!read.ok) throw new Error(read.findings.map(({ message }) => message).join());
    const findings = testFile(LED, read.value).flatMap((result) => result.findings);
    expect(
      findings.map(
        ({ code, place, message }) => `${code} ${place.line}:${place.column} ${message}`,
      ),
    ).toEqual(expected);
  });

  test('of several destinations each must be among those that are expected', async () => {
    const rules = fileOf([
      '-A CONNECT -p tcp -d 10.9.0.1 -j DNAT --to-destination 10.0.0.5-10.0.0.8:80-81',
    ]);
    for (const [destination, holds] of [
      ['10.0.0.5-10.0.0.8:80-81', true],
      ['10.0.0.0-10.0.0.255', true],
      [':80-81', true],
      ['10.0.0.5-10.0.0.7:80-81', false],
      ['10.0.0.6-10.0.0.8:80-81', false],
      ['10.0.0.5-10.0.0.8:80', false],
    ] as const) {
      const read = await readExpectations(
        case4(`expect: accept; destination: "${destination}"`),
        'x.test.yaml',
      );
      if (!read.ok) throw new Error(destination);
      const [result] = testFile(rules, read.value);
      expect([destination, result?.findings.length === 0]).toEqual([destination, holds]);
    }
  });

  test.each(['10.0.0.5-', '10.0.0.9-10.0.0.5', 'example.com', ':', '10.0.0.5:70000', '[::1'])(
    'is no destination: %s',
    async (destination) => {
      const read = await readExpectations(
        case4(`expect: accept; destination: "${destination}"`),
        'x.test.yaml',
      );
      expect(read.ok).toBe(false);
    },
  );
});
