/**
 * A network namespace of a test's own. It lives as long as a process that holds it, which ends with
 * its input: nothing stays behind, even when the test is killed.
 */
import { type ChildProcessWithoutNullStreams, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { promisify } from 'node:util';

/** What the loopback device has beside 127.0.0.1 and ::1. */
const TEST_ADDRESSES = ['10.9.9.1/32', '10.9.9.2/32', 'fd00:9::1/128', 'fd00:9::2/128'];

/** util-linux runs a program in a new namespace with it. */
const UNSHARE = 'unshare';

const holders = new Set<NetworkNamespace>();

export class NetworkNamespace {
  readonly #holder: ChildProcessWithoutNullStreams;

  private constructor(holder: ChildProcessWithoutNullStreams) {
    this.#holder = holder;
    holders.add(this);
  }

  /** Makes a namespace with loopback up and these addresses on it. */
  static async create(addresses: readonly string[] = TEST_ADDRESSES): Promise<NetworkNamespace> {
    const lines = [
      'ip link set lo up',
      ...addresses.map((address) =>
        address.includes(':')
          ? `ip -6 addr add ${address} dev lo nodad`
          : `ip addr add ${address} dev lo`,
      ),
      'echo ready',
      'exec cat',
    ];
    const holder = spawn(UNSHARE, ['--net', '/bin/sh', '-ec', lines.join('\n')]);
    const namespace = new NetworkNamespace(holder);
    let errors = '';
    holder.stderr.on('data', (chunk) => {
      errors += String(chunk);
    });
    const ended = once(holder, 'close').then(() => {
      holders.delete(namespace);
      throw new Error(`no network namespace: ${errors}`);
    });
    ended.catch(() => {});
    await Promise.race([once(holder.stdout, 'data'), ended]);
    return namespace;
  }

  /** Ends every namespace that is still held; for afterAll. */
  static async removeAll(): Promise<void> {
    await Promise.all([...holders].map((namespace) => namespace.remove()));
  }

  /** What `nsenter --net=` and Caller take. */
  get path(): string {
    return `/proc/${this.#holder.pid}/ns/net`;
  }

  /** Runs a command inside and gives its output; rejects when it fails. */
  async run(command: string, ...words: readonly string[]): Promise<string> {
    const { stdout } = await promisify(execFile)('nsenter', [
      `--net=${this.path}`,
      command,
      ...words,
    ]);
    return stdout;
  }

  async remove(): Promise<void> {
    if (this.#holder.exitCode !== null || this.#holder.signalCode !== null) return;
    const closed = once(this.#holder, 'close');
    this.#holder.stdin.end();
    await closed;
  }
}
