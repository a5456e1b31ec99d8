/** The report for people at a terminal: each finding with its line, a call and what to do. */
import { draw, escapeUnseen, placeText, type Remark } from '@sockfilter/language';
import { type Finding, type Place, wordsKey } from '../finding.js';
import type { Severity } from '../severity.js';
import {
  bySeverity,
  count,
  findingsOf,
  type Report,
  type Suite,
  summaryOf,
  type WriteOptions,
} from './report.js';

/** Findings that a report shows, and places of one that is found again and again. */
const MAX_FINDINGS = 100;
const MAX_PLACES = 8;
/** How often the same is shown in full before its places are only listed. */
export const MAX_EQUAL = 3;
/** Lines about what was left out. */
const MAX_NOTES = 10;

function spanOf({ file, line, column, length }: Place) {
  return { source: file, line, column, length };
}

function remarksOf({ notes, witness, fix }: Finding): readonly Remark[] {
  const remarks: Remark[] = [];
  if (witness)
    remarks.push(
      { label: 'call', style: 'bold', text: witness.call },
      { label: '', style: 'bold', text: witness.command },
    );
  for (const { message, place } of notes) {
    const at = place ? `${placeText(spanOf(place))}: ` : '';
    remarks.push({ label: 'note', style: 'bold', text: `${at}${message}` });
  }
  if (fix !== undefined) remarks.push({ label: 'help', style: 'help', text: fix });
  return remarks;
}

class TextWriter {
  readonly #options: WriteOptions;
  readonly #lines = new Map<string, readonly string[]>();

  constructor(options: WriteOptions) {
    this.#options = options;
  }

  finding(finding: Finding): string {
    const { code, severity, place, message } = finding;
    const drawing = {
      span: spanOf(place),
      label: `${severity}[${code}]`,
      style: severity,
      message,
      remarks: remarksOf(finding),
    };
    const line = place.length === 0 ? undefined : this.#lineOf(place);
    return draw(drawing, line, { colour: this.#options.colour ?? false });
  }

  #lineOf({ file, line }: Place): string | undefined {
    const known = this.#lines.get(file) ?? this.#options.textOf(file)?.split('\n') ?? [];
    this.#lines.set(file, known);
    return known[line - 1];
  }
}

/** What is found at one or more places in the same words. */
interface Repeated {
  readonly finding: Finding;
  readonly severity: Severity;
  readonly others: Place[];
}

/** The first few of equal findings stand by themselves, and the last of those has the places of the rest. */
function group(findings: readonly Finding[]): readonly Repeated[] {
  const groups: Repeated[] = [];
  const known = new Map<string, Repeated[]>();
  for (const finding of findings) {
    const { severity, place } = finding;
    const key = wordsKey(finding);
    const equal = known.get(key) ?? [];
    known.set(key, equal);
    if (equal.length === MAX_EQUAL) equal.at(-1)?.others.push(place);
    else {
      const repeated = { finding, severity, others: [] };
      equal.push(repeated);
      groups.push(repeated);
    }
  }
  return groups;
}

/** The worst, in the order that they have. */
function cut(groups: readonly Repeated[]): readonly Repeated[] {
  if (groups.length <= MAX_FINDINGS) return groups;
  const kept = new Set(bySeverity(groups).slice(0, MAX_FINDINGS));
  return groups.filter((each) => kept.has(each));
}

function placesText(others: readonly Place[]): string {
  const shown = others.slice(0, MAX_PLACES).map(({ line }) => line);
  const more = others.length - shown.length;
  const word = others.length === 1 ? 'line' : 'lines';
  return `the same in ${word} ${shown.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

function suiteText(
  suite: Suite,
  shown: ReadonlySet<Repeated>,
  groups: readonly Repeated[],
  writer: TextWriter,
) {
  const findings = groups
    .filter((each) => shown.has(each))
    .map(({ finding, others }) =>
      others.length === 0
        ? writer.finding(finding)
        : writer.finding({
            ...finding,
            notes: [...finding.notes, { message: placesText(others) }],
          }),
    );
  const intro = (suite.intro ?? []).map((line) => `${escapeUnseen(line)}\n`);
  const head = intro.length === 0 || findings.length === 0 ? intro : [...intro, '\n'];
  const said = [...head, ...findings.map((text) => `${text}\n`)].join('');
  return suite.conclusion === undefined
    ? said
    : `${said}${escapeUnseen(suite.file)}: ${escapeUnseen(suite.conclusion)}\n`;
}

function reportText(report: Report, options: WriteOptions): string {
  const writer = new TextWriter(options);
  const single = (finding: Finding): Repeated => ({
    finding,
    severity: finding.severity,
    others: [],
  });
  const suites = report.suites.map((suite) => {
    const findings = findingsOf({ ...report, suites: [suite] });
    return { suite, groups: options.all ? findings.map(single) : group(findings) };
  });
  const groups = suites.flatMap((each) => each.groups);
  const shown = new Set(options.all ? groups : cut(groups));
  const left = groups
    .filter((each) => !shown.has(each))
    .reduce((sum, { others }) => sum + 1 + others.length, 0);
  const { notes = [] } = report;
  const lines = [
    ...notes.slice(0, MAX_NOTES),
    ...(notes.length > MAX_NOTES ? [`${notes.length - MAX_NOTES} more notes`] : []),
    ...(left > 0 ? [`${count(left, 'finding')} more; \`--all\` shows them`] : []),
  ];
  return [
    ...suites.map((each) => suiteText(each.suite, shown, each.groups, writer)),
    ...lines.map((line) => `note: ${escapeUnseen(line)}\n`),
    `${escapeUnseen(summaryOf(report))}\n`,
  ].join('');
}

export function textReport(reports: readonly Report[], options: WriteOptions): string {
  if (reports.length === 1) return reports.map((report) => reportText(report, options)).join('');
  return reports.map((report) => `${report.command}\n\n${reportText(report, options)}`).join('\n');
}
