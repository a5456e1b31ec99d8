/** The files that a command is given: by name, or in folders by their ending. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, normalize } from 'node:path';
import { EXIT } from '@sockfilter/language';
import { CommandError } from '../failure.js';
import { STANDARD_INPUT } from '../inputfile.js';
import { currentExclusion } from './exclusion.js';
import { contentOf } from './rulecontent.js';
import { unreadable } from './rulesource.js';

export const RULES = '.rules';
export const TESTS = '.test.yaml';

interface Wanted {
  readonly ending: typeof RULES | typeof TESTS;
  /** Patterns of `--exclude`. */
  readonly exclude: readonly string[];
  /** Whether it is well that there is none at all. */
  readonly allowNone?: boolean;
}

export interface Found {
  readonly files: readonly string[];
  /** What was left out, and why. */
  readonly notes: readonly string[];
}

/** The files of a folder and the folders in it that end so, sorted; hidden ones are left out. */
function filesBelow(folder: string, ending: string): readonly string[] {
  return readdirSync(folder, { withFileTypes: true })
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      if (entry.name.startsWith('.') || entry.name === 'node_modules') return [];
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return filesBelow(path, ending);
      return entry.name.endsWith(ending) ? [path] : [];
    });
}

function isFolder(path: string): boolean {
  try {
    return path !== STANDARD_INPUT && statSync(path).isDirectory();
  } catch (error) {
    throw unreadable(path, error);
  }
}

/** Why a file that a folder holds is none of ours. */
function strangeness(path: string, ending: Wanted['ending']): string | undefined {
  if (ending !== RULES) return undefined;
  try {
    if (!statSync(path).isFile()) return 'it is no file';
    return contentOf(readFileSync(path)) === 'other' ? 'it has no table `socket`' : undefined;
  } catch (error) {
    throw unreadable(path, error);
  }
}

/** The paths themselves, and of folders the files that end so. What is left out is told. */
export function findFiles(
  paths: readonly string[],
  { ending, exclude, allowNone = false }: Wanted,
): Found {
  const isExcluded = currentExclusion(exclude);
  const notes: string[] = [];
  const left = (path: string, why: string): readonly string[] => {
    notes.push(`\`${path}\` is left out: ${why}`);
    return [];
  };
  const found = paths.flatMap((given) => {
    if (!isFolder(given)) {
      const path = normalize(given);
      return isExcluded(path) ? left(path, 'it is excluded') : [path];
    }
    const files = filesBelow(given, ending);
    const ours = files.flatMap((path) => {
      const why = isExcluded(path) ? 'it is excluded' : strangeness(path, ending);
      return why === undefined ? [path] : left(path, why);
    });
    if (ours.length > 0) return ours;
    const [first] = files;
    const message = `no file in \`${given}\` ends in \`${ending}\`${first === undefined ? '' : ' and counts'}`;
    if (!allowNone)
      throw new CommandError(message, EXIT.usage, first === undefined ? undefined : notes.at(-1));
    notes.push(message);
    return [];
  });
  // Nothing that was looked at must never pass for nothing that was found.
  if (found.length === 0 && notes.length === 0)
    throw new CommandError('no file is named', EXIT.usage);
  return { files: [...new Set(found)], notes };
}
