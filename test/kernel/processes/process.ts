/** Starts the programs of this folder, bundled from the sources, and talks to them. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { programDigest } from '@sockfilter/kernel';
import { type BuildOptions, build, buildSync, stop } from 'esbuild';
import { forLength } from '../../harness/length.js';
import type {
  AdministratorQuestion,
  HammerCall,
  HammerQuestion,
  HammerWork,
  Outcomes,
  SettlerQuestion,
  Tally,
} from './messages.js';

const REPOSITORY = join(__dirname, '../../..');
const PACKAGES = join(REPOSITORY, 'packages');

/** The short form leaves the processor to others now and then. */
const REST_MS = forLength({ long: 0, short: 1 });

const PROGRAMS = {
  administrator: require.resolve('./administrator.ts'),
  hammer: require.resolve('./hammer.ts'),
  settler: require.resolve('./settler.ts'),
};

const BUNDLE: BuildOptions = {
  outExtension: { '.js': '.mjs' },
  bundle: true,
  platform: 'node',
  format: 'esm',
  external: ['koffi'],
  alias: Object.fromEntries(
    readdirSync(PACKAGES).map((name) => [
      `@sockfilter/${name}`,
      join(PACKAGES, name, 'src/index.ts'),
    ]),
  ),
};

let folder: string | undefined;

/** The folder of the bundles; made at the first call. */
function bundles(): string {
  if (folder !== undefined) return folder;
  // The checkout of a virtual machine can't be written to.
  folder = mkdtempSync(join(tmpdir(), 'sockfilter-processes-'));
  // From where they find koffi.
  symlinkSync(join(REPOSITORY, 'node_modules'), join(folder, 'node_modules'));
  buildSync({
    ...BUNDLE,
    // As the build of the command says it.
    define: { PROGRAM_DIGEST: String(programDigest()) },
    entryPoints: PROGRAMS,
    outdir: folder,
  });
  // Or its service outlives the tests.
  void stop();
  return folder;
}

/** Changes what a file of the kernel package says; throws where there is nothing to change. */
export type Patch = readonly (readonly [from: string, to: string])[];

/** The administrator of another release, whose `layout.ts` says what the patch makes of it. */
async function bundleOther(name: string, patch: Patch): Promise<string> {
  const outfile = join(bundles(), `${name}.mjs`);
  await build({
    ...BUNDLE,
    entryPoints: [PROGRAMS.administrator],
    outfile,
    plugins: [
      {
        name: 'release',
        setup: ({ onLoad }) =>
          onLoad({ filter: /packages\/kernel\/src\/layout\.ts$/ }, ({ path }) => {
            let contents = readFileSync(path, 'utf8');
            for (const [from, to] of patch) {
              if (!contents.includes(from)) throw new Error(`${path} has no \`${from}\``);
              contents = contents.replace(from, to);
            }
            return { contents, loader: 'ts' };
          }),
      },
    ],
  });
  await stop();
  return outfile;
}

/** The processes that run now. */
const running = new Set<Process<unknown, unknown>>();

class Process<Question, Answer> {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #closed: Promise<unknown>;
  readonly #lines: AsyncIterator<string>;
  #errors = '';

  constructor(command: string, words: readonly string[]) {
    this.#child = spawn(command, words, { stdio: 'pipe' });
    this.#closed = once(this.#child, 'close').then(() => running.delete(this));
    this.#child.stdin.on('error', () => {});
    this.#child.stderr.on('data', (chunk) => {
      this.#errors += String(chunk);
    });
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
    running.add(this);
  }

  get pid(): number {
    return this.#child.pid ?? -1;
  }

  /** The next line that the process says; undefined if it has ended without an error of its own. */
  async hear(): Promise<Answer | undefined> {
    const line = await this.#lines.next();
    if (line.done !== true) return JSON.parse(line.value);
    await this.#closed;
    if (this.#errors !== '') throw new Error(this.#errors);
    return undefined;
  }

  tell(question: Question): void {
    this.#child.stdin.write(`${JSON.stringify(question)}\n`);
  }

  /** Asks; undefined if the process has died of it. */
  ask(question: Question): Promise<Answer | undefined> {
    this.tell(question);
    return this.hear();
  }

  /** kill -9; returns when the process is gone. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#closed;
  }
}

function startInside<Question, Answer>(
  cgroup: string,
  netns: string,
  program: keyof typeof PROGRAMS,
  word: string,
): Process<Question, Answer> {
  const enter = 'echo $$ > "$0/cgroup.procs" && exec nsenter "$@"';
  const node = [process.execPath, join(bundles(), `${program}.mjs`), word];
  return new Process('/bin/sh', ['-c', enter, cgroup, `--net=${netns}`, ...node]);
}

/** A process that makes calls; see hammer.ts. */
export class Hammer {
  readonly #process: Process<HammerQuestion, Tally>;

  private constructor(process: Process<HammerQuestion, Tally>) {
    this.#process = process;
  }

  /** Starts it in the control group (its directory) and the network namespace. */
  static async start(cgroup: string, netns: string, calls: readonly HammerCall[]): Promise<Hammer> {
    const work: HammerWork = { calls, restMs: REST_MS };
    const hammer = new Hammer(startInside(cgroup, netns, 'hammer', JSON.stringify(work)));
    await hammer.#process.hear();
    return hammer;
  }

  async run(): Promise<void> {
    await this.#process.ask('run');
  }

  /** Ends the calls, until it is run again; what they have come to since the start. */
  async pause(): Promise<Tally> {
    const tally = await this.#process.ask('pause');
    if (!tally) throw new Error('the process that makes calls has ended');
    return tally;
  }
}

/** A process that makes control groups and calls from within; see settler.ts. */
export class Settler {
  readonly #process: Process<SettlerQuestion, Outcomes>;

  private constructor(process: Process<SettlerQuestion, Outcomes>) {
    this.#process = process;
  }

  /** Starts it; the control group (its directory) is where it returns to. */
  static async start(home: string, netns: string): Promise<Settler> {
    const settler = new Settler(startInside(home, netns, 'settler', home));
    await settler.#process.hear();
    return settler;
  }

  async ask(question: SettlerQuestion): Promise<Outcomes> {
    const outcomes = await this.#process.ask(question);
    if (!outcomes) throw new Error('the process that makes control groups has ended');
    return outcomes;
  }
}

/** A process that changes the table; see administrator.ts. */
export class Administrator {
  readonly #process: Process<AdministratorQuestion, number>;

  private constructor(process: Process<AdministratorQuestion, number>) {
    this.#process = process;
  }

  /** @param flags for node */
  static async start(...flags: readonly string[]): Promise<Administrator> {
    const path = join(bundles(), 'administrator.mjs');
    const administrator = new Administrator(new Process(process.execPath, [...flags, path]));
    await administrator.#process.hear();
    return administrator;
  }

  /** One of another release than these sources; see bundleOther. */
  static async startOther(name: string, patch: Patch): Promise<Administrator> {
    const path = await bundleOther(name, patch);
    const administrator = new Administrator(new Process(process.execPath, [path]));
    await administrator.#process.hear();
    return administrator;
  }

  get pid(): number {
    return this.#process.pid;
  }

  /** Starts work that does not end by itself. */
  tell(question: AdministratorQuestion): void {
    this.#process.tell(question);
  }

  ask(question: AdministratorQuestion): Promise<number | undefined> {
    return this.#process.ask(question);
  }

  kill(): Promise<void> {
    return this.#process.kill();
  }
}

/** How many calls a tally holds. */
export function callsIn(tally: Tally): number {
  return tally.flatMap((results) => Object.values(results)).reduce((sum, n) => sum + n, 0);
}

/** Ends every process that still runs; for afterAll. */
export async function endProcesses(): Promise<void> {
  await Promise.all([...running].map((process) => process.kill()));
  if (folder !== undefined) rmSync(folder, { recursive: true });
  folder = undefined;
}
