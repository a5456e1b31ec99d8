/** The built `sockfilter` command, run as a user runs it: as processes. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DemoCall, Endpoint } from './calls.js';
import { SILENCE } from './calls.js';

interface Explanation {
  /** As in DemoCall. */
  readonly outcome: string;
  /** The rule or policy that decided, in -S form. */
  readonly rule: string;
}

/** What `explain --json` prints, as far as the demo needs it. */
interface Answer {
  readonly errnoName?: string;
  readonly decider: { readonly text: string };
}

/** Runs the command to its end. */
export type Run = (
  args: readonly string[],
  environment: NodeJS.ProcessEnv,
) => Promise<{
  readonly status: number | string | null;
  readonly stdout: string;
  readonly stderr: string;
}>;

type Words = readonly [string, ...string[]];

/** package.json, as far as the demo needs it. */
interface Manifest {
  readonly bin: { readonly sockfilter: string };
}

export function printEndpoint({ address, port }: Endpoint): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

function runProcess([program, ...words]: Words, env: NodeJS.ProcessEnv): ReturnType<Run> {
  const child = spawn(program, words, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk) => {
    stdout += String(chunk);
  });
  child.stderr.on('data', (chunk) => {
    stderr += String(chunk);
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ status: signal ?? code, stdout, stderr }));
  });
}

export class Sockfilter {
  readonly #program: string;
  readonly #run: Run;
  readonly environment: NodeJS.ProcessEnv;

  /** @param environment SOCKFILTER_FILE or SOCKFILTER_ROOT, and the like */
  constructor(repository: string, environment: NodeJS.ProcessEnv, run?: Run) {
    const home = join(repository, 'packages/cli');
    const manifest: Manifest = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8'));
    this.#program = join(home, manifest.bin.sockfilter);
    this.#run = run ?? ((args, env) => runProcess(this.words(...args), env));
    this.environment = { ...process.env, NO_COLOR: '1', ...environment };
  }

  /** The words that run the command with these arguments. */
  words(...args: readonly string[]): Words {
    return [process.execPath, this.#program, ...args];
  }

  /** Runs the command and gives its output; rejects with what it says when it fails. */
  async run(...args: readonly string[]): Promise<string> {
    const { status, stdout, stderr } = await this.#run(args, this.environment);
    if (status === 0) return stdout;
    throw new Error(`sockfilter ${args.join(' ')} (${status}): ${stderr.trim()}`);
  }

  /** What the table says of a call. */
  async explain({ chain, group, protocol, from, to, uid = 0 }: DemoCall): Promise<Explanation> {
    const output = await this.run(
      ...['-w60', 'explain', chain],
      ...['--json', '--group', group, '--proto', protocol, '--uid', String(uid)],
      ...(from ? ['--src', printEndpoint(from)] : []),
      ...['--dst', printEndpoint(to)],
    );
    const { errnoName, decider }: Answer = JSON.parse(output);
    const isSilent = chain === 'ACCEPT' || chain === 'RECVFROM';
    const outcome = errnoName === undefined ? 'ok' : isSilent ? SILENCE : errnoName;
    return { outcome, rule: decider.text };
  }
}
