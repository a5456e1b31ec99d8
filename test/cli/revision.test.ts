/** The revision that a rule file gets from git, whatever the repository's settings say. */
import { execFileSync } from 'node:child_process';
import { existsSync, utimesSync } from 'node:fs';
import { gitLabel } from '../../packages/cli/src/revision.js';
import { Workplace } from './command.js';

let place: Workplace;
beforeEach(() => {
  place = new Workplace();
  git('init', '-q');
  place.write('web.rules', '*socket\n# one\nCOMMIT\n');
  git('add', '.');
  git('-c', 'user.name=x', '-c', 'user.email=x@x', 'commit', '-qm', 'x');
});
afterEach(() => place.remove());

const git = (...words: readonly string[]) =>
  execFileSync('git', words, { cwd: place.folder, encoding: 'utf8' }).trim();

test('a file has the id of its commit, and says if it differs', () => {
  const commit = git('rev-parse', '--short=12', 'HEAD');
  expect(gitLabel(place.path('web.rules'))).toBe(commit);
  place.write('web.rules', '*socket\n# two\nCOMMIT\n');
  expect(gitLabel(place.path('web.rules'))).toBe(`${commit}-dirty`);
});

test('what the commit does not have has no id', () => {
  place.write('new.rules', '*socket\nCOMMIT\n');
  expect(gitLabel(place.path('new.rules'))).toBeUndefined();
  expect(gitLabel('/nowhere/web.rules')).toBeUndefined();
});

test('programs that the repository names are not run', () => {
  const commit = git('rev-parse', '--short=12', 'HEAD');
  const trap = `touch '${place.path('trapped')}'; cat`;
  git('config', 'filter.trap.clean', trap);
  git('config', 'filter.trap.process', trap);
  git('config', 'core.fsmonitor', trap);
  place.write('.gitattributes', '* filter=trap\n');
  // As long as before: git's own comparison would have to read it.
  place.write('web.rules', '*socket\n# two\nCOMMIT\n');
  utimesSync(place.path('web.rules'), 0, 0);
  expect(gitLabel(place.path('web.rules'))).toBe(`${commit}-dirty`);
  expect(existsSync(place.path('trapped'))).toBe(false);
});
