/**
 * What a change makes of rule files, in real repositories: nothing that git can say of a file passes a
 * gate unseen. Each row is a change, and what the gates `no-new-access` and `same` exit with.
 */
import { chmodSync, rmSync } from 'node:fs';
import { RULES, WIDER } from '../repository.js';
import {
  CLOSED,
  change,
  judge,
  link,
  move,
  NARROWER,
  OTHER,
  repository,
  submodule,
  WIDE_OTHER,
  write,
} from './scene.js';

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

test.each(CHANGES)('%s', (_, make, noNewAccess, same) => {
  make();
  repository.commit();
  const judged = change();
  expect(['no-new-access', judged('no-new-access').exit]).toEqual(['no-new-access', noNewAccess]);
  expect(['same', judged('same').exit]).toEqual(['same', same]);
  // What is told fails for what cannot be compared alone.
  expect(['report', judged('report').exit]).toEqual(['report', same === 2 ? 2 : 0]);
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
