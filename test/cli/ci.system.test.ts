/** The commands of CI: check, test, diff, query, simplify, rules, schema. */

import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { z } from 'zod';
import { Workplace } from './command.js';

const RULES = `*socket
:BIND DROP [0:0]
:ACCEPT DROP [0:0]
:CONNECT DROP [0:0]
:SENDTO DROP [0:0]
:RECVFROM DROP [0:0]
-G web --id 3 --path /web
# Its own address.
-A BIND -d 10.0.0.5/32 -p tcp -m tcp --dport 80 -m cgroup --id 3 -j ACCEPT
-A CONNECT -d 10.0.0.0/8 -m cgroup --id 3 -j ACCEPT
COMMIT
`;

const SHADOWED = RULES.replace(
  'COMMIT',
  '# Never.\n-A CONNECT -d 10.1.0.0/16 -m cgroup --id 3 -j DROP\nCOMMIT',
);

const TESTS = `invariants:
  - never: accept
    in: { chain: BIND, group: web, local-port: "!80" }
`;

let place: Workplace;
beforeEach(() => {
  place = new Workplace();
  place.write('web.rules', RULES);
});
afterEach(() => place.remove());

describe('check', () => {
  test('a `-` is standard input, also among others', () => {
    const bad = '*socket\n-A BIND -p tpc -j DROP\nCOMMIT\n';
    for (const paths of [['-'], ['web.rules', '-']]) {
      const { stdout } = place.expectStatus(['check', ...paths], 2, { input: bad });
      expect(stdout).toContain('/dev/stdin:2:12: error[SF000]: unknown protocol `tpc`');
    }
  });

  test('a sound file is 0', () => {
    const { stdout } = place.expectStatus(['check', 'web.rules'], 0);
    expect(stdout).toMatch(/^0 errors, 0 warnings, 3 remarks in 1 file$/m);
  });

  test('a finding is 1, with its line, the rule that covers it and a call', () => {
    place.write('web.rules', SHADOWED);
    const { stdout } = place.expectStatus(['check', '.'], 1);
    expect(stdout).toContain('web.rules:12:1: error[SF001]: this rule never has an effect');
    expect(stdout).toContain(' 12 | -A CONNECT -d 10.1.0.0/16 -m cgroup --id 3 -j DROP\n');
    expect(stdout).toContain('web.rules:10:1: rule 1 of CONNECT (ACCEPT) decides all of its calls');
    expect(stdout).toContain('call: connect(tcp, 10.1.0.1:443) by group web (3)');
    place.expectStatus(['check', '.', '--exit-zero'], 0);
  });

  test('the command that a finding prints shows how the call is decided', () => {
    place.write('web.rules', SHADOWED);
    const { stdout } = place.run(['check', 'web.rules']);
    const command = /^ +sockfilter (.*explain.*)$/m.exec(stdout)?.[1] ?? '';
    const told = place.expectStatus(command.split(' '), 0);
    expect(told.stdout).toMatch(/^allowed by rule 1 of CONNECT\n/);
  });

  test('--fail-on', () => {
    const warned = RULES.replace('10.0.0.0/8', '10.0.0.1/8');
    place.write('web.rules', warned);
    place.expectStatus(['check', 'web.rules'], 0);
    place.expectStatus(['check', 'web.rules', '--fail-on', 'warning'], 1);
    place.expectStatus(['check', 'web.rules', '--fail-on', 'nothing'], 2);
  });

  test('every mistake of the text is told, and is 2', () => {
    place.write('web.rules', RULES.replace('--dport 80', '--dprot 80').replace('/8', '/99'));
    const { stdout } = place.expectStatus(['check', 'web.rules'], 2);
    expect(stdout.match(/error\[SF000\]/g)).toHaveLength(2);
    expect(stdout).toContain('^^^^^^^');
  });

  test('--kernel', () => {
    place.expectStatus(['check', 'web.rules', '--kernel', '5.15'], 1);
    place.expectStatus(['check', 'web.rules', '--kernel', '6.1.0-18-amd64'], 0);
    place.expectStatus(['check', 'web.rules', '--kernel', 'new'], 2);
  });

  test('what is not there is 2', () => {
    place.expectStatus(['check'], 2);
    place.expectStatus(['check', 'nowhere.rules'], 2);
    mkdirSync(place.path('empty'));
    place.expectStatus(['check', 'empty'], 2);
    place.expectStatus(['check', 'web.rules', '--format', 'pdf'], 2);
  });

  test('one run feeds every format', () => {
    place.write('web.rules', SHADOWED);
    const formats = ['json', 'sarif', 'junit', 'markdown', 'github'];
    const words = formats.flatMap((format) => ['--format', `${format}=out.${format}`]);
    const { stdout } = place.expectStatus(['check', 'web.rules', ...words, '--format', 'text'], 1);
    expect(stdout).toContain('error[SF001]');
    for (const format of formats) expect(place.read(`out.${format}`)).toContain('SF001');
    expect(JSON.parse(place.read('out.sarif'))).toMatchObject({ version: '2.1.0' });
  });
});

describe('test', () => {
  test('expectations beside the rules', () => {
    place.write('web.test.yaml', TESTS);
    for (const paths of [[], ['.'], ['web.rules'], ['web.test.yaml']])
      expect(place.expectStatus(['test', ...paths], 0).stdout).toMatch(/^1 expectation, 0 failed/);
  });

  test('expectations beside rules in the other notation', () => {
    place.write('web.test.yaml', TESTS);
    place.write(
      'web.json',
      place.expectStatus(['--file', 'web.rules', 'save', '--json'], 0).stdout,
    );
    for (const paths of [[], ['web.rules'], ['web.json'], ['web.test.yaml']])
      expect(place.expectStatus(['test', ...paths], 2).stderr).toBe(
        'sockfilter: `web.test.yaml` stands beside both `web.rules` and `web.json`\n  help: give one of them another name\n',
      );
    rmSync(place.path('web.rules'));
    for (const paths of [[], ['.'], ['web.json'], ['web.test.yaml']])
      expect(place.expectStatus(['test', ...paths], 0).stdout).toMatch(/^1 expectation, 0 failed/);
  });

  test('a failed invariant is 1', () => {
    place.write('web.rules', RULES.replace('--dport 80', '--dport 80:81'));
    place.write('web.test.yaml', TESTS);
    const { stdout } = place.expectStatus(['test'], 1);
    expect(stdout).toContain('web.test.yaml:2:5: error[SF101]: calls are accepted');
    expect(stdout).toContain('violated by: BIND, group web (3), tcp, to 10.0.0.5 port 81');
  });

  test('no expectation fails', () => {
    place.expectStatus(['test'], 2);
    place.expectStatus(['test', 'web.rules'], 2);
    place.write('web.test.yaml', '');
    expect(place.expectStatus(['test'], 1).stdout).toContain('SF102');
  });

  test('a mistake in them is 2, with its place', () => {
    place.write('web.test.yaml', TESTS.replace('group: web', 'group: wbe'));
    const { stdout } = place.expectStatus(['test'], 2);
    expect(stdout).toContain('web.test.yaml:3:31: error[SF103]: there is no group `wbe`');
  });
});

describe('the files of a folder', () => {
  const OTHERS = {
    'firestore.rules': "rules_version = '2';\nservice cloud.firestore {\n}\n",
    'udev/99-local.rules': 'SUBSYSTEM=="usb", MODE="0666"\n',
    'ids/local.rules': 'alert tcp any any -> any 80 (msg:"x"; sid:1;)\n',
  };
  beforeEach(() => {
    for (const [name, text] of Object.entries(OTHERS)) {
      mkdirSync(dirname(place.path(name)), { recursive: true });
      place.write(name, text);
    }
  });

  test('rules of other programs are left out with a note, and read if they are named', () => {
    const { stdout } = place.expectStatus(['check', '.'], 0);
    for (const name of Object.keys(OTHERS))
      expect(stdout).toContain(`note: \`${name}\` is left out: it has no table \`socket\`\n`);
    expect(stdout).toContain('in 1 file\n');
    place.expectStatus(['check', 'firestore.rules'], 2);
    const { stderr } = place.expectStatus(['check', 'udev'], 2);
    expect(stderr).toContain('no file in `udev` ends in `.rules` and counts');
  });

  test('a misspelt table is no other program', () => {
    place.write('web.rules', RULES.replace('*socket', '*sockte'));
    expect(place.expectStatus(['check', '.'], 2).stdout).toContain('web.rules:1:');
  });

  test('--exclude and the ignore file, as .gitignore has patterns', () => {
    place.write('bad.rules', '*socket\n-A BIND -p tpc\nCOMMIT\n');
    place.expectStatus(['check', '.'], 2);
    const excluded = place.expectStatus(['check', '.', '--exclude', '/b*.rules'], 0).stdout;
    expect(excluded).toContain('note: `bad.rules` is left out: it is excluded\n');
    place.write('.sockfilterignore', '# Ours.\n*.rules\n!web.rules\n');
    expect(place.expectStatus(['check', '.'], 0).stdout).toContain('in 1 file\n');
    expect(place.expectStatus(['check', 'bad.rules'], 0).stdout).toContain('it is excluded');
    place.expectStatus(['check', '.', '--exclude', 'web.rules'], 2);
  });

  test('nothing expected is well where it is said so', () => {
    for (const paths of [[], ['.'], ['web.rules']]) {
      const words = ['test', ...paths, '--pass-with-no-tests'];
      expect(place.expectStatus(words, 0).stdout).toContain('note: ');
    }
    place.write('web.test.yaml', TESTS.replace('!80', '!81'));
    place.expectStatus(['test', '--pass-with-no-tests'], 1);
  });
});

test('what is read after `--` is a file, whatever its name', () => {
  place.write('-x.rules', RULES);
  expect(place.expectStatus(['check', '--', '-x.rules'], 0).stdout).toContain('in 1 file');
  place.expectStatus(['check', '--', '--exit-zero'], 2);
});

describe('diff', () => {
  const changed = RULES.replace('--dport 80', '--dport 80:81');

  test('files that mean the same', () => {
    const other = RULES.replace(
      '-d 10.0.0.0/8 -m cgroup --id 3',
      '-m cgroup --id 3 -d 10.0.0.0/9',
    ).replace('COMMIT', '-A CONNECT -d 10.128.0.0/9 -m cgroup --id 3 -j ACCEPT\nCOMMIT');
    place.write('other.rules', other);
    const { stdout } = place.expectStatus(['diff', 'web.rules', 'other.rules'], 0);
    expect(stdout).toMatch(/^the files mean the same;/);
  });

  test('regions, with a call and the rules of both sides', () => {
    place.write('new.rules', changed);
    const { stdout } = place.expectStatus(['diff', 'web.rules', 'new.rules'], 1);
    expect(stdout).toContain(
      'new.rules:9:1: error[SF200]: newly accepted: BIND, group web (3), tcp, to 10.0.0.5 port 81\n',
    );
    expect(stdout).toContain('before: the policy of BIND (DROP): refused with EPERM');
    expect(stdout).toContain('now: rule 1 of BIND (ACCEPT): accepted');
  });

  test('--no-new-access', () => {
    place.write('new.rules', changed);
    place.expectStatus(['diff', 'web.rules', 'new.rules', '--no-new-access'], 1);
    const { stdout } = place.expectStatus(['diff', 'new.rules', 'web.rules', '--no-new-access'], 0);
    expect(stdout).toMatch(/^the change gives no new access;/);
  });

  test('--intended', () => {
    place.write('new.rules', changed);
    const region = '{ chain: BIND, group: web, proto: tcp, local: 10.0.0.5, local-port: 81 }';
    const run = (text: string, status: number) => {
      place.write('intended.yaml', text);
      return place.expectStatus(
        ['diff', 'web.rules', 'new.rules', '--intended', 'intended.yaml'],
        status,
      ).stdout;
    };
    expect(run(`accepted:\n  - ${region}\n`, 0)).toMatch(/^the change is the intended one;/);
    expect(run('accepted: []\n', 1)).toContain('error[SF204]: calls become accepted that should');
    expect(run(`accepted:\n  - ${region.replace('81', '81-82')}\n`, 1)).toContain(
      'intended.yaml:2:5: error[SF205]: not all of these calls become accepted',
    );
    expect(run('acepted: []\n', 2)).toContain('there is no `acepted` here');
  });

  test('git:REVISION:PATH', () => {
    const git = (...words: readonly string[]) =>
      execFileSync('git', words, {
        cwd: place.folder,
        stdio: 'ignore',
        env: { ...process.env, GIT_CONFIG_GLOBAL: '/dev/null' },
      });
    git('init', '-q');
    git('add', 'web.rules');
    git('-c', 'user.name=x', '-c', 'user.email=x@x', 'commit', '-qm', 'x');
    place.expectStatus(['diff', 'git:HEAD:web.rules', 'web.rules'], 0);
    place.write('web.rules', changed);
    const { stdout } = place.expectStatus(['diff', 'git:HEAD:web.rules', 'web.rules'], 1);
    expect(stdout).toContain('git:HEAD:web.rules:2:1: before: the policy of BIND');
    const { stderr } = place.expectStatus(['diff', 'git:HEAD:no.rules', 'web.rules'], 2);
    expect(stderr).toContain('`git:HEAD:no.rules` cannot be read: ');
    place.expectStatus(['diff', 'git:HEAD', 'web.rules'], 2);
  });

  test('json tells the change whatever counts as wrong', () => {
    place.write('new.rules', changed);
    const words = ['diff', 'new.rules', 'web.rules', '--no-new-access', '--format', 'json'];
    const answer: unknown = JSON.parse(place.expectStatus(words, 0).stdout);
    expect(answer).toMatchObject({ exit: 0, same: false, regions: [{ kind: 'newly refused' }] });
    expect(schemaOf('diff').safeParse(answer).error).toBeUndefined();
    // The region as data is what `--intended` reads.
    const { regions } = z
      .looseObject({ regions: z.array(z.looseObject({ region: z.unknown() })) })
      .parse(answer);
    place.write('it.yaml', JSON.stringify({ refused: regions.map(({ region }) => region) }));
    place.expectStatus(['diff', 'new.rules', 'web.rules', '--intended', 'it.yaml'], 0);
  });

  test('the rules that differ stand before what that means', () => {
    place.write('new.rules', changed);
    const { stdout } = place.expectStatus(['diff', 'new.rules', 'web.rules'], 1);
    expect(stdout).toMatch(/^\w+: 1 rule (?:changed|added|removed) \(.*\)\n\n/);
  });
});

test('query: regions and a matrix', () => {
  const { stdout } = place.expectStatus(['query', 'accept', 'web.rules', '--group', 'web'], 0);
  expect(stdout).toBe(
    'BIND, group web (3), tcp, to 10.0.0.5 port 80\nCONNECT, group web (3), to 10.0.0.0/8\n',
  );
  const refused = ['--file', 'web.rules', 'query', 'refuse', '--dst', '10.0.0.0/8', '--chain'];
  expect(place.expectStatus([...refused, 'CONNECT'], 0).stdout).toBe(
    'CONNECT, group not web (3), to 10.0.0.0/8\n',
  );
  const matrix = place.expectStatus(['query', 'accept', 'web.rules', '--matrix'], 0).stdout;
  expect(matrix).toMatch(/^web \(3\) +all +all +-$/m);
  expect(matrix).toMatch(/^others +- +- +-$/m);
  const { stderr } = place.expectStatus(['query', 'accept', 'web.rules', '--proto', 'sctp'], 2);
  expect(stderr).toContain('`--proto`: no call has protocol `sctp`');
});

test('query in JSON has regions that query reads', () => {
  const words = ['query', 'accept', 'web.rules', '--json'];
  const answer: unknown = JSON.parse(place.expectStatus(words, 0).stdout);
  expect(schemaOf('query').safeParse(answer).error).toBeUndefined();
  expect(answer).toMatchObject({
    verdict: 'accept',
    regions: [{ region: { chain: ['BIND'], dst: ['10.0.0.5'], dport: ['80'] } }, {}],
  });
});

test('simplify keeps comments, and its file means the same', () => {
  place.write('web.rules', SHADOWED);
  const { stdout, stderr } = place.expectStatus(['simplify', 'web.rules'], 0);
  expect(stdout).toBe(RULES.replace('COMMIT', '# Never.\nCOMMIT'));
  expect(stderr).toBe('sockfilter: removed 1 rule, 0 chains\n');
  place.write('simple.rules', stdout);
  place.expectStatus(['diff', 'web.rules', 'simple.rules'], 0);
});

function schemaOf(kind: string) {
  return z.fromJSONSchema(JSON.parse(place.expectStatus(['schema', kind], 0).stdout));
}

test('rules and schema', () => {
  expect(place.expectStatus(['rules'], 0).stdout).toMatch(/^SF001 +error +shadowed rule$/m);
  expect(place.expectStatus(['rules', 'SF010'], 0).stdout).toContain('0.0.0.0');
  place.expectStatus(['rules', 'SF999'], 2);
  const schema: unknown = JSON.parse(place.expectStatus(['schema'], 0).stdout);
  expect(schema).toMatchObject({ type: 'object', properties: { cases: {} } });
});

test('explain --rules', () => {
  const words = ['--file', 'web.rules', 'explain', 'CONNECT', '--dst', '10.0.0.1:1', '--rules'];
  const { stdout } = place.expectStatus(words, 0);
  expect(stdout).toMatch(/^ {2}CONNECT 1 +not the group +-A CONNECT -d 10\.0\.0\.0\/8/m);
  expect(stdout).toMatch(/^ {2}CONNECT policy +matches +-P CONNECT DROP$/m);
});

test('the rule sets of the project pass', () => {
  const rules = `${__dirname}/../../rules`;
  place.expectStatus(['check', rules], 0);
  place.expectStatus(['test', rules], 0);
});
