/** What git says of the repository around a folder. Nothing of the repository is changed but by fetch(). */
import { execFileSync } from 'node:child_process';
import { EXIT } from '@sockfilter/language';
import { CommandError } from '../failure.js';

/** Settings of a repository that would have git run programs, write, or take names for patterns. */
const OPTIONS = [
  '--no-optional-locks',
  '--no-replace-objects',
  '--literal-pathspecs',
  ...['-c', 'core.fsmonitor=false'],
] as const;

/** The most that git may print: listings of large repositories. */
const MAX_BYTES = 1 << 30;

/** One file of a tree or of the index. */
export interface TreeEntry {
  /** From the top of the repository. */
  readonly path: string;
  /** As git has modes: 100644, 100755, 120000, 160000. */
  readonly mode: string;
  readonly id: string;
}

/** A line of `git diff --raw`. */
export interface RawChange {
  /** A, C, D, M, R, T, U, X and what later versions may have. */
  readonly status: string;
  readonly before: string;
  /** Another than `before` for renames and copies. */
  readonly after: string;
}

export const SYMLINK = '120000';
export const SUBMODULE = '160000';

function said(error: unknown): string {
  const text = error instanceof Error && 'stderr' in error ? String(error.stderr) : '';
  const [line] = text.trim().split('\n');
  return line?.replace(/^fatal: /, '') || 'git does not start';
}

function split(bytes: Buffer): readonly string[] {
  return bytes.toString('utf8').split('\0').slice(0, -1);
}

export class Git {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** The bytes that git prints. Throws what execFileSync throws. */
  #run(words: readonly string[], input: string | undefined = undefined): Buffer {
    return execFileSync('git', [...OPTIONS, ...words], {
      cwd: this.#folder,
      maxBuffer: MAX_BYTES,
      stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
      input,
      env: { ...process.env, LC_ALL: 'C', GIT_TERMINAL_PROMPT: '0' },
    });
  }

  /** As text without the last line's end; undefined where git fails. */
  #ask(...words: readonly string[]): string | undefined {
    try {
      return this.#run(words).toString('utf8').replace(/\n$/, '');
    } catch {
      return undefined;
    }
  }

  /** What git must know, or the command ends with status 2. */
  #need(what: string, words: readonly string[], input?: string): Buffer {
    try {
      return this.#run(words, input);
    } catch (error) {
      throw new CommandError(`git cannot say ${what}: ${said(error)}`, EXIT.usage);
    }
  }

  /** The top folder of the work tree. */
  top(): string {
    const top = this.#need('where the repository is', ['rev-parse', '--show-toplevel']);
    return top.toString('utf8').replace(/\n$/, '');
  }

  /** The commit that a revision names, or undefined. */
  commit(revision: string): string | undefined {
    const commit = `${revision}^{commit}`;
    return this.#ask('rev-parse', '--verify', '--quiet', '--end-of-options', commit);
  }

  /** As the commit itself says, also where a shallow clone ends. */
  parents(commit: string): readonly string[] {
    const text = this.#need('what a commit is', ['cat-file', 'commit', commit]).toString('utf8');
    const [head = ''] = text.split('\n\n');
    return [...head.matchAll(/^parent (\w+)$/gm)].flatMap(([, parent = '']) => parent);
  }

  isShallow(): boolean {
    return this.#ask('rev-parse', '--is-shallow-repository') === 'true';
  }

  isAncestor(ancestor: string, commit: string): boolean {
    return this.#ask('merge-base', '--is-ancestor', ancestor, commit) !== undefined;
  }

  /** The best common ancestors: none without any, several where histories cross. */
  mergeBases(a: string, b: string): readonly string[] {
    return this.#ask('merge-base', '--all', a, b)?.split('\n') ?? [];
  }

  /** Fetches from `origin`; the last commit fetched, or undefined where that fails. */
  fetch(names: readonly string[], options: readonly string[] = []): string | undefined {
    const quiet = ['--quiet', '--no-tags', '--no-recurse-submodules', '--no-auto-gc'];
    const fetched = this.#ask('fetch', ...quiet, ...options, 'origin', '--', ...names);
    return fetched === undefined ? undefined : this.commit('FETCH_HEAD');
  }

  tree(commit: string): readonly TreeEntry[] {
    const listed = this.#need('what a commit holds', [
      'ls-tree',
      '-r',
      '-z',
      '--full-tree',
      commit,
    ]);
    return split(listed).map((row) => {
      const [, mode = '', id = '', path = ''] = /^(\d+) \w+ (\w+)\t(.*)$/s.exec(row) ?? [];
      return { mode, id, path };
    });
  }

  /** What is tracked now. */
  index(): readonly TreeEntry[] {
    const listed = this.#need('what is tracked', ['ls-files', '--stage', '-z']);
    return split(listed).map((row) => {
      const [, mode = '', id = '', path = ''] = /^(\d+) (\w+) \d\t(.*)$/s.exec(row) ?? [];
      return { mode, id, path };
    });
  }

  /** What differs between the commit and the work tree, submodules and renames included. */
  changes(commit: string): readonly RawChange[] {
    const options = [
      '--raw',
      '-z',
      '--no-abbrev',
      '--no-relative',
      '--find-renames',
      '--no-ext-diff',
    ];
    const words = ['diff', ...options, '--ignore-submodules=none', commit, '--'];
    const fields = split(this.#need('what changed', words));
    const changes: RawChange[] = [];
    for (let at = 0; at < fields.length; ) {
      const status = /^:\d+ \d+ \w+ \w+ (\w)\d*$/.exec(fields[at] ?? '')?.[1] ?? 'X';
      const before = fields[at + 1] ?? '';
      const hasTwo = status === 'R' || status === 'C';
      changes.push({ status, before, after: hasTwo ? (fields[at + 2] ?? '') : before });
      at += hasTwo ? 3 : 2;
    }
    return changes;
  }

  blob(id: string): Buffer {
    return this.#need('what a file held', ['cat-file', 'blob', id]);
  }

  /** The file that a path of the commit leads to, symbolic links followed; undefined where it leads to none. */
  followed(commit: string, path: string): Buffer | undefined {
    if (path.includes('\n')) return undefined;
    const words = ['cat-file', '--batch', '--follow-symlinks'];
    const told = this.#need('what a link leads to', words, `${commit}:${path}\n`);
    const end = told.indexOf(10);
    const size = /^\w+ blob (\d+)$/.exec(told.subarray(0, end).toString('utf8'))?.[1];
    return size === undefined ? undefined : told.subarray(end + 1, end + 1 + Number(size));
  }
}
