/** What became of every rule file since a commit: `diff --since` and `review`. */
import { realpathSync } from 'node:fs';
import { join, relative, resolve, sep } from 'node:path';
import { EXIT } from '@sockfilter/language';
import {
  CATALOGUE,
  type Code,
  Comparison,
  type Finding,
  fileWithoutText,
  plainFinding,
  type RuleFile,
  type Severity,
  type Suite,
} from '@sockfilter/policy';
import { EMPTY_TABLE, type Table } from '@sockfilter/table';
import { CommandError } from '../failure.js';
import { type Base, findBase } from './base.js';
import { changeDetails, concludeChange, introOf } from './changeanswer.js';
import {
  type ChangedFile,
  type ChangedFiles,
  type ChangedSide,
  findChangedFiles,
} from './changedfiles.js';
import { IGNORE_FILE } from './exclusion.js';
import { Git } from './git.js';
import { type Answer, withinLimits } from './reporting.js';
import { readRules, type Sources } from './rulesource.js';
import { timed } from './timed.js';

/** What of a change is wrong: nothing, what gives access, or all. */
export type Gate = 'report' | 'no-new-access' | 'same';

export interface ChangeWords {
  readonly since: string;
  readonly paths: readonly string[];
  readonly exclude: readonly string[];
  /** Whether what of the history is not here may be fetched. */
  readonly fetch: boolean;
}

/** Regions that a finding about a whole file names. */
const MAX_REGIONS = 8;

const NOTHING = 'no file';

/** What restrains nobody, as a kernel without rules. */
const OPEN = fileWithoutText(NOTHING, EMPTY_TABLE);

const CLOSED_TABLE: Table = {
  ...EMPTY_TABLE,
  chains: EMPTY_TABLE.chains.map((chain) => ({ ...chain, policy: 'DROP' })),
};

/** What accepts nothing: against it all that a file accepts is new. */
const CLOSED = fileWithoutText(NOTHING, CLOSED_TABLE);

/** What a change makes of one file. */
interface Outcome {
  readonly findings: readonly Finding[];
  readonly conclusion: string;
  readonly details?: object;
  /** What to know before the findings. */
  readonly intro?: readonly string[];
}

class Judge {
  readonly #gate: Gate;
  readonly #base: string;
  readonly #sources: Sources;
  readonly #nameOf: (path: string) => string;

  constructor(gate: Gate, base: string, sources: Sources, nameOf: (path: string) => string) {
    this.#gate = gate;
    this.#base = base;
    this.#sources = sources;
    this.#nameOf = nameOf;
  }

  judge({ before, after, movedTo }: ChangedFile): Outcome {
    const old = before && this.#readOld(before);
    if (!after) return this.#gone(before, old?.file, movedTo);
    const now = readRules(this.#nameOf(after.path), after.bytes, this.#sources);
    if (!now.file) return { findings: now.findings, conclusion: 'it cannot be read' };
    if (!old?.file) return this.#new(now.file, old?.findings[0]);
    return this.#changed(
      old.file,
      now.file,
      before?.path === after.path ? undefined : before?.path,
    );
  }

  #readOld({ path, bytes }: ChangedSide) {
    return readRules(`git:${this.#base.slice(0, 12)}:${path}`, bytes, this.#sources);
  }

  /** What is told and not wrong is a remark, whatever its code. */
  #finding(code: Code, file: string, message: string, isWrong: boolean): Finding {
    const place = { file, line: 1, column: 1, length: 0 };
    return { ...plainFinding(code, place, message), severity: this.#severity(code, isWrong) };
  }

  #severity(code: Code, isWrong: boolean): Severity {
    return isWrong ? CATALOGUE[code].severity : 'info';
  }

  #gone(before: ChangedSide | undefined, old: RuleFile | undefined, movedTo?: string): Outcome {
    const file = this.#nameOf(before?.path ?? '');
    const to = movedTo === undefined ? '' : `: \`${this.#nameOf(movedTo)}\` is not looked at`;
    const finding = this.#finding(
      'SF206',
      file,
      `the rule file is gone${to}`,
      this.#gate !== 'report',
    );
    const regions = old ? regionsOf(old, OPEN, 'newly accepted') : ['what it refused is not known'];
    const notes = regions.map((message) => ({ message }));
    return { findings: [{ ...finding, notes }], conclusion: `the rule file is gone${to}` };
  }

  #new(now: RuleFile, fault: Finding | undefined): Outcome {
    const accepted = regionsOf(CLOSED, now, 'newly accepted');
    const isWrong =
      this.#gate === 'same' || (this.#gate === 'no-new-access' && accepted.length > 0);
    const what = fault ? 'what it was cannot be read' : 'a new rule file';
    const gives =
      accepted.length === 0 ? 'it accepts nothing' : 'all that it accepts may be new access';
    const message = `${what}: ${gives}`;
    const refused = regionsOf(OPEN, now, 'newly refused');
    const notes = [...(fault ? [{ message: fault.message, place: fault.place }] : [])];
    for (const region of [...accepted, ...refused])
      notes.push({ message: region, place: fileStart(now) });
    const finding = this.#finding('SF207', now.name, message, isWrong);
    return { findings: [{ ...finding, notes }], conclusion: message };
  }

  #changed(old: RuleFile, now: RuleFile, from: string | undefined): Outcome {
    const comparison = new Comparison(old, now);
    const change = comparison.describe();
    const options = { noNewAccess: this.#gate === 'no-new-access' };
    const findings = comparison
      .findings(change, options)
      .map((each) => ({ ...each, severity: this.#severity(each.code, this.#gate !== 'report') }));
    const answer = { change, findings, ...options, isIntended: false };
    const moved = from === undefined ? '' : `, and was \`${this.#nameOf(from)}\``;
    return {
      findings,
      conclusion: `${concludeChange(answer)}${moved}`,
      details: changeDetails(change),
      intro: introOf(findings, change),
    };
  }
}

function fileStart({ name }: RuleFile) {
  return { file: name, line: 1, column: 1, length: 0 };
}

/** What one of two files accepts or refuses and the other does not, in words; how many more there are. */
function regionsOf(
  old: RuleFile,
  now: RuleFile,
  kind: 'newly accepted' | 'newly refused',
): readonly string[] {
  const { regions, unlisted } = new Comparison(old, now).describe();
  const texts = regions.filter((each) => each.kind === kind).map(({ text }) => `${kind}: ${text}`);
  const more = texts.length - MAX_REGIONS;
  return [
    ...texts.slice(0, MAX_REGIONS),
    ...(more > 0 ? [`${kind}: ${more} more regions`] : []),
    ...(unlisted.includes(kind) ? [`${kind}: more regions than can be listed`] : []),
  ];
}

/** The paths from the top of the repository. */
function pathsFromTop(top: string, paths: readonly string[]): readonly string[] {
  return paths.map((path) => {
    const below = relative(top, join(realpathSync('.'), relative('.', resolve(path))));
    if (below !== '..' && !below.startsWith(`..${sep}`)) return below;
    throw new CommandError(`\`${path}\` is outside of the repository`, EXIT.usage);
  });
}

/** Files that say what is looked for and expected: none of them accepts a call, all of them may hide one. */
function groundRule(path: string, status: string): string {
  const what = path.endsWith(IGNORE_FILE) ? 'the file that says what is ignored' : 'expectations';
  if (status === 'D') return `${what} removed`;
  return status === 'A' ? `${what} added` : `${what} changed`;
}

/** What changed since a commit, as git has it. */
export interface Change {
  /** As the user named the commit. */
  readonly since: string;
  /** The commit that is compared with, and what a person should know about the choice. */
  readonly base: Base;
  readonly changed: ChangedFiles;
  /** The name that a user knows a path from the top of the repository by. */
  readonly nameOf: (path: string) => string;
}

/** Asks git for every rule file that differs. */
export function findChange({ since, paths, exclude, fetch }: ChangeWords): Change {
  const top = realpathSync(new Git('.').top());
  // At the top: below it git lists only what is there.
  const git = new Git(top);
  const base = findBase(git, since, { fetch, env: process.env });
  const fromTop = pathsFromTop(top, paths.length === 0 ? ['.'] : paths);
  const changed = findChangedFiles(git, base.commit, { paths: fromTop, exclude });
  return { since, base, changed, nameOf: (path) => relative(realpathSync('.'), join(top, path)) };
}

/** Compares every rule file that differs; the base and what else a person should know is in the notes. */
export function judgeChange(change: Change, gate: Gate, sources: Sources): Answer {
  const { since, base, changed, nameOf } = change;
  const judge = new Judge(gate, base.commit, sources, nameOf);
  const changes: object[] = [];
  const suites: Suite[] = changed.files.map((each) => {
    const file = nameOf((each.after ?? each.before)?.path ?? '');
    const { value, seconds } = timed(() => withinLimits(file, () => judge.judge(each)));
    const { findings, conclusion, details, intro = [] } = value;
    const from = each.before && nameOf(each.before.path);
    changes.push({ file, before: from ?? null, gone: !each.after, ...details });
    const place = { file, line: 1, column: 1, length: 1 };
    return {
      file,
      intro,
      conclusion,
      cases: [{ name: `since ${since}`, place, findings, seconds }],
    };
  });
  const told = (path: string, finding: Finding, conclusion: string): Suite => {
    const { place } = finding;
    const cases = [{ name: 'change', place, findings: [finding] }];
    return { file: nameOf(path), conclusion, cases };
  };
  const at = (path: string) => ({ file: nameOf(path), line: 1, column: 1, length: 0 });
  suites.push(
    ...changed.incomparable.map(({ path, why }) =>
      told(path, plainFinding('SF000', at(path), `this cannot be compared: ${why}`), why),
    ),
    ...changed.others.map(({ status, after }) => {
      const said = groundRule(after, status);
      return told(after, plainFinding('SF208', at(after), said), said);
    }),
  );
  return {
    command: 'diff',
    subject: `since ${since}`,
    suites,
    ignored: [],
    notes: [`compared with ${base.commit.slice(0, 12)}`, ...base.notes],
    conclusion: concludeAll(gate, suites),
    details: { base: base.commit, changes },
  };
}

function concludeAll(gate: Gate, suites: readonly Suite[]): string {
  if (suites.length === 0) return 'no rule file changed';
  const isWrong = suites.some(({ cases }) =>
    cases.some(({ findings }) => findings.some(({ severity }) => severity === 'error')),
  );
  if (isWrong)
    return gate === 'same' ? 'rule files do not mean the same' : 'the change is not wanted';
  return gate === 'report' ? 'what changed is told' : 'the change passes';
}
