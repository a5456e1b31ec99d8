/**
 * What the demo sets up on the machine and takes away again: control groups below one of its own,
 * where alone its rules are enforced, and a network namespace.
 */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { cgroupMount } from '../harness/cgroups.js';
import { NetworkNamespace } from '../harness/netns.js';
import { type DemoCall, GROUPS, type Group, SILENCE } from './calls.js';
import { type Run, Sockfilter } from './command.js';
import { Program } from './program.js';

const PREFIX = 'sockfilter-demo-';
/** The control group that rules/demo.rules names. */
const NAMED = '/sockfilter-demo/';
/** How long to wait for what may never come. */
const PATIENCE_MS = 300;

function mountPoint(): string {
  const mount = cgroupMount();
  if (mount === undefined) throw new Error('cgroup2 is not mounted');
  return mount;
}

function subdirectories(directory: string): readonly string[] {
  return readdirSync(directory, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => join(directory, entry.name));
}

/** Ends the processes in the control group and below, each by its id, and removes all of it. */
async function removeCgroup(directory: string): Promise<void> {
  if (!existsSync(directory)) return;
  for (const below of subdirectories(directory)) await removeCgroup(below);
  for (const deadline = Date.now() + 5000; ; await sleep(10)) {
    try {
      for (const pid of readFileSync(join(directory, 'cgroup.procs'), 'utf8').split('\n'))
        if (Number(pid) > 0) process.kill(Number(pid), 'SIGKILL');
      rmdirSync(directory);
      return;
    } catch (error) {
      // A process that was ended keeps its group busy for a moment.
      if (!existsSync(directory)) return;
      if (Date.now() > deadline) throw error;
    }
  }
}

export class Machine {
  readonly sockfilter: Sockfilter;
  readonly #repository: string;
  readonly #cgroup: string;
  readonly #path: string;
  readonly #state: string;
  readonly #servers = new Map<string, number>();
  readonly #programs = new Map<string, Program>();
  #network: NetworkNamespace | undefined;

  constructor(repository: string, run: Run | undefined) {
    const name = `${PREFIX}${process.pid}`;
    this.#repository = repository;
    this.#cgroup = join(mountPoint(), name);
    this.#path = `/${name}`;
    this.#state = mkdtempSync(join(tmpdir(), `${name}-`));
    const environment = {
      SOCKFILTER_ROOT: this.#path,
      SOCKFILTER_STATE_DIR: this.#state,
      SOCKFILTER_FILE: '',
    };
    this.sockfilter = new Sockfilter(repository, environment, run);
  }

  /** Removes what demos that were killed have left behind. */
  static async clean(repository: string, run: Run | undefined): Promise<void> {
    for (const directory of subdirectories(mountPoint())) {
      const pid = new RegExp(`/${PREFIX}(\\d+)$`).exec(directory)?.[1];
      if (pid === undefined || existsSync(`/proc/${pid}`)) continue;
      const environment = { SOCKFILTER_ROOT: `/${PREFIX}${pid}`, SOCKFILTER_FILE: '' };
      await new Sockfilter(repository, environment, run).run('-w60', 'teardown');
      await removeCgroup(directory);
      removeLock(pid);
      for (const name of readdirSync(tmpdir()))
        if (name.startsWith(`${PREFIX}${pid}-`))
          rmSync(join(tmpdir(), name), { recursive: true, force: true });
    }
  }

  /** Puts the rules in force and starts a program in each group. */
  async open(rules: string): Promise<void> {
    mkdirSync(this.#cgroup);
    this.#network = await NetworkNamespace.create();
    const file = join(this.#state, 'demo.rules');
    writeFileSync(file, rules.replaceAll(NAMED, `${this.#path}/`));
    await this.sockfilter.run('restore', file);
    // The groups are registered by their paths; each control group has its id from its first instant.
    for (const group of GROUPS) mkdirSync(join(this.#cgroup, group));
    await Promise.all(GROUPS.map((group) => this.#start(group, undefined)));
  }

  async #start(group: Group, uid: number | undefined): Promise<Program> {
    const caller = join(this.#repository, 'test/harness/caller-main.js');
    const words = this.sockfilter.words(
      ...['-w60', 'exec', '--group', group, '--'],
      ...['nsenter', `--net=${this.#network?.path}`, process.execPath, caller],
    );
    const user = uid === undefined ? {} : { CALLER_UID: String(uid) };
    const program = await Program.start(words, { ...this.sockfilter.environment, ...user });
    this.#programs.set(`${group} ${uid ?? 0}`, program);
    return program;
  }

  async #program(group: Group, uid?: number): Promise<Program> {
    return this.#programs.get(`${group} ${uid ?? 0}`) ?? (await this.#start(group, uid));
  }

  /** Makes the call, and says what it came to in the words of DemoCall. */
  async make(call: DemoCall): Promise<string> {
    switch (call.chain) {
      case 'BIND':
        return this.#bind(call);
      case 'CONNECT':
        return this.#connect(call);
      case 'SENDTO':
        return this.#sendto(call);
      case 'ACCEPT':
        return this.#accept(call);
      case 'RECVFROM':
        return this.#receive(call);
    }
  }

  async #bind({ group, protocol, to, uid, serves }: DemoCall): Promise<string> {
    const program = await this.#program(group, uid);
    const fd = await program.socket(protocol, to);
    const { errno } = await program.call({ op: 'bind', fd, address: to });
    if (!serves || errno !== undefined) {
      await program.call({ op: 'close', fd });
    } else {
      if (protocol === 'tcp') await program.call({ op: 'listen', fd });
      this.#servers.set(serverKey({ group, protocol, to }), fd);
    }
    return errno ?? 'ok';
  }

  async #connect({ group, protocol, to, uid }: DemoCall): Promise<string> {
    const program = await this.#program(group, uid);
    const fd = await program.socket(protocol, to);
    const call = { fd, address: to } as const;
    const { errno } = await program.call({ op: 'connectAndWait', ...call, ms: PATIENCE_MS });
    await program.call({ op: 'close', fd });
    if (errno === undefined && protocol === 'tcp') await this.#drain(call.address);
    return errno ?? 'ok';
  }

  /** Takes a connection that was made for its own sake out of the server's queue. */
  async #drain(to: DemoCall['to']): Promise<void> {
    const { program, fd } = this.#server({ group: 'web', protocol: 'tcp', to });
    await program.call({ op: 'acceptWithin', fd, ms: PATIENCE_MS });
  }

  async #sendto({ group, from, to }: DemoCall): Promise<string> {
    const program = await this.#program(group);
    const fd = await program.bound('udp', required(from));
    const { errno } = await program.call({ op: 'sendto', fd, to });
    await program.call({ op: 'close', fd });
    return errno ?? 'ok';
  }

  async #accept(call: DemoCall): Promise<string> {
    const { program, fd } = this.#server(call);
    const peer = await this.#program(required(call.peer));
    const from = required(call.from);
    const client = await peer.bound('tcp', from);
    const address = call.to;
    const [, accepted] = await Promise.all([
      peer.call({ op: 'connectAndWait', fd: client, address, ms: PATIENCE_MS }),
      program.call({ op: 'acceptWithin', fd, ms: PATIENCE_MS }),
    ]);
    await peer.call({ op: 'close', fd: client });
    if (accepted.value !== undefined) await program.call({ op: 'close', fd: accepted.value });
    return arrival(accepted, from.port);
  }

  async #receive(call: DemoCall): Promise<string> {
    const { program, fd } = this.#server(call);
    const peer = await this.#program(required(call.peer));
    const from = required(call.from);
    // What other calls have sent here is read first.
    while ((await program.call({ op: 'recvfrom', fd })).errno === undefined);
    const sender = await peer.bound('udp', from);
    const { errno } = await peer.call({ op: 'sendto', fd: sender, to: call.to });
    if (errno !== undefined) throw new Error(`the peer's sendto failed: ${errno}`);
    const received = await program.call({ op: 'recvWithin', fd, ms: PATIENCE_MS });
    await peer.call({ op: 'close', fd: sender });
    return arrival(received, from.port);
  }

  #server(call: Pick<DemoCall, 'group' | 'protocol' | 'to'>): { program: Program; fd: number } {
    const fd = this.#servers.get(serverKey(call));
    return { program: required(this.#programs.get(`${call.group} 0`)), fd: required(fd) };
  }

  /** Ends all programs and removes every trace; goes on past what fails, and says it at the end. */
  async close(): Promise<void> {
    const errors: unknown[] = [];
    const attempt = async (step: () => unknown) => {
      try {
        await step();
      } catch (error) {
        errors.push(error);
      }
    };
    for (const program of this.#programs.values()) await attempt(() => program.stop());
    // The control group goes last: as long as it is there, the next demo finds what was left.
    await attempt(async () => {
      if (!existsSync(this.#cgroup)) return;
      await this.sockfilter.run('-w60', 'teardown');
      await removeCgroup(this.#cgroup);
    });
    await attempt(() => this.#network?.remove());
    await attempt(() => removeLock(process.pid));
    await attempt(() => rmSync(this.#state, { recursive: true, force: true }));
    if (errors.length > 0) throw errors[0];
  }
}

/** The lock file of an instance outlives it, for whoever waits; nobody waits for a demo's. */
function removeLock(pid: number | string): void {
  rmSync(`/run/sockfilter/${`${PREFIX}${pid}`.replaceAll('-', '\\x2d')}.lock`, { force: true });
}

function serverKey({ group, protocol, to }: Pick<DemoCall, 'group' | 'protocol' | 'to'>): string {
  return [group, protocol, to.address, to.port].join(' ');
}

function required<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('the calls of the demo do not fit together');
  return value;
}

/** `ok` when what came is from the peer of the call. */
function arrival(
  { errno, address }: { readonly errno?: string; readonly address?: { readonly port?: number } },
  port: number,
): string {
  if (errno === 'timeout') return SILENCE;
  if (errno !== undefined) return errno;
  return address?.port === port ? 'ok' : `from port ${address?.port}`;
}
