/** A scratch git repository with socket rules, and `sockfilter` on the path of what runs in it. */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { type Ended, runShell, writeStandIn } from '../cli/command.js';

export const CHECKOUT = join(__dirname, '../..');

export const RULES = `*socket
:BIND DROP [0:0]
:ACCEPT DROP [0:0]
:CONNECT DROP [0:0]
:SENDTO DROP [0:0]
:RECVFROM DROP [0:0]
-G web --id 3 --path /web
-A BIND -d 10.0.0.5/32 -p tcp -m tcp --dport 80 -m cgroup --id 3 -j ACCEPT
COMMIT
`;

export const WIDER = RULES.replace('--dport 80', '--dport 80:81');

export const TESTS = `invariants:
  - never: accept
    in: { chain: BIND, group: web, local-port: "!80" }
`;

type Environment = Readonly<Record<string, string>>;

export class Repository {
  readonly #folder = mkdtempSync(join(tmpdir(), 'sockfilter-ci-'));
  readonly work = join(this.#folder, 'work');

  /** With one commit; or with all that the other one has. */
  constructor(from?: Repository) {
    mkdirSync(join(this.#folder, 'bin'));
    writeStandIn(this.path('../bin/sockfilter'));
    mkdirSync(this.path('../temp'));
    if (from === undefined) this.#begin();
    else cpSync(from.work, this.work, { recursive: true, preserveTimestamps: true });
  }

  #begin(): void {
    mkdirSync(join(this.work, 'rules'), { recursive: true });
    this.git('init', '-q', '-b', 'main', '--template=');
    // No second process to clean up in.
    this.git('config', 'maintenance.auto', 'false');
    this.write('rules/web.rules', RULES);
    this.write('rules/web.test.yaml', TESTS);
    this.commit();
  }

  /** Costs no process. */
  copy(): Repository {
    return new Repository(this);
  }

  path(name: string): string {
    return join(this.work, name);
  }

  write(name: string, text: string): void {
    writeFileSync(this.path(name), text);
  }

  read(name: string): string {
    return readFileSync(this.path(name), 'utf8');
  }

  #environment(more: Environment): Record<string, string> {
    const { PATH = '' } = process.env;
    const path = [this.path('../bin'), dirname(process.execPath), PATH].join(delimiter);
    const git = { GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_SYSTEM: '/dev/null' };
    return { PATH: path, HOME: this.#folder, ...git, ...more };
  }

  /** Runs bash as a GitHub runner does for `shell: bash`. */
  bash(script: string, env: Environment = {}): Ended {
    const words = ['--noprofile', '--norc', '-eo', 'pipefail', '-c', script];
    return runShell(['bash', ...words], { cwd: this.work, env: this.#environment(env) });
  }

  git(...words: readonly string[]): string {
    const { status, stdout, stderr } = spawnSync('git', words, {
      cwd: this.work,
      env: this.#environment({}),
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(`git ${words.join(' ')}: ${stderr}`);
    return stdout.trim();
  }

  /** Commits everything, and gives the revision. */
  commit(): string {
    const { status, stdout, stderr } = this.bash(
      'git add -A && git -c user.name=x -c user.email=x@x commit -qm x && git rev-parse HEAD',
    );
    if (status !== 0) throw new Error(`git commit: ${stderr}`);
    return stdout.trim();
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
