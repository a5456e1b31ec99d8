/** What checks, differences and queries say of rules that set marks and look at them. */
import { Comparison, checkFile, Query } from '@sockfilter/policy';
import { fileOf } from './rulefile.js';

function told(before: readonly string[], after: readonly string[], noNewAccess = false) {
  const comparison = new Comparison(fileOf(before), fileOf(after));
  const change = comparison.describe();
  const findings = comparison.findings(change, { noNewAccess });
  return findings.map(({ code, message, notes }) => [
    `${code} ${message}`,
    ...notes.map((note) => note.message),
  ]);
}

const ONE = '-A CONNECT -d 10.0.0.1 -j MARK --set-xmark 0x1/0xf';

test('another mark is a change of its own, and new access', () => {
  const changed = ['SF213 other rewriting: CONNECT, to 10.0.0.1, mark not 0x1/0xf'];
  for (const strict of [false, true])
    expect(told([], [ONE], strict)).toEqual([
      [
        ...changed,
        'before: the policy of CONNECT (ACCEPT): accepted',
        'now: the policy of CONNECT (ACCEPT): accepted, with mark & 0xfffffff0 ^ 0x1',
      ],
    ]);
  expect(told([ONE], [ONE])).toEqual([]);
  expect(told([ONE, '-P CONNECT DROP'], ['-P CONNECT DROP'])).toEqual([]);
});

test('two that make the same of every mark are no change', () => {
  const turned = '-A CONNECT -d 10.0.0.1 -j MARK --xor-mark 0x3';
  expect(told([turned, turned, ONE], [ONE])).toEqual([]);
  expect(
    told([ONE], ['-A CONNECT -d 10.0.0.1 -m mark ! --mark 0x1/0xf -j MARK --set-xmark 0x1/0xf']),
  ).toEqual([]);
});

test('what is accepted by a mark that a rule before sets', () => {
  const file = fileOf([
    '-P CONNECT DROP',
    '-A CONNECT -d 10.0.0.1 -j MARK --set-mark 7',
    '-A CONNECT -m mark --mark 7/7 -p udp -j ACCEPT',
  ]);
  const listed = (verdict: 'accept' | 'refuse') =>
    new Query(file, verdict, { chain: ['CONNECT'], proto: ['udp'], remote: ['10.0.0.0/30'] })
      .regions()
      .boxes.map(({ text, becomes }) => `${text}${becomes ? `: ${becomes}` : ''}`);
  expect(listed('accept')).toEqual([
    'CONNECT, udp, to 10.0.0.0,10.0.0.2/31, mark 0x7/0x7',
    'CONNECT, udp, to 10.0.0.1: mark 0x7',
  ]);
  expect(listed('refuse')).toEqual(['CONNECT, udp, to 10.0.0.0,10.0.0.2/31, mark not 0x7/0x7']);
});

test('a rule that looks at a mark too late is told', () => {
  const file = fileOf([
    '-A CONNECT -j MARK --set-mark 7',
    '-A CONNECT -m mark --mark 5 -j DROP',
    '-A CONNECT -m mark --mark 7 -p tcp -j DROP',
  ]);
  const findings = checkFile(file).findings.filter(({ severity }) => severity !== 'info');
  expect(findings.map(({ code, message, place }) => `${place.line} ${code} ${message}`)).toEqual([
    '5 SF003 no call that comes here has such a mark by then',
  ]);
});
