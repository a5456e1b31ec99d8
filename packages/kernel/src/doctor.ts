/**
 * What this machine can do, found out by trying and not by version. All that is made for it, a control group,
 * maps, programs and links, is gone at the end; calls of processes that are there already are never judged.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmdirSync, unlinkSync } from 'node:fs';
import { release } from 'node:os';
import { join } from 'node:path';
import {
  attachCgroup,
  cgroupId,
  close,
  createMap,
  DEFAULT_BPFFS,
  exit,
  type Fd,
  findBpffs,
  hasBpfLsm,
  listSockets,
  loadProgram,
  movImm,
  natChains,
  openCgroup,
  openDirectory,
  PerfBuffer,
  type ProgramSpec,
  pin,
  R0,
  SOCKET_STATE,
} from '@sockfilter/bpf';
import { PROTOCOL, unescapePath } from '@sockfilter/table';
import { tryHook } from './attachment.js';
import type { Tree } from './cgrouptree.js';
import {
  readMounts,
  requireCgroup2,
  requireLinux,
  requireRoot,
  requireSuperuser,
} from './environment.js';
import { ANSWER_HOOKS, CALL_HOOKS, type Hook, TRACEPOINTS } from './hooks.js';
import { closeMaps, createLooseMaps, type Maps } from './maps.js';
import { kernelOffsets } from './offsets.js';
import { using } from './pins.js';
import { UnsupportedError } from './unsupported.js';

export interface Ability {
  readonly name: string;
  /** Untried is what depends on something that fails, and what can't be told. */
  readonly state: 'works' | 'fails' | 'untried';
  /** Whether rules can't be enforced without it. */
  readonly needed: boolean;
  /** What was found, or why it fails. */
  readonly detail: string;
  /** The way out. */
  readonly help?: string;
}

interface Try {
  readonly name: string;
  readonly needed: boolean;
  /** Gives what was found, or why it can't be told; throws why it fails. */
  readonly body: () => string | { readonly untold: string };
}

/** What `found` says, if the check does not throw. */
function passing(check: () => unknown, found: () => string): () => string {
  return () => {
    check();
    return found();
  };
}

function helpOf(error: object): string | undefined {
  return 'help' in error && typeof error.help === 'string' ? error.help : undefined;
}

function attempt({ name, needed, body }: Try): Ability {
  try {
    const found = body();
    if (typeof found !== 'string') return { name, needed, state: 'untried', detail: found.untold };
    return { name, needed, state: 'works', detail: found };
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const help = helpOf(error);
    const failed = { name, needed, state: 'fails', detail: error.message } as const;
    return help === undefined ? failed : { ...failed, help };
  }
}

const untried = ({ name, needed }: Pick<Try, 'name' | 'needed'>, because: string): Ability => ({
  name,
  needed,
  state: 'untried',
  detail: `needs ${because}`,
});

/** Tries one after the other, and none after one that is needed and fails. */
function attemptAll(tries: readonly Try[]): readonly Ability[] {
  let failed: string | undefined;
  return tries.map((each) => {
    if (failed !== undefined) return untried(each, failed);
    const ability = attempt(each);
    if (ability.state === 'fails' && each.needed) failed = each.name;
    return ability;
  });
}

/** What a process does that moves into a control group, binds and connects a socket there: prints `ok` or the errno. */
const CONNECT = `
  require('node:fs').writeFileSync(process.argv[1], String(process.pid));
  const socket = require('node:dgram').createSocket('udp4');
  let said = '';
  const end = (error) => {
    if (said !== '') return;
    said = error ? error.code : 'ok';
    require('node:fs').writeSync(1, said);
    socket.close();
  };
  socket.on('error', end).connect(9, '127.0.0.1', end);`;

/** The same of one that listens. */
const LISTEN = `
  require('node:fs').writeFileSync(process.argv[1], String(process.pid));
  const server = require('node:net').createServer();
  const end = (said) => { require('node:fs').writeSync(1, said); process.exit(); };
  server.on('error', (error) => end(error.code)).listen(0, '127.0.0.1', () => end('ok'));`;

const REFUSE_LISTEN: ProgramSpec = {
  name: 'sf_doctor',
  type: 'lsm',
  expectedAttachType: 'lsm_cgroup',
  attachFunction: 'bpf_lsm_socket_listen',
  license: 'GPL',
  items: [movImm(R0, 0), exit()],
};

const BOOT_WITH_BPF =
  'boot with `bpf` in `lsm=` on the kernel command line, and mount securityfs; peers are refused without it all the same';

function callIn(folder: string, script: string): string {
  const words = ['-e', script, join(folder, 'cgroup.procs')];
  const { stdout, stderr, error } = spawnSync(process.execPath, words, { encoding: 'utf8' });
  if (error) throw error;
  if (stdout === '')
    throw new Error(stderr.split('\n').find((line) => /Error/.test(line)) ?? stderr);
  return stdout.trim();
}

/** Where hooks are tried: a control group of its own below the root. */
class Bench {
  readonly #tree: Tree;
  readonly #folder: string;
  readonly #links: Fd[] = [];
  #maps: Maps | undefined;
  /** What a call there comes to while nothing is attached. */
  #before = '';

  constructor(mount: string, root: string) {
    const path = join(root, `sockfilter-doctor-${process.pid}`);
    this.#tree = { mount, root: path };
    this.#folder = join(mount, path);
  }

  make(): string {
    mkdirSync(this.#folder);
    this.#before = callIn(this.#folder, CONNECT);
    return `${this.#tree.root}, removed again`;
  }

  makeMaps(): string {
    this.#maps = createLooseMaps();
    return `${Object.keys(this.#maps).length} of them`;
  }

  attach(hook: Hook): string {
    if (!this.#maps) throw new Error('there are no maps');
    this.#links.push(tryHook(hook, this.#tree, this.#maps));
    if ('tracepoint' in hook.attach) return 'network_ids of control groups';
    return hook.chains.join(' ') || '--deny-unseen';
  }

  /** A program of BPF LSM that refuses listen(2): whether the kernel calls such programs at all. */
  answer(hook: Hook): string {
    const found = this.attach(hook);
    if (!hasBpfLsm())
      throw new UnsupportedError(
        '/sys/kernel/security/lsm does not name `bpf`: programs of BPF LSM are not called',
        BOOT_WITH_BPF,
      );
    this.#links.push(
      using(loadProgram(REFUSE_LISTEN), (program) =>
        using(openDirectory(this.#folder), (fd) => attachCgroup(program, fd, 'lsm_cgroup')),
      ),
    );
    const said = callIn(this.#folder, LISTEN);
    if (said === 'EPERM') return `${found}: accept(2) fails where no peer may come`;
    throw new UnsupportedError(
      `programs of BPF LSM can be attached, and are not called: listen(2) gives \`${said}\``,
      BOOT_WITH_BPF,
    );
  }

  /** Without a generation every hook refuses. */
  refuse(): ReturnType<Try['body']> {
    if (this.#before !== 'ok')
      return { untold: `rules that are in force refuse a call there: ${this.#before}` };
    const after = callIn(this.#folder, CONNECT);
    if (after === 'EPERM') return 'a process in that control group was refused';
    throw new Error(`a call with hooks that refuse all gives \`${after}\``);
  }

  remove(): void {
    for (const link of this.#links) close(link);
    if (this.#maps) closeMaps(this.#maps);
    if (existsSync(this.#folder)) rmdirSync(this.#folder);
  }
}

/** Pins a map where bpffs is mounted, and takes the pin away. */
function tryBpffs(): string {
  const bpffs = findBpffs(readMounts());
  if (bpffs === undefined) {
    if (/\tbpf$/m.test(readFileSync('/proc/filesystems', 'utf8')))
      return `not mounted yet: it will be, at ${DEFAULT_BPFFS}`;
    throw new Error('this kernel has no bpffs: it has to be built with CONFIG_BPF_SYSCALL=y');
  }
  const path = join(bpffs, `sockfilter-doctor-${process.pid}`);
  const spec = {
    type: 'array',
    name: 'sf_doctor',
    keySize: 4,
    valueSize: 4,
    maxEntries: 1,
  } as const;
  using(createMap(spec), (map) => pin(map, path));
  unlinkSync(path);
  return bpffs;
}

function tryHandles(mount: string): string {
  return using(openDirectory(mount), (fd) => {
    const opened = openCgroup(fd, cgroupId(mount));
    if (opened === undefined) throw new Error('the root of cgroup2 can not be opened by its id');
    close(opened);
    return 'control groups can be opened by their ids';
  });
}

function tryEvents(): string {
  new PerfBuffer(0, 4096).close();
  return 'monitor';
}

function trySockets(): string {
  const sockets = [
    ...listSockets(PROTOCOL.tcp, [SOCKET_STATE.listen]),
    ...listSockets(PROTOCOL.udp, [SOCKET_STATE.close]),
  ];
  if (sockets.length === 0) return 'no listener to be seen here';
  if (sockets.some(({ cgroup }) => cgroup !== undefined))
    return 'status names listeners of other groups than their holder’s';
  throw new Error('the kernel does not tell the control groups of sockets');
}

function tryNat(): string {
  return `status names chains of nat; here ${natChains().length}`;
}

/**
 * Looks what the machine can do for rules at the control group of `root`, in the order in which one thing needs
 * another. Nothing that is in force is touched.
 */
export function examine(root: string): readonly Ability[] {
  const path = unescapePath(root);
  let mount = '';
  const machine = attemptAll([
    {
      name: 'kernel',
      needed: true,
      body: passing(requireLinux, () => `Linux ${release()}, ${process.arch}`),
    },
    { name: 'privilege', needed: true, body: passing(requireSuperuser, () => 'root') },
    {
      name: 'cgroup2',
      needed: true,
      body: () => {
        mount = requireCgroup2(readMounts());
        return mount;
      },
    },
    {
      name: 'root',
      needed: true,
      body: passing(
        () => requireRoot({ mount, root: path }),
        () => path,
      ),
    },
    {
      name: 'kernel types',
      needed: true,
      body: passing(kernelOffsets, () => 'BTF tells where all fields lie that programs read'),
    },
    { name: 'cgroup handles', needed: true, body: () => tryHandles(mount) },
    { name: 'bpffs', needed: true, body: tryBpffs },
  ]);
  const bench = new Bench(mount, path);
  const tries: readonly Try[] = [
    { name: 'control group', needed: true, body: () => bench.make() },
    { name: 'maps', needed: true, body: () => bench.makeMaps() },
    ...[...TRACEPOINTS, ...CALL_HOOKS].map(
      (hook): Try => ({
        name: hook.name,
        needed: hook.needed === 'always',
        body: () => bench.attach(hook),
      }),
    ),
    { name: 'enforcement', needed: true, body: () => bench.refuse() },
    ...ANSWER_HOOKS.map(
      (hook): Try => ({ name: hook.name, needed: false, body: () => bench.answer(hook) }),
    ),
  ];
  const others: readonly Try[] = [
    { name: 'events', needed: false, body: tryEvents },
    { name: 'sockets', needed: false, body: trySockets },
    { name: 'nat', needed: false, body: tryNat },
  ];
  const failed = machine.find(({ state }) => state !== 'works');
  if (failed) {
    const later = [...tries, ...others].map((each) => untried(each, failed.name));
    return [...machine, ...later];
  }
  try {
    return [...machine, ...attemptAll(tries), ...attemptAll(others)];
  } finally {
    bench.remove();
  }
}
