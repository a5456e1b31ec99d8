/** A repository in which a test makes a change, and what the gates exit with. */
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { exitOf } from '@sockfilter/policy';
import { Sources } from '../../../packages/cli/src/ci/rulesource.js';
import {
  type Change,
  type ChangeWords,
  findChange,
  type Gate,
  judgeChange,
} from '../../../packages/cli/src/ci/since.js';
import { Repository, RULES } from '../repository.js';

export const NARROWER = RULES.replace(/^-A BIND.*\n/m, '');
export const OTHER = `# Another file, which git does not take for a copy of the first.
*socket
:BIND DROP [0:0]
:CONNECT DROP [0:0]
-A CONNECT -d 192.0.2.0/24 -j ACCEPT
-A CONNECT -d 198.51.100.0/24 -p tcp -m tcp --dport 443 -j ACCEPT
COMMIT
`;
export const WIDE_OTHER = OTHER.replace('192.0.2.0/24', '192.0.0.0/8');
export const CLOSED =
  '*socket\n:BIND DROP\n:ACCEPT DROP\n:CONNECT DROP\n:SENDTO DROP\n:RECVFROM DROP\nCOMMIT\n';

const FORGE = ['GITHUB_SHA', 'GITHUB_REF', 'CI_COMMIT_SHA', 'CI_MERGE_REQUEST_EVENT_TYPE'] as const;

const folder = process.cwd();
/** What each test begins with a copy of. */
let origin: Repository;
export let repository: Repository;
beforeAll(() => {
  origin = new Repository();
  origin.write('rules/other.rules', OTHER);
  origin.commit();
});
beforeEach(() => {
  repository = origin.copy();
  process.chdir(repository.work);
  for (const name of FORGE) delete process.env[name];
});
afterEach(() => {
  process.chdir(folder);
  for (const name of FORGE) delete process.env[name];
  repository.remove();
});
afterAll(() => origin.remove());

export function write(name: string, text: string | Buffer): void {
  mkdirSync(dirname(repository.path(name)), { recursive: true });
  writeFileSync(repository.path(name), text);
}

export function move(from: string, to: string): void {
  mkdirSync(dirname(repository.path(to)), { recursive: true });
  repository.git('mv', '--', from, to);
}

export function link(name: string, target: string): void {
  rmSync(repository.path(name), { force: true, recursive: true });
  mkdirSync(dirname(repository.path(name)), { recursive: true });
  symlinkSync(target, repository.path(name));
}

/** Adds a submodule of the given revision without its content. */
export function submodule(name: string, revision: string): void {
  mkdirSync(repository.path(name), { recursive: true });
  repository.git('update-index', '--add', '--cacheinfo', `160000,${revision},${name}`);
}

/** Regions have numbers wider than JSON's. */
function replacer(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? `${value}` : value;
}

/** Asks git once for what changed, and gives the judge of any gate. */
export function change(words: Partial<ChangeWords> = {}) {
  const found = findChange({
    since: 'HEAD~1',
    paths: ['.'],
    exclude: [],
    fetch: false,
    ...words,
  });
  return (gate: Gate) => judgeFound(found, gate);
}

function judgeFound(found: Change, gate: Gate) {
  const answer = judgeChange(found, gate, new Sources());
  const exit = exitOf({ ...answer, version: '', failOn: 'error' });
  return { exit, text: JSON.stringify(answer, replacer) };
}

export function judge(gate: Gate, words: Partial<ChangeWords> = {}) {
  return change(words)(gate);
}
