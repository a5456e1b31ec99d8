/** Tables as nftables JSON, in every command that reads or prints one. */
import { contentOf } from '../../packages/cli/src/ci/rulecontent.js';
import { Workplace } from './command.js';

const RULES = `*socket
:BIND DROP [7:0]
:office - [0:0]
-G web --id 3 --path "/web.slice"
[12:0] -A BIND -d 10.0.0.5/32 -m cgroup --id 3 -j ACCEPT
-A BIND -m cgroup --id 3 -j office
-A office -d 10.0.0.6/32 -j ACCEPT
COMMIT
`;

let place: Workplace;
let json: string;
beforeAll(() => {
  place = new Workplace();
  place.write('text.rules', RULES);
  json = place.expectStatus(['--file', 'text.rules', 'save', '--json', '-c'], 0).stdout;
});
beforeEach(() => place.write('table.json', json));
afterAll(() => place.remove());

test('both notations say the same to every command', () => {
  const commands = [
    ['save', '-c'],
    ['query', 'accept', '--chain', 'BIND'],
  ];
  for (const command of commands) {
    const [text, table] = ['text.rules', 'table.json'].map(
      (file) => place.expectStatus(['--file', file, ...command], 0).stdout,
    );
    expect(table).toBe(text);
  }
  expect(place.expectStatus(['diff', 'text.rules', 'table.json'], 0).stdout).toContain('the same');
});

test('an edit leaves a document', () => {
  place.expectStatus(['--file', 'table.json', '-A', 'BIND', '-d', '10.0.0.7', '-j', 'DROP'], 0);
  expect(JSON.parse(place.read('table.json')).nftables.at(-2)).toMatchObject({
    rule: { chain: 'BIND', handle: 3 },
  });
  place.expectStatus(['--file', 'table.json', '-D', 'BIND', '3'], 0);
  const { stdout } = place.expectStatus(['--file', 'table.json', 'save', '--json', '-c'], 0);
  expect(stdout).toBe(json);
});

test('listings print one chain or one rule', () => {
  const { stdout } = place.expectStatus(['--file', 'table.json', '-S', 'BIND', '2', '--json'], 0);
  const kinds = JSON.parse(stdout).nftables.map((item: object) => Object.keys(item)[0]);
  expect(kinds).toEqual(['metainfo', 'table', 'chain', 'rule']);
  expect(place.expectStatus(['--file', 'text.rules', '-A', 'BIND', '--j', 'DROP'], 0).stdout).toBe(
    '',
  );
  place.write('text.rules', RULES);
});

test('a mistake has its place and its path, and nothing changes', () => {
  const broken = json.replace('"10.0.0.5"', '"10.0.0.500"');
  place.write('table.json', broken);
  const { stderr } = place.expectStatus(['--file', 'table.json', '-A', 'BIND'], 2);
  expect(stderr).toMatch(/^table\.json:11:\d+: error: .*10\.0\.0\.500/);
  expect(stderr).toContain('note: at $.nftables[9].rule.expr[0].match.right');
  expect(place.read('table.json')).toBe(broken);
  const { stdout } = place.expectStatus(['check', 'table.json'], 2);
  expect(stdout).toContain('$.nftables[9]');
});

test('findings stand at the rule; simplify prints a document', () => {
  const doubled = json.replace(/(.*"chain":"office".*)\n/, '$1,\n$1\n');
  place.write('table.json', doubled);
  const { stdout } = place.run(['check', 'table.json']);
  expect(stdout).toMatch(/table\.json:14:\d+: warning\[SF002\]/);
  expect(place.expectStatus(['simplify', 'table.json'], 0).stdout.split('\n')).toHaveLength(
    json.split('\n').length,
  );
});

test('restore takes it, and with --json nothing else', () => {
  place.expectStatus(['--file', 'new.rules', 'restore', '-c', 'table.json'], 0);
  expect(place.read('new.rules')).toBe(json);
  place.expectStatus(['restore', '--test', '--json', 'table.json'], 0);
  place.expectStatus(['restore', '--test', '--json', 'text.rules'], 2);
});

test('a rule file in JSON is no way past diff --since', () => {
  expect(contentOf(Buffer.from(json))).toBe('rules');
  expect(contentOf(Buffer.from('{"rules": []}'))).toBe('other');
});

test('the schema is published', () => {
  const schema = JSON.parse(place.expectStatus(['schema', 'table'], 0).stdout);
  expect(schema).toMatchObject({ properties: { nftables: { type: 'array' } } });
});
