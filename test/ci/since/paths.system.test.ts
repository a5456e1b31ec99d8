/** Which files count: as they were before, and by the paths that were named. */
import { RULES, WIDER } from '../repository.js';
import { CLOSED, judge, link, move, repository, submodule, write } from './scene.js';

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
