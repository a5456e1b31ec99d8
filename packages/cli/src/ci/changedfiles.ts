/**
 * The rule files that differ between a commit and the work tree, each with its other side. A file that
 * is on one side only has none, whatever became of it: it was deleted, moved out of the paths, renamed to
 * an ending that is not looked at, ignored, made a link to elsewhere, or lost its table.
 */
import { lstatSync, readFileSync, realpathSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { EXIT } from '@sockfilter/language';
import { CommandError } from '../failure.js';
import { Exclusion, IGNORE_FILE } from './exclusion.js';
import { type Git, type RawChange, SUBMODULE, SYMLINK, type TreeEntry } from './git.js';
import { contentOf } from './rulecontent.js';

export interface ChangedSide {
  /** From the top of the repository. */
  readonly path: string;
  readonly bytes: Buffer;
}

export interface ChangedFile {
  readonly before: ChangedSide | undefined;
  readonly after: ChangedSide | undefined;
  /** Where the content of a file that is gone is now, though it no longer counts. */
  readonly movedTo?: string | undefined;
}

/** What cannot be compared, and so counts as a difference. */
interface Incomparable {
  readonly path: string;
  readonly why: string;
}

export interface ChangedFiles {
  readonly files: readonly ChangedFile[];
  readonly incomparable: readonly Incomparable[];
  /** Files that say what is looked for: expectations and the ignore file. */
  readonly others: readonly RawChange[];
}

export interface ChangeScope {
  /** Files and folders from the top of the repository; `` is the top. */
  readonly paths: readonly string[];
  /** Patterns of `--exclude`. */
  readonly exclude: readonly string[];
}

const RULES = '.rules';
const TESTS = '.test.yaml';

/** Whether the path is one of those given, or an ending below one; hidden folders count only if given. */
function isNamed(scope: ChangeScope, path: string, ending: string): boolean {
  return scope.paths.some((given) => {
    if (path === given) return true;
    const folder = given === '' ? '' : `${given}/`;
    if (!path.startsWith(folder) || !path.endsWith(ending)) return false;
    const below = path.slice(folder.length).split('/');
    return below.every((name) => !name.startsWith('.') && name !== 'node_modules');
  });
}

/** One state of the repository: what it has in scope, and what that holds. */
interface State {
  readonly entries: ReadonlyMap<string, TreeEntry>;
  /** What it says; in words why nothing can be known, and undefined where there is nothing. */
  readonly read: (entry: TreeEntry) => Buffer | string | undefined;
}

class Finder {
  readonly #git: Git;
  readonly #top: string;
  readonly #scope: ChangeScope;
  readonly #incomparable: Incomparable[] = [];

  constructor(git: Git, scope: ChangeScope) {
    this.#git = git;
    this.#top = realpathSync(git.top());
    this.#scope = scope;
  }

  find(base: string): ChangedFiles {
    const changes = this.#git.changes(base);
    const gone = new Set(
      changes.flatMap(({ status, before }) => (status === 'D' || status === 'R' ? before : [])),
    );
    const tree = this.#git.tree(base);
    const index = this.#git.index().filter(({ path }) => !gone.has(path));
    this.#refuseDetours([...tree, ...index]);
    this.#refuseUnknown([...tree, ...index]);
    for (const { status, before, after } of changes) this.#judgeStatus(status, before, after);
    const before: State = {
      entries: this.#inScope(tree, this.#ignoreText(tree)),
      read: ({ mode, id, path }) =>
        mode === SYMLINK ? this.#git.followed(base, path) : this.#git.blob(id),
    };
    const after: State = {
      entries: this.#inScope(index, this.#ignoreText(index)),
      read: (entry) => this.#readNow(entry),
    };
    this.#judgeSubmodules(changes, [...tree, ...index]);
    return {
      files: this.#pair(before, after, changes),
      incomparable: this.#incomparable,
      others: changes.filter(({ before: old, after: now }) =>
        [old, now].some((path) => path === IGNORE_FILE || isNamed(this.#scope, path, TESTS)),
      ),
    };
  }

  /** A path that is given must not lead out of what git lists below it. */
  #refuseDetours(entries: readonly TreeEntry[]): void {
    for (const { path, mode } of entries) {
      if (mode !== SYMLINK && mode !== SUBMODULE) continue;
      const given = this.#scope.paths.find(
        (each) => each.startsWith(`${path}/`) || (each === path && !path.endsWith(RULES)),
      );
      if (given === undefined) continue;
      const what = mode === SYMLINK ? 'symbolic link' : 'submodule';
      throw new CommandError(
        `\`${given}\` cannot be compared: \`${path}\` is or was a ${what}`,
        EXIT.usage,
        'name the files and folders themselves',
      );
    }
  }

  /** Nothing that was looked at must never pass for nothing that changed. */
  #refuseUnknown(entries: readonly TreeEntry[]): void {
    const isThere = (given: string) =>
      given === '' || entries.some(({ path }) => path === given || path.startsWith(`${given}/`));
    const unknown = this.#scope.paths.find((given) => !isThere(given));
    if (unknown !== undefined)
      throw new CommandError(`\`${unknown}\` is and was not in the repository`, EXIT.usage);
  }

  #judgeStatus(status: string, before: string, after: string): void {
    if (/^[ACDMRT]$/.test(status)) return;
    for (const path of new Set([before, after]))
      if (isNamed(this.#scope, path, RULES))
        this.#incomparable.push({
          path,
          why: status === 'U' ? 'it is not merged' : `git has the status ${status} for it`,
        });
  }

  #judgeSubmodules(changes: readonly RawChange[], entries: readonly TreeEntry[]): void {
    const modules = new Set(entries.flatMap(({ mode, path }) => (mode === SUBMODULE ? path : [])));
    for (const path of new Set(changes.flatMap(({ before, after }) => [before, after])))
      if (modules.has(path) && isNamed(this.#scope, path, ''))
        this.#incomparable.push({
          path,
          why: 'it is or was a submodule, whose rules are not seen',
        });
  }

  #ignoreText(entries: readonly TreeEntry[]): string {
    const entry = entries.find(({ path }) => path === IGNORE_FILE);
    if (!entry || entry.mode === SUBMODULE) return '';
    return this.#git.blob(entry.id).toString('utf8');
  }

  #inScope(entries: readonly TreeEntry[], ignored: string): ReadonlyMap<string, TreeEntry> {
    const exclusion = new Exclusion([ignored, ...this.#scope.exclude]);
    return new Map(
      entries
        .filter(
          ({ path, mode }) =>
            mode !== SUBMODULE && isNamed(this.#scope, path, RULES) && !exclusion.excludes(path),
        )
        .map((entry) => [entry.path, entry]),
    );
  }

  /** The file in the work tree; of one that is not checked out what is tracked. */
  #readNow({ path, id }: TreeEntry): Buffer | string | undefined {
    const file = join(this.#top, path);
    try {
      const target = relative(this.#top, realpathSync(file));
      if (target === '..' || target.startsWith(`..${sep}`))
        return 'it is a symbolic link that leads out of the repository';
      if (!lstatSync(join(this.#top, target)).isFile()) return 'it is no file';
      return readFileSync(file);
    } catch (error) {
      const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
      if (!isMissing) return 'it cannot be read';
      return isLink(file) ? 'it is a symbolic link that leads nowhere' : this.#git.blob(id);
    }
  }

  #pair(before: State, after: State, changes: readonly RawChange[]): readonly ChangedFile[] {
    const changed = new Set(changes.flatMap((each) => [each.before, each.after]));
    const renamed = new Map(
      changes.flatMap(({ status, before: old, after: now }) =>
        status === 'R' ? [[old, now] as const] : [],
      ),
    );
    const paired = new Set<string>();
    const files: ChangedFile[] = [];
    for (const old of before.entries.values()) {
      const movedTo = renamed.get(old.path);
      const now = after.entries.get(movedTo ?? old.path);
      if (now) paired.add(now.path);
      const isLinked = old.mode === SYMLINK || now?.mode === SYMLINK;
      if (now && !isLinked && !changed.has(now.path)) continue;
      files.push(...this.#sides(side(before, old), now && side(after, now), movedTo));
    }
    for (const now of after.entries.values())
      if (!paired.has(now.path)) files.push(...this.#sides(undefined, side(after, now)));
    return files;
  }

  /** None where neither side has rules. */
  #sides(old: Side | undefined, now: Side | undefined, movedTo?: string): readonly ChangedFile[] {
    if (now && typeof now.content === 'string') {
      this.#incomparable.push({ path: now.path, why: now.content });
      return [];
    }
    // What the old side was cannot be known any more: the new one is judged as if it were new.
    const before = old && typeof old.content !== 'string' ? kept(old, this.#scope) : undefined;
    const after = now && kept(now, this.#scope);
    if (!before && !after) return [];
    if (before && after && before.path === after.path && before.bytes.equals(after.bytes))
      return [];
    return [{ before, after, movedTo }];
  }
}

interface Side {
  readonly path: string;
  /** In words why it is not known. */
  readonly content: Buffer | string;
}

function side({ read }: State, entry: TreeEntry): Side {
  return { path: entry.path, content: read(entry) ?? 'it leads nowhere' };
}

/** The side if it has rules, or what is to be read as rules: what cannot be told stays. */
function kept({ path, content }: Side, scope: ChangeScope): ChangedSide | undefined {
  if (typeof content === 'string') return undefined;
  const isGiven = scope.paths.includes(path);
  return contentOf(content) === 'other' && !isGiven ? undefined : { path, bytes: content };
}

function isLink(file: string): boolean {
  try {
    return lstatSync(file).isSymbolicLink();
  } catch {
    return false;
  }
}

/** What changed between the commit and the work tree, submodules' insides left out. */
export function findChangedFiles(git: Git, base: string, scope: ChangeScope): ChangedFiles {
  return new Finder(git, scope).find(base);
}
