/** The steps of action.yml, run as a runner would. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import type { Ended } from '../cli/command.js';
import { CHECKOUT, Repository, RULES, TESTS, WIDER } from './repository.js';

interface Step {
  readonly id?: string;
  readonly uses?: string;
  readonly shell?: string;
  readonly run?: string;
  readonly env?: Readonly<Record<string, string>>;
}

interface Action {
  readonly inputs: Readonly<Record<string, { readonly default: string }>>;
  readonly outputs: Readonly<Record<string, { readonly value: string }>>;
  readonly runs: { readonly using: string; readonly steps: readonly Step[] };
}

const ACTION: Action = parse(readFileSync(join(CHECKOUT, 'action.yml'), 'utf8'));

type Inputs = Readonly<Record<string, string>>;

/** `${{ inputs.NAME }}`, alone or before `|| github.event.pull_request.base.sha`. */
function evaluate(text: string, inputs: Inputs, base: string): string {
  return text.replace(/\$\{\{ (.*?) \}\}/g, (_, expression: string) => {
    const [, name, more] = /^inputs\.([\w-]+)( \|\| github\.event\.pull_request\.base\.sha)?$/.exec(
      expression,
    ) ?? [undefined, undefined, undefined];
    if (name === undefined) throw new Error(`the test knows no \`${expression}\``);
    const value = inputs[name] ?? ACTION.inputs[name]?.default;
    if (value === undefined) throw new Error(`there is no input \`${name}\``);
    return value === '' && more !== undefined ? base : value;
  });
}

interface Run extends Ended {
  readonly summary: string;
  readonly outputs: string;
}

let repository: Repository;
beforeEach(() => {
  repository = new Repository();
});
afterEach(() => repository.remove());

/** Runs the steps to the first that fails. */
function runAction(inputs: Inputs = {}, base = ''): Run {
  const files = { GITHUB_STEP_SUMMARY: 'summary', GITHUB_OUTPUT: 'output' };
  const runner = {
    GITHUB_ACTION_PATH: CHECKOUT,
    GITHUB_WORKSPACE: repository.work,
    RUNNER_TEMP: repository.path('../temp'),
    ...Object.fromEntries(
      Object.entries(files).map(([name, file]) => [name, repository.path(`../${file}`)]),
    ),
  };
  for (const file of Object.values(files)) repository.write(`../${file}`, '');
  let last: Ended = { status: 0, stdout: '', stderr: '' };
  for (const { run, env = {} } of ACTION.runs.steps) {
    if (run === undefined) continue;
    const own = Object.entries(env).map(([name, text]) => [name, evaluate(text, inputs, base)]);
    last = repository.bash(run, { ...runner, ...Object.fromEntries(own) });
    if (last.status !== 0) break;
  }
  const summary = repository.read('../summary');
  return { ...last, summary, outputs: repository.read('../output') };
}

test('no input becomes text of a script', () => {
  expect(ACTION.runs.using).toBe('composite');
  for (const { run, shell, uses } of ACTION.runs.steps) {
    expect(run === undefined).toBe(uses !== undefined);
    if (run === undefined) continue;
    expect(run).not.toContain('${{');
    expect(shell).toBe('bash');
  }
  const ids = ACTION.runs.steps.flatMap(({ id }) => (id === undefined ? [] : [id]));
  for (const { value } of Object.values(ACTION.outputs))
    expect(ids).toContain(/steps\.(\w+)\.outputs/.exec(value)?.[1]);
});

test('sound rules', () => {
  const { status, stdout, summary, outputs } = runAction();
  expect([status, stdout]).toEqual([0, expect.stringMatching(/^::notice .*SF021.*\n$/)]);
  expect(summary).toMatch(/^### ✅ sockfilter test\n[\s\S]*### ✅ sockfilter check\n/);
  expect(outputs).toMatch(/^summary=.*\nstatus=0\n$/);
  const file = /^summary=(.*)$/m.exec(outputs)?.[1] ?? '';
  expect(readFileSync(file, 'utf8')).toBe(summary);
});

test('findings and failed expectations are annotated, and fail', () => {
  repository.write(
    'rules/web.rules',
    WIDER.replace('COMMIT', '-A BIND -d 10.0.0.5/32 -p tcp -m tcp --dport 80 -j DROP\nCOMMIT'),
  );
  const { status, stdout, summary, outputs } = runAction({ paths: 'rules' });
  expect(status).toBe(1);
  expect(stdout).toMatch(/^::error file=rules\/web\.test\.yaml,line=2,.*title=SF101 /m);
  expect(summary).toContain('### ❌ sockfilter test');
  expect(outputs).toContain('status=1\n');
  repository.write('rules/web.rules', RULES.replace('10.0.0.5/32', '10.0.0.5/8'));
  expect(runAction().status).toBe(0);
  expect(runAction({ 'fail-on': 'warning' }).status).toBe(1);
});

test('what cannot be read is 2', () => {
  repository.write('rules/web.rules', RULES.replace('--dport', '--dprot'));
  const broken = runAction();
  expect(broken.status).toBe(2);
  expect(broken.stdout).toMatch(/^::error file=rules\/web\.rules,line=8,.*title=SF000 /m);
  const nowhere = runAction({ paths: 'nowhere' });
  expect(nowhere.status).toBe(2);
  expect(nowhere.summary).toContain('It ended with status 2');
  for (const inputs of [{ paths: '  ' }, { paths: '--exit-zero' }, { diff: 'never' }])
    expect(runAction(inputs).status).toBe(2);
  expect(runAction({ base: 'nowhere' }).status).toBe(2);
});

describe('with a base', () => {
  let base: string;
  beforeEach(() => {
    base = repository.git('rev-parse', 'HEAD');
    repository.write('rules/web.rules', WIDER);
    repository.write('rules/web.test.yaml', TESTS.replace('"!80"', '["!80", "!81"]'));
    repository.write('rules/other.rules', RULES);
  });

  test('a change is told, and fails only if it is asked to', () => {
    repository.commit();
    const told = runAction({}, base);
    expect(told.status).toBe(0);
    expect(told.stdout).toMatch(/^::notice file=rules\/web\.rules,line=8,.*title=SF200 /m);
    expect(told.stdout).not.toMatch(/^::error/m);
    expect(told.summary).toContain('### ℹ️ sockfilter diff');
    expect(told.summary).toContain('- `rules/other.rules`: a new rule file');
    const refused = runAction({ diff: 'no-new-access' }, base);
    expect(refused.status).toBe(1);
    expect(refused.stdout).toMatch(/^::error file=rules\/web\.rules,line=8,.*title=SF200 /m);
    expect(runAction({ diff: 'same', base: 'main~1' }).status).toBe(1);
    expect(runAction({ diff: 'same', paths: 'rules/other.rules' }, base).status).toBe(1);
    expect(runAction({ diff: 'same', paths: 'rules/other.rules' }, 'HEAD').status).toBe(0);
  });

  test('less access is no new access; a file that moved is compared with what it was', () => {
    const wide = repository.commit();
    repository.git('mv', 'rules/web.rules', 'rules/www.rules');
    repository.git('mv', 'rules/web.test.yaml', 'rules/www.test.yaml');
    repository.write('rules/www.rules', RULES);
    repository.commit();
    const told = runAction({ diff: 'no-new-access' }, wide);
    expect([told.status, told.summary]).toEqual([0, expect.stringContaining('no new access')]);
    expect(runAction({ diff: 'same' }, wide).status).toBe(1);
  });

  test('a base that is not here is fetched', () => {
    repository.commit();
    repository.git('clone', '-q', '--depth=1', `file://${repository.work}`, '../shallow');
    const shallow = repository.path('../shallow');
    const script = 'cd "$AT" && bash "$GITHUB_ACTION_PATH/.ci/action"';
    const env = {
      PATHS: '.',
      BASE: base,
      DIFF: 'no-new-access',
      FAIL_ON: 'error',
      FORMAT: 'github',
      RUNNER_TEMP: repository.path('..'),
    };
    const ended = repository.bash(script, { ...env, AT: shallow, GITHUB_ACTION_PATH: CHECKOUT });
    expect(ended.stdout).toMatch(/^::error file=rules\/web\.rules,line=8,.*title=SF200 /m);
    expect(ended.status).toBe(1);
  });
});

test('names and texts of a pull request are no commands, of the shell or of the workflow', () => {
  const name = "rules/a $(touch harmed);`touch harmed`'\n::warning::harmed.rules";
  repository.write(name, RULES);
  const base = repository.commit();
  repository.write(name, `# \${{ github.token }} $(touch harmed)\n${WIDER}`);
  repository.commit();
  for (const format of ['github', 'text']) {
    const { status, stdout, stderr } = runAction({ format, diff: 'no-new-access' }, base);
    expect([format, status]).toEqual([format, 1]);
    expect(`${withoutQuoted(stdout)}${stderr}`).not.toMatch(/^::warning::harmed/m);
  }
  const paths = `rules\n$(touch harmed)\n"; touch harmed; "`;
  expect(runAction({ paths }).status).toBe(2);
  expect(existsSync(repository.path('harmed'))).toBe(false);
});

/** What the runner reads commands from. */
function withoutQuoted(log: string): string {
  return log.replace(/^::stop-commands::(.*)\n[\s\S]*?^::\1::$/gm, '');
}
