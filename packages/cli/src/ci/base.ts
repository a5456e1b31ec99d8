/**
 * The commit that a change is compared with: what the change was made on, so that it is not blamed for
 * what others did meanwhile.
 *
 * - HEAD is the merge that a forge made to try a pull request: its first parent.
 * - Otherwise the merge base of HEAD and the revision given, or of HEAD and the branch that the revision
 *   was on, where HEAD has newer commits of it.
 * - Where there is none or several, or the history is not here, the revision itself. That can only blame
 *   the change for more.
 */
import { EXIT } from '@sockfilter/language';
import { CommandError } from '../failure.js';
import type { Git } from './git.js';

export interface Base {
  readonly commit: string;
  /** What a person should know about the choice. */
  readonly notes: readonly string[];
}

interface BaseOptions {
  /** Whether what is missing may be fetched from `origin`. */
  readonly fetch: boolean;
  readonly env: NodeJS.ProcessEnv;
}

/** What a fetch can ask for and nothing else: no refspec, no option. */
const FETCHABLE = /^\w[\w./-]*$/;

function findCommit(git: Git, revision: string, fetch: boolean): string {
  const here = git.commit(revision);
  if (here !== undefined) return here;
  const depth = git.isShallow() ? ['--depth=1'] : [];
  const fetched = fetch && FETCHABLE.test(revision) ? git.fetch([revision], depth) : undefined;
  if (fetched !== undefined) return fetched;
  const help = git.isShallow()
    ? 'the clone is shallow: give `fetch-depth: 0` to actions/checkout, `GIT_DEPTH: 0` to GitLab, or `--fetch`'
    : undefined;
  throw new CommandError(`there is no commit \`${revision}\` here`, EXIT.usage, help);
}

/** True where the forge itself says that it made HEAD by merging the change into its branch. */
function isForgeMerge(head: string, { env }: BaseOptions): boolean {
  const { GITHUB_SHA, GITHUB_REF = '', CI_COMMIT_SHA, CI_MERGE_REQUEST_EVENT_TYPE = '' } = env;
  if (GITHUB_SHA === head) return /^refs\/pull\/\d+\/merge$/.test(GITHUB_REF);
  return (
    CI_COMMIT_SHA === head && /^(merged_result|merge_train)$/.test(CI_MERGE_REQUEST_EVENT_TYPE)
  );
}

function isForge(env: NodeJS.ProcessEnv): boolean {
  return Boolean(env.GITHUB_SHA || env.CI_COMMIT_SHA);
}

/**
 * The tip of the branch that changes go to. A forge has said what the base is; elsewhere the default branch
 * of `origin` tells whether HEAD has newer commits of it than the revision that was given.
 */
function branchTip(git: Git, { fetch, env }: BaseOptions): string | undefined {
  if (isForge(env)) return undefined;
  return (fetch ? git.fetch(['HEAD']) : undefined) ?? git.commit('refs/remotes/origin/HEAD');
}

function single(commits: readonly string[]): string | undefined {
  return commits.length === 1 ? commits[0] : undefined;
}

export function findBase(git: Git, revision: string, options: BaseOptions): Base {
  const given = findCommit(git, revision, options.fetch);
  const head = git.commit('HEAD');
  if (head === undefined) throw new CommandError('the repository has no commit', EXIT.usage);
  const parents = git.parents(head);
  const [first] = parents;
  if (parents.length === 2 && first !== undefined && isForgeMerge(head, options)) {
    const merged =
      git.commit(first) ?? (options.fetch ? git.fetch([first], ['--depth=1']) : undefined);
    if (merged !== undefined) return { commit: merged, notes: [] };
  }
  if (given === head || parents.includes(given)) return { commit: given, notes: [] };
  // By their names: HEAD may be on no branch that a plain fetch asks for.
  if (git.isShallow() && options.fetch) git.fetch([head, given], ['--unshallow']);
  const name = given.slice(0, 12);
  if (git.isShallow()) {
    const note = `the clone is shallow: compared with ${name} itself, not with where the change left it`;
    return { commit: given, notes: [note] };
  }
  const tip = branchTip(git, options);
  const newer = tip === undefined ? undefined : single(git.mergeBases(tip, head));
  if (newer !== undefined && newer !== head && git.isAncestor(given, newer))
    return { commit: newer, notes: [] };
  const base = single(git.mergeBases(given, head));
  if (base !== undefined) return { commit: base, notes: [] };
  return {
    commit: given,
    notes: [`HEAD and ${name} have no one merge base: compared with ${name}`],
  };
}
