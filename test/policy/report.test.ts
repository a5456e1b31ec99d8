/** The forms of reports: what other programs need to read them. */
import {
  catalogueRows,
  checkFile,
  exitOf,
  type Finding,
  type Format,
  type Report,
  writeReport,
} from '@sockfilter/policy';
import { fileOf } from './rulefile.js';

const NASTY = 'a<b>&"c" ]]> %0A::error:: | `x` @you #1 \u0001 é';

function reportOf(findings: readonly Finding[], more: Partial<Report> = {}): Report {
  const place = { file: 'x.rules', line: 1, column: 1, length: 1 };
  return {
    command: 'check',
    version: '0.1.0',
    suites: [{ file: 'x.rules', cases: [{ name: 'check', place, findings }] }],
    ignored: [],
    failOn: 'error',
    ...more,
  };
}

function write(format: Format, report: Report): string {
  return writeReport(format, [report], { textOf: () => '-A CONNECT -d 10.0.0.0/8 -j DROP\n' });
}

const NASTY_FINDING: Finding = {
  code: 'SF001',
  severity: 'error',
  place: { file: 'a b,c:d.rules', line: 1, column: 4, length: 7 },
  message: `${NASTY}\nsecond line`,
  notes: [{ message: NASTY, place: { file: 'x.rules', line: 7, column: 1, length: 3 } }],
  fix: NASTY,
};

const REAL = checkFile(
  fileOf([
    '# sockfilter: ignore[SF009] meant',
    '-A CONNECT -p tcp -d 10.0.0.5/8 -j DROP',
    '-A CONNECT -p tcp -d 10.1.0.0/16 -j ACCEPT',
  ]),
);

const FORMATS: readonly Format[] = [
  'text',
  'json',
  'github',
  'sarif',
  'junit',
  'markdown',
  'codequality',
];

test.each(FORMATS)('%s says nothing wrong of an empty report', (format) => {
  const text = write(format, reportOf([]));
  expect(text).not.toContain('undefined');
  expect(exitOf(reportOf([]))).toBe(0);
});

test('text: excerpt, caret, call, notes, help, and no control characters', () => {
  const report = reportOf([NASTY_FINDING]);
  const [head, line, caret] = write('text', report).split('\n');
  expect(head).toBe(
    'a b,c:d.rules:1:4: error[SF001]: a<b>&"c" ]]> %0A::error:: | `x` @you #1 \\u{1} é\\u{a}second line',
  );
  expect(line).toBe(' 1 | -A CONNECT -d 10.0.0.0/8 -j DROP');
  expect(caret).toBe('   |    ^^^^^^^');
  expect(write('text', reportOf(REAL.findings, { ignored: REAL.ignored }))).toMatch(
    /1 error, 0 warnings, 4 remarks in 1 file; 1 ignored\n$/,
  );
});

const HOSTILE = [
  '\x1b[2J',
  '\x9b2J',
  '\u202e',
  '\u2066',
  '\u2028',
  '\u2029',
  '\u200b',
  '\ufeff',
  '\r',
];

test.each(FORMATS)('%s: a reader gets no character that acts and is not seen', (format) => {
  const text = `a${HOSTILE.join('b')}c`;
  const place = { file: text, line: 1, column: 1, length: 3 };
  const finding: Finding = {
    ...NASTY_FINDING,
    place,
    message: text,
    notes: [{ message: text, place }],
  };
  const [suite] = reportOf([finding]).suites;
  const suites = [
    { file: text, cases: [{ name: text, place, findings: suite?.cases[0]?.findings ?? [] }] },
  ];
  const ignored = [{ finding, reason: text }];
  const report = reportOf([], { suites, ignored, conclusion: text, details: { text } });
  const written = writeReport(format, [report], { textOf: () => text });
  // Markdown parts `@` from a name by one of its own.
  const own = format === 'markdown' ? written.replaceAll(/(?<=[@#])\u200b/g, '') : written;
  expect(own).not.toMatch(/[^\P{Cc}\t\n]|[\p{Cf}\p{Zl}\p{Zp}]/u);
  if (format === 'json') expect(JSON.parse(written)).toMatchObject({ text });
});

test('colour is asked for', () => {
  const report = reportOf([NASTY_FINDING]);
  const coloured = writeReport('text', [report], { colour: true, textOf: () => undefined });
  expect(coloured).toContain('\x1b[1;31merror[SF001]:\x1b[0m');
  expect(write('text', report)).not.toContain('\x1b');
});

test('json', () => {
  const report = reportOf(REAL.findings, { ignored: REAL.ignored, details: { wide: 2n ** 100n } });
  const value: unknown = JSON.parse(write('json', report));
  expect(value).toMatchObject({
    tool: 'sockfilter',
    exit: 1,
    files: [{ file: 'x.rules', cases: [{ ok: false }] }],
    ignored: [{ code: 'SF009', reason: 'meant' }],
    wide: '1267650600228229401496703205376',
  });
  expect(JSON.stringify(value)).toContain('"destination":"10.1.0.1"');
});

test('github: one line for each finding, escaped', () => {
  const text = write('github', reportOf([NASTY_FINDING]));
  expect(text.split('\n')).toHaveLength(2);
  expect(text).toMatch(
    /^::error file=a b%2Cc%3Ad\.rules,line=1,col=4,endColumn=11,title=SF001 shadowed rule::a<b>/,
  );
  expect(text).toContain('%250A::error::');
  expect(text).toContain('%0Asecond line');
});

interface Sarif {
  readonly runs: readonly {
    readonly tool: { readonly driver: { readonly rules: readonly { readonly id: string }[] } };
    readonly results: readonly {
      readonly ruleId: string;
      readonly ruleIndex: number;
      readonly level: string;
      readonly locations: readonly object[];
      readonly suppressions?: readonly object[];
    }[];
  }[];
}

test('sarif: rules, places and what was silenced', () => {
  const report = reportOf([...REAL.findings, NASTY_FINDING], { ignored: REAL.ignored });
  const { runs }: Sarif = JSON.parse(write('sarif', report));
  const [run] = runs;
  if (!run) throw new Error('no run');
  const { rules } = run.tool.driver;
  expect(rules).toHaveLength(catalogueRows().length);
  for (const { ruleId, ruleIndex } of run.results) expect(rules[ruleIndex]?.id).toBe(ruleId);
  for (const { level } of run.results) expect(['error', 'warning', 'note']).toContain(level);
  expect(run.results.filter(({ suppressions }) => suppressions)).toMatchObject([
    { ruleId: 'SF009', suppressions: [{ kind: 'inSource', justification: 'meant' }] },
  ]);
  const nasty = run.results.find(({ locations }) => JSON.stringify(locations).includes('a%20b'));
  expect(nasty?.locations).toEqual([
    {
      physicalLocation: {
        artifactLocation: { uri: 'a%20b%2Cc%3Ad.rules' },
        region: { startLine: 1, startColumn: 4, endLine: 1, endColumn: 11 },
      },
    },
  ]);
});

/** The tags of well-formed XML in order, `/` before the closing ones; throws for anything else. */
function tagsOf(xml: string): readonly string[] {
  const open: string[] = [];
  const tags: string[] = [];
  const text = xml.replace(/^<\?xml version="1\.0" encoding="UTF-8"\?>\n/, '');
  const token = /<(\/?)([a-z-]+)((?: [a-z]+="[^"<]*")*)(\/?)>|[^<]+/gy;
  for (let at = 0; at < text.length; at = token.lastIndex) {
    token.lastIndex = at;
    const match = token.exec(text);
    if (!match) throw new Error(`no XML: ${text.slice(at, at + 40)}`);
    const [whole, closing, name, , empty] = match;
    if (/&(?!(?:amp|lt|gt|quot|#\d+);)/.test(whole)) throw new Error(`a bare &: ${whole}`);
    if (name === undefined) continue;
    if (closing === '/') {
      if (open.pop() !== name) throw new Error(`</${name}> closes another`);
    } else if (empty !== '/') open.push(name);
    tags.push(`${closing}${name}`);
  }
  if (open.length > 0) throw new Error('not closed');
  return tags;
}

test('junit: well-formed, with the counts of its cases', () => {
  const text = write('junit', reportOf([NASTY_FINDING]));
  expect(tagsOf(text)).toEqual([
    'testsuites',
    'testsuite',
    'testcase',
    'failure',
    '/failure',
    '/testcase',
    '/testsuite',
    '/testsuites',
  ]);
  expect(text).toContain('<testsuite name="x.rules" tests="1" failures="1" errors="0"');
  expect(text).not.toContain('\u0001');
  const warnings = [{ ...NASTY_FINDING, severity: 'warning' as const }];
  expect(tagsOf(write('junit', reportOf(warnings)))).not.toContain('failure');
  expect(tagsOf(write('junit', reportOf(warnings, { failOn: 'warning' })))).toContain('failure');
});

test('markdown: escaped, and no longer than a comment may be', () => {
  const text = write('markdown', reportOf([NASTY_FINDING]));
  expect(text).not.toContain('<b>');
  expect(text).not.toContain('@you');
  expect(text).not.toContain('#1 ');
  const many = Array.from({ length: 2000 }, () => NASTY_FINDING);
  const long = write('markdown', reportOf(many));
  expect(Buffer.byteLength(long)).toBeLessThan(64 * 1024);
  expect(long).toMatch(/_\d+ of 2000 findings are not shown: the comment would be too long\._\n$/);
});

test('the exit status', () => {
  const withSeverity = (severity: Finding['severity'], code: Finding['code'] = 'SF001') =>
    reportOf([{ ...NASTY_FINDING, severity, code }]);
  expect(exitOf(withSeverity('error'))).toBe(1);
  expect(exitOf(withSeverity('warning'))).toBe(0);
  expect(exitOf({ ...withSeverity('info'), failOn: 'info' })).toBe(1);
  expect(exitOf(withSeverity('error', 'SF000'))).toBe(2);
});

test('codequality: what GitLab needs of each finding, with a fingerprint of its own', () => {
  const findings = [NASTY_FINDING, NASTY_FINDING, ...REAL.findings];
  const issues: unknown = JSON.parse(write('codequality', reportOf(findings)));
  expect(issues).toContainEqual({
    type: 'issue',
    check_name: 'SF001',
    description: expect.stringContaining('SF001 shadowed rule: '),
    severity: 'critical',
    fingerprint: expect.stringMatching(/^[0-9a-f]{64}$/),
    location: { path: 'a b,c:d.rules', lines: { begin: 1 } },
  });
  const prints = Array.isArray(issues) ? issues.map((issue) => issue.fingerprint) : [];
  expect(new Set(prints).size).toBe(findings.length);
});

describe('what receivers take', () => {
  const options = { textOf: () => undefined };
  const at = (n: number, more: Partial<Finding> = {}): Finding => ({
    code: 'SF013',
    severity: 'info',
    place: { file: 'sub/x.rules', line: n + 1, column: 1, length: 1 },
    message: `remark ${n}`,
    notes: [],
    ...more,
  });
  const many = (count: number, more: Partial<Finding> = {}) =>
    Array.from({ length: count }, (_, n) => at(n, more));
  const change = at(90, { code: 'SF200', message: 'newly accepted' });
  const wrong = at(91, { code: 'SF001', severity: 'error', message: 'shadowed' });

  test('ten annotations of all reports: changes, then the worst, and how many more', () => {
    const reports = [reportOf(many(15)), reportOf([wrong]), reportOf([change])];
    const lines = writeReport('github', reports, options).trimEnd().split('\n');
    expect(lines).toHaveLength(10);
    expect(lines[0]).toContain('SF200');
    expect(lines[1]).toMatch(/^::error .*SF001/);
    expect(lines[9]).toMatch(/^::notice .*::and 8 more/);
    expect(writeReport('github', [reportOf(many(10))], options)).not.toContain(' more');
  });

  test('what the last annotation counts is as bad as the worst of it', () => {
    const lines = writeReport('github', [reportOf(many(12, wrong))], options)
      .trimEnd()
      .split('\n');
    expect(lines.at(-1)).toMatch(/^::error .*::and 3 more/);
  });

  test('sarif: 25,000 results and 10 MB at most, the worst of them', () => {
    const run = (findings: readonly Finding[]) => {
      const text = writeReport('sarif', [reportOf(findings)], options);
      expect(Buffer.byteLength(text)).toBeLessThan(10_000_000);
      return JSON.parse(text).runs[0];
    };
    const few = run([...many(25_100), wrong]);
    expect(few.results).toHaveLength(25_000);
    expect(few.results[0].ruleId).toBe('SF001');
    expect(few.invocations[0].toolExecutionNotifications[0].message.text).toMatch(/^101 findings/);
    const long = run(many(12_000, { message: 'x'.repeat(1000) }));
    expect(long.results.length).toBeGreaterThan(5000);
    expect(long.results.length).toBeLessThan(12_000);
    expect(run(many(3)).invocations[0]).toEqual({ executionSuccessful: true });
  });

  test.each(['github', 'sarif', 'junit', 'markdown', 'codequality'] as const)(
    '%s names files from the top of the repository',
    (format) => {
      const pathOf = (file: string) => `top/${file}`;
      expect(writeReport(format, [reportOf([wrong])], { ...options, pathOf })).toContain(
        'top/sub/x.rules',
      );
    },
  );

  test('junit: cases and their sums carry their time', () => {
    const report = reportOf([]);
    const place = { file: 'x.rules', line: 1, column: 1, length: 1 };
    const cases = [1.5, 0.25].map((seconds) => ({ name: 'x', place, findings: [], seconds }));
    const xml = writeReport(
      'junit',
      [{ ...report, suites: [{ file: 'x.rules', cases }] }],
      options,
    );
    expect(xml.match(/time="[\d.]+"/g)).toEqual([
      'time="1.750"',
      'time="1.750"',
      'time="1.500"',
      'time="0.250"',
    ]);
  });

  test('text: the same is told three times, then its lines', () => {
    const text = write('text', reportOf(many(40_000, { message: 'the same' })));
    expect(text.match(/the same\n/g)).toHaveLength(3);
    expect(text).toContain('the same in lines 4, 5, 6, 7, 8, 9, 10, 11 and 39989 more');
    expect(text.length).toBeLessThan(2000);
  });

  test('text: a hundred findings, the worst of them, unless all are asked for', () => {
    const report = reportOf([...many(300), wrong]);
    const text = write('text', report);
    expect(text.match(/^sub\/x\.rules:/gm)).toHaveLength(100);
    expect(text).toContain('error[SF001]');
    expect(text).toContain('note: 201 findings more; `--all` shows them\n');
    expect(writeReport('text', [report], { ...options, all: true })).toContain('remark 299\n');
  });

  test('a heading says what it is about, and each file has its answer', () => {
    const report = reportOf([], { command: 'diff', subject: 'a.rules to b.rules' });
    const suites = [{ file: 'b.rules', cases: [], conclusion: 'the files mean the same' }];
    const told = { ...report, suites, notes: ['`c.rules` is left out'] };
    expect(write('markdown', told)).toMatch(
      /^### ✅ sockfilter diff: a\.rules to b\.rules\n[\s\S]*- `b\.rules`: the files mean the same\n- `c\.rules` is left out\n/,
    );
    expect(write('text', told)).toBe(
      'b.rules: the files mean the same\nnote: `c.rules` is left out\n0 errors, 0 warnings, 0 remarks in 1 file\n',
    );
  });
});
