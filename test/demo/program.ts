/** A small real program in a group: test/harness/caller-main.js, started by `sockfilter exec`. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Call, Result, SocketAddress } from '../harness/caller.js';

interface Answer {
  readonly id: number;
  readonly result: Result & { readonly fault?: string };
}

interface Waiting {
  readonly resolve: (result: Result) => void;
  readonly reject: (error: Error) => void;
}

export class Program {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #waiting = new Map<number, Waiting>();
  readonly #closed: Promise<unknown>;
  #next = 1;
  #over: string | undefined;
  #errors = '';

  private constructor([command, ...args]: readonly [string, ...string[]], env: NodeJS.ProcessEnv) {
    this.#child = spawn(command, args, { env, stdio: 'pipe' });
    this.#closed = once(this.#child, 'close');
    this.#closed.catch(() => {});
    this.#child.stderr.on('data', (chunk) => {
      this.#errors += String(chunk);
    });
    this.#child.stdin.on('error', () => {});
    this.#child.on('error', (error) => this.#end(error.message));
    this.#child.on('close', (code, signal) => this.#end(String(signal ?? code)));
    createInterface({ input: this.#child.stdout }).on('line', (line) => {
      const { id, result }: Answer = JSON.parse(line);
      const waiting = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (result.fault === undefined) waiting?.resolve(result);
      else waiting?.reject(new Error(result.fault));
    });
  }

  #end(how: string): void {
    this.#over ??= `a program of the demo has ended (${how}): ${this.#errors.trim()}`;
    for (const { reject } of this.#waiting.values()) reject(new Error(this.#over));
    this.#waiting.clear();
  }

  /** Starts the command and waits until the program in it can be asked. */
  static async start(
    words: readonly [string, ...string[]],
    env: NodeJS.ProcessEnv,
  ): Promise<Program> {
    const program = new Program(words, env);
    await new Promise<Result>((resolve, reject) => {
      program.#waiting.set(0, { resolve, reject });
    });
    return program;
  }

  call(call: Call): Promise<Result> {
    if (this.#over !== undefined) return Promise.reject(new Error(this.#over));
    const id = this.#next++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#child.stdin.write(`${JSON.stringify({ id, call })}\n`);
    });
  }

  /** A new socket of the address's family. */
  async socket(protocol: 'tcp' | 'udp', { address }: SocketAddress): Promise<number> {
    const { value, errno } = await this.call({
      op: 'socket',
      family: address.includes(':') ? 'inet6' : 'inet',
      type: protocol === 'tcp' ? 'stream' : 'dgram',
    });
    if (value === undefined) throw new Error(`socket: ${errno}`);
    return value;
  }

  /** A new socket, bound; throws if it can't be. */
  async bound(protocol: 'tcp' | 'udp', address: SocketAddress): Promise<number> {
    const fd = await this.socket(protocol, address);
    const { errno } = await this.call({ op: 'bind', fd, address });
    if (errno !== undefined) throw new Error(`bind to ${address.address}: ${errno}`);
    return fd;
  }

  /** Ends the program, and waits until it is gone. */
  async stop(): Promise<void> {
    if (this.#over !== undefined) return;
    this.#child.stdin.end();
    const kill = setTimeout(() => this.#child.kill('SIGKILL'), 2000);
    await this.#closed.catch(() => {});
    clearTimeout(kill);
  }
}
