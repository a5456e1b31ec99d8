/** The hooks of .pre-commit-hooks.yaml and the snippet for GitLab, run in a scratch repository. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { CHECKOUT, Repository, RULES, TESTS, WIDER } from './repository.js';

interface Hook {
  readonly id: string;
  readonly entry: string;
  readonly files: string;
  readonly pass_filenames?: boolean;
}

interface Job {
  readonly script: readonly string[];
  readonly artifacts: {
    readonly paths: readonly string[];
    readonly reports: { readonly junit: string; readonly codequality: string };
  };
}

const HOOKS: readonly Hook[] = parse(
  readFileSync(join(CHECKOUT, '.pre-commit-hooks.yaml'), 'utf8'),
);

const DOCUMENT = readFileSync(join(CHECKOUT, 'docs/ci.md'), 'utf8');

/** The YAML block of the section. */
function snippet(heading: string): string {
  const [, text] =
    new RegExp(`\n## ${heading}\n[^]*?\n\`\`\`yaml\n([^]*?)\n\`\`\``).exec(DOCUMENT) ?? [];
  if (text === undefined) throw new Error(`no YAML below ${heading}`);
  return text;
}

let repository: Repository;
beforeEach(() => {
  repository = new Repository();
});
afterEach(() => repository.remove());

/** Runs the hook for the files that it takes, as pre-commit does. */
function runHook(id: string) {
  const hook = HOOKS.find((each) => each.id === id);
  if (!hook) throw new Error(`no hook ${id}`);
  const files = repository
    .git('ls-files')
    .split('\n')
    .filter((name) => new RegExp(hook.files).test(name));
  if (files.length === 0) return { status: 0, stdout: '' };
  const names = hook.pass_filenames === false ? [] : files;
  return repository.bash([hook.entry, ...names].join(' '));
}

describe('pre-commit', () => {
  test('sound rules pass', () => {
    for (const { id } of HOOKS) expect([id, runHook(id).status]).toEqual([id, 0]);
  });

  test('findings and failed expectations fail', () => {
    repository.write('rules/web.rules', WIDER.replace('--id 3', '--id 3 -s 10.0.0.1'));
    expect(runHook('sockfilter-check').status).toBe(2);
    repository.write('rules/web.rules', WIDER.replace('COMMIT', `${RULES.split('\n')[7]}\nCOMMIT`));
    const checked = runHook('sockfilter-check');
    expect([checked.status, checked.stdout]).toEqual([0, expect.stringContaining('SF002')]);
    const tested = runHook('sockfilter-test');
    expect([tested.status, tested.stdout]).toEqual([1, expect.stringContaining('SF101')]);
  });

  test('the document names the hooks that there are', () => {
    const { repos }: { repos: readonly { hooks: readonly { id: string }[] }[] } = parse(
      snippet('pre-commit'),
    );
    expect(repos[0]?.hooks.map(({ id }) => id)).toEqual(HOOKS.map(({ id }) => id));
  });
});

describe('GitLab', () => {
  const job: Job = parse(snippet('GitLab')).sockfilter;

  /** Runs the lines of the script to the first that fails. */
  function runJob(base: string) {
    return repository.bash(job.script.join('\n'), { CI_MERGE_REQUEST_DIFF_BASE_SHA: base });
  }

  test('writes the reports that it names', () => {
    const base = repository.git('rev-parse', 'HEAD');
    repository.write('rules/web.rules', `# Only a comment.\n${RULES}`);
    repository.commit();
    const { status, stdout } = runJob(base);
    expect([status, stdout]).toEqual([0, expect.stringContaining('the files mean the same')]);
    const { reports, paths } = job.artifacts;
    expect(repository.read(reports.junit)).toMatch(/^<\?xml[\s\S]* time="\d+\.\d{3}"/);
    const findings: { check_name: string }[] = JSON.parse(repository.read(reports.codequality));
    expect(findings.map(({ check_name }) => check_name)).toEqual(['SF021']);
    for (const path of paths) expect(repository.read(path).length).toBeGreaterThan(100);
  });

  test('fails for new access', () => {
    const base = repository.git('rev-parse', 'HEAD');
    repository.write('rules/web.rules', WIDER);
    repository.write('rules/web.test.yaml', TESTS.replace('"!80"', '["!80", "!81"]'));
    repository.commit();
    const { status, stdout } = runJob(base);
    expect(status).not.toBe(0);
    expect(stdout).toContain('error[SF200]: newly accepted');
  });
});

test('the workflow gives inputs that the action has', () => {
  const { inputs } = parse(readFileSync(join(CHECKOUT, 'action.yml'), 'utf8'));
  const workflow = parse(snippet('GitHub Actions'));
  const given = Object.keys(workflow.jobs.sockfilter.steps[1].with);
  expect(Object.keys(inputs)).toEqual(expect.arrayContaining(given));
  const rows = [...DOCUMENT.matchAll(/^\| `([\w-]+)` \|/gm)].map(([, name]) => name);
  expect(rows).toEqual(expect.arrayContaining(Object.keys(inputs)));
});
