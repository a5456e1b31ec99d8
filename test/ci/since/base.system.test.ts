/** The commit that a change is compared with. */
import { readSide, Sources } from '../../../packages/cli/src/ci/rulesource.js';
import { RULES, WIDER } from '../repository.js';
import { judge, OTHER, repository, WIDE_OTHER, write } from './scene.js';

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

    test('a side of it that was not fetched is told how to be fetched', () => {
      diverge();
      clone('side');
      const globals = { root: '/', file: undefined, wait: 0 };
      const side = readSide('git:origin/main:rules/web.rules', globals, new Sources());
      return expect(side).rejects.toMatchObject({
        help: expect.stringContaining('`fetch-depth: 0`'),
      });
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
