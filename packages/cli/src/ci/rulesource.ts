/** Rule files for the commands of CI: what cannot be read is a finding, or the end with status 2. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { type Document, decodeSource, EXIT } from '@sockfilter/language';
import {
  documentFile,
  type Finding,
  fileWithoutText,
  mistakeFinding,
  type Place,
  plainFinding,
  type RuleFile,
} from '@sockfilter/policy';
import { CommandError } from '../failure.js';
import type { Globals } from '../globals.js';
import { decodeText, STANDARD_INPUT } from '../inputfile.js';
import { parseRules } from '../notation.js';
import { SYSTEM_NAMES } from '../systemnames.js';
import { isLfsPointer } from './rulecontent.js';

/** Text that was read, by the name that places have. */
export class Sources {
  readonly #texts = new Map<string, string>();

  add(name: string, text: string): void {
    this.#texts.set(name, text);
  }

  readonly textOf = (name: string): string | undefined => this.#texts.get(name);
}

export interface ReadRules {
  /** Undefined where the findings say why. */
  readonly file: RuleFile | undefined;
  readonly document: Document | undefined;
  readonly findings: readonly Finding[];
}

export function unreadable(name: string, error: unknown): CommandError {
  const said = error instanceof Error ? error.message : String(error);
  const reason = /^[A-Z0-9]+: (.*?), \w+/.exec(said)?.[1] ?? said;
  return new CommandError(`\`${name}\` cannot be read: ${reason}`, EXIT.usage);
}

function readBytes(path: string): Buffer {
  try {
    // By its descriptor: what is a socket can't be opened by a name.
    return readFileSync(path === STANDARD_INPUT ? 0 : path);
  } catch (error) {
    throw unreadable(path, error);
  }
}

export function readText(path: string, sources: Sources): string {
  const text = decodeText(readBytes(path), path);
  sources.add(path, text);
  return text;
}

/** Reads a rule file's content; every mistake is a finding. */
export function readRules(name: string, bytes: Buffer, sources: Sources): ReadRules {
  if (isLfsPointer(bytes)) {
    const place: Place = { file: name, line: 1, column: 1, length: 0 };
    const why = 'this is a pointer of Git LFS: the rules themselves are not here';
    return { file: undefined, document: undefined, findings: [plainFinding('SF000', place, why)] };
  }
  const { source, diagnostic } = decodeSource(bytes, name);
  const { text } = source;
  sources.add(name, text);
  const read = diagnostic ? undefined : parseRules(text, name, { names: SYSTEM_NAMES });
  const diagnostics = diagnostic ? [diagnostic] : (read?.diagnostics ?? []);
  const findings = diagnostics.map(mistakeFinding);
  const file = read && findings.length === 0 ? documentFile(read.document, read.table) : undefined;
  return { file, document: read?.document, findings };
}

/** Reads the rule file at the path. */
export function readRulesAt(path: string, sources: Sources): ReadRules {
  return readRules(path, readBytes(path), sources);
}

function readFromGit(spec: string): Buffer {
  const [, revision = '', path = ''] = /^git:([^:]+):(.+)$/s.exec(spec) ?? [];
  if (path === '' || revision.startsWith('-'))
    throw new CommandError(`\`${spec}\` is not \`git:REVISION:PATH\``, EXIT.usage);
  try {
    return execFileSync('git', ['show', '--no-textconv', `${revision}:${path}`], {
      maxBuffer: 1 << 28,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  } catch (error) {
    const told = error instanceof Error && 'stderr' in error ? String(error.stderr) : '';
    const reason =
      told
        .trim()
        .split('\n')[0]
        ?.replace(/^fatal: /, '') || 'git does not start';
    throw new CommandError(`\`${spec}\` cannot be read: ${reason}`, EXIT.usage, shallowHelp());
  }
}

/** What helps where the history was not fetched: forges' checkouts have one commit. */
function shallowHelp(): string | undefined {
  try {
    const args = ['rev-parse', '--is-shallow-repository'];
    const stdio = ['ignore', 'pipe', 'ignore'] as const;
    if (execFileSync('git', args, { encoding: 'utf8', stdio: [...stdio] }).trim() !== 'true')
      return undefined;
  } catch {
    return undefined;
  }
  return 'this clone is shallow: fetch the revision, with `fetch-depth: 0` for actions/checkout, GIT_DEPTH: 0 in GitLab, or `git fetch --unshallow`';
}

/** Reads a file, `git:REVISION:PATH` (as `git show` has paths), or `live`, the table in force. */
export async function readSide(
  spec: string,
  globals: Globals,
  sources: Sources,
): Promise<ReadRules> {
  if (spec === 'live') {
    const { withLiveTable } = await import('../livetable.js');
    const table = withLiveTable(globals, 'read', ({ open }) => open.table);
    return { file: fileWithoutText('live', table), document: undefined, findings: [] };
  }
  return readRules(spec, spec.startsWith('git:') ? readFromGit(spec) : readBytes(spec), sources);
}
