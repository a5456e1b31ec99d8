/**
 * What a change makes of rule files, in real repositories: nothing that git can say of a file passes a
 * gate unseen. Each row is a change, and what the gates `no-new-access` and `same` exit with.
 */
import { chmodSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { exitOf } from '@sockfilter/policy';
import { Sources } from '../../packages/cli/src/ci/rulesource.js';
import { compareSince, type Gate, type SinceWords } from '../../packages/cli/src/ci/since.js';
import { Repository, RULES, WIDER } from './repository.js';

const NARROWER = RULES.replace(/^-A BIND.*\n/m, '');
const OTHER = `# Another file, which git does not take for a copy of the first.
*socket
:BIND DROP [0:0]
:CONNECT DROP [0:0]
-A CONNECT -d 192.0.2.0/24 -j ACCEPT
-A CONNECT -d 198.51.100.0/24 -p tcp -m tcp --dport 443 -j ACCEPT
COMMIT
`;
const WIDE_OTHER = OTHER.replace('192.0.2.0/24', '192.0.0.0/8');
const CLOSED =
  '*socket\n:BIND DROP\n:ACCEPT DROP\n:CONNECT DROP\n:SENDTO DROP\n:RECVFROM DROP\nCOMMIT\n';

const FORGE = ['GITHUB_SHA', 'GITHUB_REF', 'CI_COMMIT_SHA', 'CI_MERGE_REQUEST_EVENT_TYPE'] as const;

const folder = process.cwd();
let repository: Repository;
beforeEach(() => {
  repository = new Repository();
  write('rules/other.rules', OTHER);
  repository.commit();
  process.chdir(repository.work);
  for (const name of FORGE) delete process.env[name];
});
afterEach(() => {
  process.chdir(folder);
  for (const name of FORGE) delete process.env[name];
  repository.remove();
});

function write(name: string, text: string | Buffer): void {
  mkdirSync(dirname(repository.path(name)), { recursive: true });
  writeFileSync(repository.path(name), text);
}

function move(from: string, to: string): void {
  mkdirSync(dirname(repository.path(to)), { recursive: true });
  repository.git('mv', '--', from, to);
}

function link(name: string, target: string): void {
  rmSync(repository.path(name), { force: true, recursive: true });
  mkdirSync(dirname(repository.path(name)), { recursive: true });
  symlinkSync(target, repository.path(name));
}

/** Adds a submodule of the given revision without its content. */
function submodule(name: string, revision: string): void {
  mkdirSync(repository.path(name), { recursive: true });
  repository.git('update-index', '--add', '--cacheinfo', `160000,${revision},${name}`);
}

/** Regions have numbers wider than JSON's. */
function replacer(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? `${value}` : value;
}

function judge(gate: Gate, words: Partial<SinceWords> = {}) {
  const given = { since: 'HEAD~1', paths: ['.'], exclude: [], fetch: false, ...words, gate };
  const answer = compareSince(given, new Sources());
  const exit = exitOf({ ...answer, version: '', failOn: 'error' });
  return { exit, text: JSON.stringify(answer, replacer) };
}

type Row = readonly [what: string, change: () => void, noNewAccess: number, same: number];

const CHANGES: readonly Row[] = [
  ['nothing', () => write('README', 'x'), 0, 0],
  ['a remark', () => write('rules/web.rules', `# A remark.\n${RULES}`), 0, 0],
  ['less access', () => write('rules/web.rules', NARROWER), 0, 1],
  ['more access', () => write('rules/web.rules', WIDER), 1, 1],
  [
    'the path of a group',
    () => write('rules/web.rules', RULES.replace('--path /web', '--path /')),
    1,
    1,
  ],
  ['a mode', () => chmodSync(repository.path('rules/web.rules'), 0o755), 0, 0],
  ['a deletion', () => rmSync(repository.path('rules/web.rules')), 1, 1],
  ['another name', () => move('rules/web.rules', 'rules/www.rules'), 0, 0],
  ['another folder', () => move('rules/web.rules', 'elsewhere/deep/web.rules'), 0, 0],
  [
    'another name, and more access',
    () => {
      move('rules/web.rules', 'rules/www.rules');
      write('rules/www.rules', WIDER);
    },
    1,
    1,
  ],
  ['the ending .rules.bak', () => move('rules/web.rules', 'rules/web.rules.bak'), 1, 1],
  ['the ending .txt', () => move('rules/web.rules', 'rules/web.txt'), 1, 1],
  ['the ending .RULES', () => move('rules/web.rules', 'rules/web.RULES'), 1, 1],
  ['a hidden name', () => move('rules/web.rules', 'rules/.web.rules'), 1, 1],
  ['a hidden folder', () => move('rules/web.rules', '.rules/web.rules'), 1, 1],
  ['a folder node_modules', () => move('rules/web.rules', 'node_modules/web.rules'), 1, 1],
  [
    'one file moved over another',
    () => {
      rmSync(repository.path('rules/web.rules'));
      repository.git('mv', '-f', 'rules/other.rules', 'rules/web.rules');
    },
    1,
    1,
  ],
  [
    'two files that change places',
    () => {
      write('rules/web.rules', OTHER);
      write('rules/other.rules', RULES);
    },
    1,
    1,
  ],
  ['a new file that opens', () => write('rules/new.rules', WIDE_OTHER), 1, 1],
  ['a new empty table', () => write('rules/new.rules', '*socket\nCOMMIT\n'), 1, 1],
  ['a new file that accepts nothing', () => write('rules/new.rules', CLOSED), 0, 1],
  ['a new file of another program', () => write('rules/new.rules', 'alert tcp any\n'), 0, 0],
  ['no table any more', () => write('rules/web.rules', 'alert tcp any\n'), 1, 1],
  ['an empty file', () => write('rules/web.rules', ''), 1, 1],
  ['a mistake', () => write('rules/web.rules', RULES.replace('--dport', '--dprot')), 2, 2],
  ['a misspelt table', () => write('rules/web.rules', RULES.replace('*socket', '*sokcet')), 2, 2],
  ['UTF-16', () => write('rules/web.rules', Buffer.from(RULES, 'utf16le')), 2, 2],
  ['a new file in UTF-16', () => write('rules/new.rules', Buffer.from(RULES, 'utf16le')), 2, 2],
  ['bytes', () => write('rules/web.rules', Buffer.from([0xff, 0xfe, 0, 1])), 2, 2],
  [
    'a pointer of Git LFS',
    () =>
      write(
        'rules/web.rules',
        `version https://git-lfs.github.com/spec/v1\noid sha256:${'0'.repeat(64)}\nsize 9\n`,
      ),
    2,
    2,
  ],
  [
    'a link to the same',
    () => {
      move('rules/web.rules', 'web.txt');
      link('rules/web.rules', '../web.txt');
    },
    0,
    0,
  ],
  [
    'a link to more access',
    () => {
      write('wide.txt', WIDER);
      link('rules/web.rules', '../wide.txt');
    },
    1,
    1,
  ],
  ['a link out of the repository', () => link('rules/web.rules', '/etc/passwd'), 2, 2],
  ['a link that leads nowhere', () => link('rules/web.rules', 'nowhere'), 2, 2],
  ['a link to itself', () => link('rules/web.rules', 'web.rules'), 2, 2],
  ['a link in the place of the folder', () => link('rules', 'elsewhere'), 1, 1],
  [
    'a file in the place of the folder',
    () => {
      rmSync(repository.path('rules'), { recursive: true });
      write('rules', RULES);
    },
    1,
    1,
  ],
  ['a submodule', () => submodule('rules/module', repository.git('rev-parse', 'HEAD')), 2, 2],
  [
    'a submodule that asks not to be looked at',
    () => {
      write('.gitmodules', '[submodule "m"]\n\tpath = rules/module\n\turl = x\n\tignore = all\n');
      submodule('rules/module', repository.git('rev-parse', 'HEAD'));
    },
    2,
    2,
  ],
  ['an ignore file', () => write('.sockfilterignore', 'rules/web.rules\n'), 1, 1],
  [
    'attributes that hide a file from git diff',
    () => {
      write('.gitattributes', '*.rules -diff binary\n');
      write('rules/web.rules', WIDER);
    },
    1,
    1,
  ],
  [
    'a name of blanks, quotes, dashes and line ends',
    () => write('rules/- "a\'\n\t*é.rules', WIDER),
    1,
    1,
  ],
];

test.each(CHANGES)('%s', (_, change, noNewAccess, same) => {
  change();
  repository.commit();
  expect(['no-new-access', judge('no-new-access').exit]).toEqual(['no-new-access', noNewAccess]);
  expect(['same', judge('same').exit]).toEqual(['same', same]);
  // What is told fails for what cannot be compared alone.
  expect(['report', judge('report').exit]).toEqual(['report', same === 2 ? 2 : 0]);
});

test('what is not committed counts as well', () => {
  write('rules/web.rules', WIDER);
  expect(judge('no-new-access', { since: 'HEAD' }).exit).toBe(1);
});

test('a file that is not merged fails', () => {
  repository.git('checkout', '-q', '-b', 'side');
  write('rules/web.rules', WIDER);
  repository.commit();
  repository.git('checkout', '-q', 'main');
  write('rules/web.rules', NARROWER);
  repository.commit();
  const words = ['-c', 'user.name=x', '-c', 'user.email=x@x', 'merge', '-q', 'side'];
  expect(() => repository.git(...words)).toThrow();
  expect(repository.git('ls-files', '--unmerged')).not.toBe('');
  expect(judge('no-new-access', { since: 'HEAD' })).toMatchObject({ exit: 2 });
});

describe('what was there before', () => {
  test('a link that changes what it leads to, though the link does not', () => {
    write('real.txt', RULES);
    link('rules/web.rules', '../real.txt');
    repository.commit();
    write('real.txt', WIDER);
    repository.commit();
    expect(judge('no-new-access').exit).toBe(1);
  });

  test.each([
    ['that can not be read', RULES.replace('--dport', '--dprot')],
    ['in UTF-16', Buffer.from(RULES, 'utf16le')],
    ['of another program', 'alert tcp any\n'],
  ])('a file %s is no excuse for the new one', (_, text) => {
    write('rules/web.rules', text);
    repository.commit();
    write('rules/web.rules', RULES);
    repository.commit();
    expect(judge('no-new-access').exit).toBe(1);
    expect(judge('report').exit).toBe(0);
    write('rules/web.rules', CLOSED);
    repository.commit();
    expect(judge('no-new-access', { since: 'HEAD~2' }).exit).toBe(0);
  });

  test('a submodule that changes or goes', () => {
    submodule('rules/module', repository.git('rev-parse', 'HEAD'));
    repository.commit();
    expect(judge('no-new-access', { since: 'HEAD' }).exit).toBe(0);
    submodule('rules/module', repository.git('rev-parse', 'HEAD'));
    expect(judge('no-new-access', { since: 'HEAD' }).exit).toBe(2);
    repository.git('rm', '-q', '--cached', 'rules/module');
    expect(judge('no-new-access', { since: 'HEAD' }).exit).toBe(2);
  });

  test('what was ignored then and is now', () => {
    write('.sockfilterignore', 'rules/web.rules\n');
    repository.commit();
    write('rules/web.rules', WIDER);
    repository.commit();
    expect(judge('no-new-access').exit).toBe(0);
    write('.sockfilterignore', '');
    repository.commit();
    expect(judge('no-new-access').exit).toBe(1);
  });
});

describe('the paths', () => {
  test('what is outside does not count, and what leaves them is gone', () => {
    write('elsewhere/web.rules', WIDER);
    repository.commit();
    expect(judge('same', { paths: ['rules'] }).exit).toBe(0);
    move('rules/web.rules', 'elsewhere/moved.rules');
    repository.commit();
    const left = judge('no-new-access', { paths: ['rules'] });
    expect(left.exit).toBe(1);
    expect(left.text).toContain('`elsewhere/moved.rules` is not looked at');
    move('elsewhere/web.rules', 'rules/web.rules');
    repository.commit();
    expect(judge('no-new-access', { paths: ['rules'] }).exit).toBe(1);
  });

  test('a file of any ending that is named counts', () => {
    write('firewall', RULES);
    repository.commit();
    write('firewall', WIDER);
    repository.commit();
    expect(judge('no-new-access', { paths: ['firewall'] }).exit).toBe(1);
    write('firewall', '');
    repository.commit();
    expect(judge('no-new-access', { paths: ['firewall'] }).exit).toBe(2);
  });

  test('a link that is or was on the way is refused', () => {
    move('rules/web.rules', 'real/web.rules');
    link('linked', 'real');
    repository.commit();
    write('real/web.rules', WIDER);
    repository.commit();
    for (const path of ['linked', 'linked/web.rules'])
      expect(() => judge('no-new-access', { paths: [path] })).toThrow(/is or was a symbolic link/);
  });

  test('none outside of the repository, none that was never there', () => {
    expect(() => judge('same', { paths: ['..'] })).toThrow('outside of the repository');
    expect(() => judge('same', { paths: ['nowhere'] })).toThrow('`nowhere`');
  });

  test('from a folder below, names are as the user knows them', () => {
    write('README', 'x');
    write('rules/web.rules', WIDER);
    repository.commit();
    process.chdir(repository.path('rules'));
    expect(judge('same').text).toContain('"file":"web.rules"');
    expect(judge('same', { paths: ['../README'], since: 'HEAD' })).toMatchObject({ exit: 0 });
  });

  test('--exclude', () => {
    write('rules/web.rules', WIDER);
    repository.commit();
    expect(judge('same', { exclude: ['web.rules'] }).exit).toBe(0);
  });
});

describe('the base', () => {
  /** `main` widens one file after `side` left it, and `side` has a remark. */
  function diverge(): { readonly left: string; readonly main: string } {
    const left = repository.git('rev-parse', 'HEAD');
    repository.git('checkout', '-q', '-b', 'side');
    write('rules/other.rules', `# A remark.\n${OTHER}`);
    repository.commit();
    repository.git('checkout', '-q', 'main');
    write('rules/web.rules', WIDER);
    return { left, main: repository.commit() };
  }

  function merge(into: string, from: string): string {
    repository.git('checkout', '-q', '--detach', into);
    repository.git('-c', 'user.name=x', '-c', 'user.email=x@x', 'merge', '-q', '-m', 'x', from);
    return repository.git('rev-parse', 'HEAD');
  }

  test('a branch is not blamed for what others did since it left', () => {
    const { main } = diverge();
    repository.git('checkout', '-q', 'side');
    expect(judge('same', { since: main }).exit).toBe(0);
    expect(judge('same', { since: 'main' }).exit).toBe(0);
  });

  test('a merge made by a forge is compared with its first parent', () => {
    const { left } = diverge();
    process.env.GITHUB_SHA = merge('main', 'side');
    process.env.GITHUB_REF = 'refs/pull/7/merge';
    expect(judge('same', { since: left }).exit).toBe(0);
  });

  test('a merge that the pull request made itself is not', () => {
    const { left, main } = diverge();
    // The first parent is the pull request's own: against it nothing of the pull request changes.
    repository.git('checkout', '-q', 'side');
    write('rules/other.rules', WIDE_OTHER);
    repository.commit();
    process.env.GITHUB_REF = 'refs/pull/7/head';
    process.env.GITHUB_SHA = merge('side', 'main');
    expect(judge('no-new-access', { since: main }).exit).toBe(1);
    expect(judge('no-new-access', { since: left }).exit).toBe(1);
    process.env.GITHUB_REF = 'refs/pull/7/merge';
    process.env.GITHUB_SHA = main;
    expect(judge('no-new-access', { since: main }).exit).toBe(1);
  });

  test('a merge that brings back what the branch has taken away', () => {
    write('rules/web.rules', WIDER);
    const wide = repository.commit();
    write('rules/web.rules', RULES);
    const main = repository.commit();
    repository.git('checkout', '-q', '--detach', main);
    write('README', 'x');
    const side = repository.commit();
    repository.git('checkout', '-q', '--detach', wide);
    const words = ['-c', 'user.name=x', '-c', 'user.email=x@x', 'merge', '-q', '-s', 'ours', '-m'];
    repository.git(...words, 'x', side);
    for (const since of [main, wide, `${wide}~1`])
      expect([since === wide, judge('no-new-access', { since }).exit]).toEqual([
        since === wide,
        since === wide ? 0 : 1,
      ]);
  });

  test('histories without a merge base are compared as they are', () => {
    write('rules/web.rules', WIDER);
    repository.git('checkout', '-q', '--orphan', 'other');
    repository.commit();
    const judged = judge('no-new-access', { since: 'main' });
    expect(judged.exit).toBe(1);
    expect(judged.text).toContain('no one merge base');
  });

  test('of a merge of three the merge base', () => {
    const { left, main } = diverge();
    repository.git('checkout', '-q', '-b', 'third', left);
    write('README', 'x');
    repository.commit();
    repository.git('checkout', '-q', '--detach', left);
    const words = ['-c', 'user.name=x', '-c', 'user.email=x@x', 'merge', '-q', '-m', 'x'];
    repository.git(...words, 'main', 'side', 'third');
    expect(judge('no-new-access', { since: main }).exit).toBe(0);
    expect(judge('no-new-access', { since: left }).exit).toBe(1);
  });

  test.each(['nowhere', '--output=harmed', '-p', ''])('there is no revision %p', (since) => {
    expect(() => judge('same', { since, fetch: true })).toThrow('there is no commit');
  });

  describe('in a shallow clone', () => {
    function clone(branch: string): void {
      const words = ['clone', '-q', '--depth=1', '-b', branch, `file://${repository.work}`];
      repository.git(...words, '../shallow');
      process.chdir(repository.path('../shallow'));
    }

    test('the base is said to be missing, or fetched', () => {
      const { main, left } = diverge();
      clone('side');
      expect(() => judge('same', { since: main })).toThrow('there is no commit');
      expect(judge('same', { since: main, fetch: true }).exit).toBe(0);
      expect(judge('same', { since: left }).exit).toBe(0);
    });

    test('a stale base is made up for by the default branch of origin', () => {
      const { left } = diverge();
      merge('main', 'side');
      repository.git('branch', 'merged');
      repository.git('checkout', '-q', 'main');
      clone('merged');
      expect(judge('same', { since: left, fetch: true }).exit).toBe(0);
    });
  });
});
