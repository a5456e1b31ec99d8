/** Rule files for the commands of CI: what cannot be read is a finding, or the end with status 2. */
import { execFileSync } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { join, normalize } from 'node:path';
import { parseSave } from '@sockfilter/iptables';
import type { Document, Span } from '@sockfilter/language';
import {
  CATALOGUE,
  type Finding,
  fileWithoutText,
  type Place,
  type PlacedWord,
  type RuleFile,
} from '@sockfilter/policy';
import type { Chain, Rule, Table } from '@sockfilter/table';
import { EXIT } from '../exitcode.js';
import { CommandError, DiagnosticsError } from '../failure.js';
import type { Globals } from '../globals.js';
import { decodeText, readTextFile, STANDARD_INPUT } from '../inputfile.js';
import { SYSTEM_NAMES } from '../systemnames.js';

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

function unreadable(name: string, error: unknown): CommandError {
  const said = error instanceof Error ? error.message : String(error);
  const reason = /^[A-Z0-9]+: (.*?), \w+/.exec(said)?.[1] ?? said;
  return new CommandError(`\`${name}\` cannot be read: ${reason}`, EXIT.usage);
}

export function readText(path: string, sources: Sources): string {
  try {
    // By its descriptor: what is a socket can't be opened by a name.
    const text = readTextFile(path === STANDARD_INPUT ? 0 : path, path);
    sources.add(path, text);
    return text;
  } catch (error) {
    throw error instanceof DiagnosticsError ? error : unreadable(path, error);
  }
}

function placeOfSpan({ source, line, column, length }: Span): Place {
  return { file: source, line, column, length: Math.max(1, length) };
}

function wordsOf(lines: readonly string[], place: Place): readonly PlacedWord[] {
  const from = place.column - 1;
  const text = (lines[place.line - 1] ?? '').slice(from, from + place.length);
  return [...text.matchAll(/"(?:[^"\\]|\\.)*"|'[^']*'|\S+/g)].map((match) => {
    const [written] = match;
    const column = place.column + match.index;
    const bare = /^(["']).*\1$/.test(written) ? written.slice(1, -1) : written;
    return { text: bare, place: { ...place, column, length: written.length } };
  });
}

function ruleFile(name: string, document: Document, table: Table): RuleFile {
  const lines = document.source.text.split('\n');
  const chains = new Map<string, Place>();
  for (const [at, line] of document.lines.entries())
    if (line.kind === 'chain' && !chains.has(line.name))
      chains.set(line.name, { file: name, line: at + 1, column: 1, length: line.text.length });
  const start: Place = { file: name, line: 1, column: 1, length: 1 };
  const isRule = (owner: Rule | Chain): owner is Rule => 'matches' in owner;
  const placeOf = (owner: Rule | Chain): Place => {
    if (!isRule(owner)) return chains.get(owner.name) ?? start;
    const place = document.places.get(owner);
    return place ? placeOfSpan(place.rule) : start;
  };
  return {
    name,
    table,
    placeOf,
    wordsOf: (rule) => wordsOf(lines, placeOf(rule)),
    comments: document.lines.flatMap(({ kind, text }, at) =>
      kind === 'comment' ? [{ line: at + 1, text }] : [],
    ),
  };
}

/** Reads a rule file's text; every mistake is a finding. */
export function readRules(name: string, text: string, sources: Sources): ReadRules {
  sources.add(name, text);
  const { document, table, diagnostics } = parseSave(text, name, { names: SYSTEM_NAMES });
  const findings = diagnostics.map(
    ({ message, span, help, notes = [] }): Finding => ({
      code: 'SF000',
      severity: CATALOGUE.SF000.severity,
      place: placeOfSpan(span),
      message,
      notes: notes.map((note) => ({ message: note })),
      fix: help,
    }),
  );
  const file = findings.length === 0 ? ruleFile(name, document, table) : undefined;
  return { file, document, findings };
}

function readFromGit(spec: string): string {
  const [, revision = '', path = ''] = /^git:([^:]+):(.+)$/s.exec(spec) ?? [];
  if (path === '' || revision.startsWith('-'))
    throw new CommandError(`\`${spec}\` is not \`git:REVISION:PATH\``, EXIT.usage);
  try {
    const bytes = execFileSync('git', ['show', '--no-textconv', `${revision}:${path}`], {
      maxBuffer: 1 << 28,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    return decodeText(bytes, spec);
  } catch (error) {
    if (error instanceof DiagnosticsError) throw error;
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
  const text = spec.startsWith('git:') ? readFromGit(spec) : readText(spec, sources);
  return readRules(spec, text, sources);
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

/** The paths themselves, and of folders the files that end so. */
export function findFiles(paths: readonly string[], ending: string): readonly string[] {
  const found = paths.flatMap((path) => {
    try {
      if (path === STANDARD_INPUT || !statSync(path).isDirectory()) return [normalize(path)];
      const files = filesBelow(path, ending);
      if (files.length > 0) return files;
    } catch (error) {
      throw unreadable(path, error);
    }
    throw new CommandError(`no file in \`${path}\` ends in \`${ending}\``, EXIT.usage);
  });
  // Nothing that was looked at must never pass for nothing that was found.
  if (found.length === 0) throw new CommandError('no file is named', EXIT.usage);
  return [...new Set(found)];
}
