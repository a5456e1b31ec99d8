/** Changes: groups, and paths that no group has yet. */
import { Comparison, type RuleFile } from '@sockfilter/policy';
import { fileOf } from './rulefile.js';

function compare(before: RuleFile, after: RuleFile) {
  const comparison = new Comparison(before, after);
  const change = comparison.describe();
  const findings = comparison.findings(change);
  return { change, told: findings.map(({ code, message }) => `${code} ${message}`) };
}

test('a path that both name means the same group, whatever else they name', () => {
  const before = fileOf(['-A CONNECT -m cgroup --path /a -j DROP']);
  const after = fileOf([
    '-A CONNECT -m cgroup --path /b -p udp -d 10.0.0.1 -j DROP',
    '-A CONNECT -m cgroup --path /a -j DROP',
  ]);
  const { change, told } = compare(before, after);
  expect(told).toEqual(['SF201 newly refused: CONNECT, group /b (2), udp, to 10.0.0.1']);
  expect(change.groups).toEqual([]);
  expect(compare(before, before).change.isSame).toBe(true);
});

test('a group that comes, goes or moves is a change of its own', () => {
  const { change, told } = compare(fileOf(['-G old --id 9']), fileOf(['-G new --id 8 --path /n']));
  expect(change.isSame).toBe(false);
  expect(told).toEqual([
    'SF203 group `old` is gone: id 9, no path',
    'SF203 group `new` is new: id 8, path /n',
  ]);
});

test('unseen sockets that can be made are new access, those that no longer can are not', () => {
  const [open, closed] = [fileOf([]), fileOf(['--deny-unseen'])];
  const gone = '`--deny-unseen` is gone: raw, SCTP, DCCP and UDP-Lite sockets can be made';
  const { change, told } = compare(closed, open);
  expect(change).toMatchObject({ isSame: false, rules: [gone], regions: [] });
  expect(told).toEqual([`SF212 ${gone}`]);
  const strict = (before: RuleFile, after: RuleFile) => {
    const comparison = new Comparison(before, after);
    return comparison.findings(comparison.describe(), { noNewAccess: true }).length;
  };
  expect(strict(closed, open)).toBe(1);
  expect(strict(open, closed)).toBe(0);
  expect(compare(closed, closed).change.isSame).toBe(true);
});

test('the errno alone', () => {
  const { told } = compare(
    fileOf(['-A CONNECT -d 10.0.0.1 -j REJECT --reject-with EACCES']),
    fileOf(['-A CONNECT -d 10.0.0.1 -j DROP']),
  );
  expect(told).toEqual(['SF202 other errno: CONNECT, to 10.0.0.1']);
});

test('every rule that decides a region is named, on both sides', () => {
  const before = fileOf(['-A CONNECT -d 10.0.0.0/9 -j DROP', '-A CONNECT -d 10.128.0.0/9 -j DROP']);
  const { change } = compare(before, fileOf([]));
  const [region, more] = change.regions;
  expect(more).toBeUndefined();
  expect(region?.text).toBe('CONNECT, to 10.0.0.0/8');
  expect(region?.before.map(({ message }) => message)).toEqual([
    'before: rule 1 of CONNECT (DROP): refused with EPERM',
    'before: rule 2 of CONNECT (DROP) for others',
  ]);
  expect(region?.after.map(({ message }) => message)).toEqual([
    'now: the policy of CONNECT (ACCEPT): accepted',
  ]);
});
