/**
 * The built command in a process that stays: what a run costs without the start of a process, which is
 * most of it. For tests of what a command does; what it is as a process wants one of its own.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import {
  closeSync,
  constants,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const MAIN = require.resolve('./resident-main.cjs');
/** As long as a process of its own would have. */
const LIMIT_MS = 120_000;
/** Between two looks for the answer. */
const POLL_MS = 1;

interface Request {
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly input: string;
}

interface Answer {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Errors of node are of another realm than those of a test. */
function isNotYet(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === 'EAGAIN';
}

export class Resident {
  readonly #folder = mkdtempSync(join(tmpdir(), 'sockfilter-resident-'));
  readonly #files = ['stdin', 'stdout', 'stderr'].map((name) => join(this.#folder, name));
  readonly #child: ChildProcess;
  #isStopped = false;
  readonly #requests: number;
  readonly #answers: number;

  /** Starts a process for the bundle at the path. */
  constructor(program: string) {
    const pipe = (name: string) => join(this.#folder, name);
    const [requests, answers, statuses] = [pipe('requests'), pipe('answers'), pipe('statuses')];
    execFileSync('mkfifo', [requests, answers, statuses]);
    // Opened for both ways, so that opening waits for nobody.
    this.#requests = openSync(requests, constants.O_RDWR);
    this.#answers = openSync(answers, constants.O_RDWR | constants.O_NONBLOCK);
    this.#child = spawn(process.execPath, [MAIN, program, requests, answers, statuses], {
      env: { PATH: process.env.PATH },
      stdio: 'ignore',
    });
    this.#child.unref();
  }

  /** Runs the command to its end. */
  run({ args, cwd, env, input }: Request): Answer {
    const [stdin = '', stdout = '', stderr = ''] = this.#files;
    writeFileSync(stdin, input);
    const request = Buffer.from(JSON.stringify({ args, cwd, env, files: this.#files }));
    writeSync(this.#requests, `${request.toString('base64')}\n`);
    const { status }: { status: number } = JSON.parse(this.#wait(args));
    return { status, stdout: readFileSync(stdout, 'utf8'), stderr: readFileSync(stderr, 'utf8') };
  }

  /**
   * A script of the shell that stands for the command, for what runs it by name: with a file, a pipe or a
   * device for each of its descriptors 0 to 2, and one at a time. Beside another, and where it would move
   * itself, it becomes a process of its own, which is the file. The shell moves its descriptors while it asks:
   * whoever answers takes their copies, 7 to 9.
   */
  script(file: string): string {
    const at = (name: string) => `'${join(this.#folder, name)}'`;
    return `#!/bin/sh
case " $* " in *" exec "*) exec '${process.execPath}' '${file}' "$@" ;; esac
mkdir ${at('busy')} 2>/dev/null || exec '${process.execPath}' '${file}' "$@"
exec 7<&0 8>&1 9>&2
echo $$ > ${at('requests')}
read -r status < ${at('statuses')}
rmdir ${at('busy')}
exit "$status"
`;
  }

  #wait(args: readonly string[]): string {
    const sleeper = new Int32Array(new SharedArrayBuffer(4));
    const bytes = Buffer.alloc(256);
    const deadline = Date.now() + LIMIT_MS;
    while (Date.now() < deadline) {
      try {
        return bytes.toString('utf8', 0, readSync(this.#answers, bytes));
      } catch (error) {
        if (!isNotYet(error)) throw error;
        Atomics.wait(sleeper, 0, 0, POLL_MS);
      }
    }
    this.stop();
    throw new Error(`sockfilter ${args.join(' ')} has not ended within ${LIMIT_MS} ms`);
  }

  stop(): void {
    if (this.#isStopped) return;
    this.#isStopped = true;
    this.#child.kill('SIGKILL');
    closeSync(this.#requests);
    closeSync(this.#answers);
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
