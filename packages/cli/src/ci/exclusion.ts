/** Which files are left out: by `--exclude`, and by an ignore file, both with the patterns of .gitignore. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import ignore from 'ignore';

/** At the top of the repository, or in the current folder outside of one. */
export const IGNORE_FILE = '.sockfilterignore';

/** The folder that holds `.git`, at or above the folder; undefined outside of a repository. */
export function repositoryTop(folder: string): string | undefined {
  for (let at = resolve(folder); ; at = dirname(at)) {
    if (existsSync(join(at, '.git'))) return at;
    if (dirname(at) === at) return undefined;
  }
}

/** Patterns over paths that are relative to one folder. */
export class Exclusion {
  readonly #matcher = ignore();

  /** @param texts patterns, one a line; those of `--exclude` and the text of an ignore file */
  constructor(texts: readonly string[]) {
    for (const text of texts) this.#matcher.add(text);
  }

  /** Takes a path from the folder that the patterns are for; nothing outside of it is excluded. */
  excludes(path: string): boolean {
    return ignore.isPathValid(path) && this.#matcher.ignores(path);
  }
}

/** The exclusion of the current folder's repository, asked with paths as the user gives them. */
export function currentExclusion(patterns: readonly string[]): (path: string) => boolean {
  const top = repositoryTop('.') ?? resolve('.');
  const file = join(top, IGNORE_FILE);
  const exclusion = new Exclusion([
    ...(existsSync(file) ? [readFileSync(file, 'utf8')] : []),
    ...patterns,
  ]);
  return (path) => exclusion.excludes(relative(top, resolve(path)));
}
