/** The built command, run as a process of its own. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Resident } from './resident.js';

const PACKAGE = join(__dirname, '../../packages/cli');

const BUILT = join(PACKAGE, 'dist/main.cjs');

export function program(name: 'sockfilter' | 'sockfilter-save' | 'sockfilter-restore'): string {
  return join(PACKAGE, `bin/${name}.cjs`);
}

export interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** One for all tests of a file. */
let resident: Resident | undefined;
afterAll(() => {
  resident?.stop();
  resident = undefined;
});

function theResident(): Resident {
  if (!existsSync(BUILT)) throw new Error(`${BUILT} is not built: \`npm run build\` first`);
  resident ??= new Resident(BUILT);
  return resident;
}

/** Writes a script that does what `sockfilter` does, for what runs it by its name; see Resident.script. */
export function writeStandIn(file: string): void {
  writeFileSync(file, theResident().script(program('sockfilter')), { mode: 0o755 });
}

/** A folder of a test's own, in which the command runs and keeps its state. */
export class Workplace {
  readonly folder: string;
  readonly #env: Readonly<Record<string, string>>;

  constructor(env: Readonly<Record<string, string>> = {}) {
    this.folder = mkdtempSync(join(tmpdir(), 'sockfilter-cli-'));
    this.#env = env;
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  write(name: string, text: string): void {
    writeFileSync(this.path(name), text);
  }

  read(name: string): string {
    return readFileSync(this.path(name), 'utf8');
  }

  #environment(more: Readonly<Record<string, string>> = {}): Record<string, string> {
    const { PATH = '' } = process.env;
    return { PATH, SOCKFILTER_STATE_DIR: this.path('state'), ...this.#env, ...more };
  }

  /** Runs `sockfilter` to its end, in a process that stays for the next one unless it moves itself. */
  run(args: readonly string[], options: RunOptions = {}): Ended {
    if (args.includes('exec')) return this.runAlone(args, options);
    const { input = '', env } = options;
    return theResident().run({ args, cwd: this.folder, env: this.#environment(env), input });
  }

  /** Runs `sockfilter` in a process of its own. */
  runAlone(args: readonly string[], options: RunOptions = {}): Ended {
    return this.runProgram(program('sockfilter'), args, options);
  }

  runProgram(file: string, args: readonly string[], options?: RunOptions): Ended {
    return this.runNode([file, ...args], options);
  }

  /** Runs a line of the shell in the folder. */
  shell(line: string): Ended {
    return runShell(['sh', '-c', line], { cwd: this.folder, env: this.#environment() });
  }

  runNode(args: readonly string[], options?: RunOptions): Ended {
    return this.#spawn(process.execPath, args, options);
  }

  #spawn(file: string, args: readonly string[], { input = '', env }: RunOptions = {}): Ended {
    const { status, stdout, stderr, error } = spawnSync(file, args, {
      cwd: this.folder,
      env: this.#environment(env),
      input,
      encoding: 'utf8',
      timeout: 120_000,
    });
    if (error) throw error;
    return { status, stdout, stderr };
  }

  /** Runs `sockfilter` at a terminal that script(1) of util-linux makes; the input is what somebody types. */
  runAtTerminal(words: string, input = ''): Ended {
    const command = `'${process.execPath}' '${program('sockfilter')}' ${words}`;
    return this.#spawn('script', ['-qec', command, '/dev/null'], { input });
  }

  /** Starts `sockfilter`, with pipes to it. */
  start(args: readonly string[]): ChildProcess {
    return spawn(process.execPath, [program('sockfilter'), ...args], {
      cwd: this.folder,
      env: this.#environment(),
    });
  }

  /** Runs the command and gives its exit status; throws what it says if that is not the one meant. */
  expectStatus(args: readonly string[], status: number, options?: RunOptions): Ended {
    const ended = this.run(args, options);
    if (ended.status === status) return ended;
    const said = `${ended.stdout}${ended.stderr}`;
    throw new Error(`sockfilter ${args.join(' ')} exits with ${ended.status}:\n${said}`);
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Runs a shell to its end; what it says goes into files, and what it reads is empty. */
export function runShell(
  [shell, ...words]: readonly [string, ...string[]],
  { cwd, env }: { readonly cwd: string; readonly env: Readonly<Record<string, string>> },
): Ended {
  const folder = mkdtempSync(join(tmpdir(), 'sockfilter-shell-'));
  const [out, err] = [join(folder, 'out'), join(folder, 'err')];
  const files = [openSync(out, 'a'), openSync(err, 'a')] as const;
  try {
    const { status, error } = spawnSync(shell, words, { cwd, env, stdio: ['ignore', ...files] });
    if (error) throw error;
    return { status, stdout: readFileSync(out, 'utf8'), stderr: readFileSync(err, 'utf8') };
  } finally {
    for (const file of files) closeSync(file);
    rmSync(folder, { recursive: true });
  }
}

/** Resolves with the exit status of a started command and what it has said. */
export function ended(child: ChildProcess): Promise<Ended> {
  let stdout = '';
  let stderr = '';
  child.stdout?.on('data', (piece) => {
    stdout += piece;
  });
  child.stderr?.on('data', (piece) => {
    stderr += piece;
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (status) => resolve({ status, stdout, stderr }));
  });
}
