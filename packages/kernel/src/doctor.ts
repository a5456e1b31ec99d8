import { readFileSync, unlinkSync } from 'node:fs';
import { release } from 'node:os';
import { join } from 'node:path';
import {
  cgroupId,
  close,
  createMap,
  DEFAULT_BPFFS,
  hasBpffs,
  listSockets,
  natChains,
  openCgroup,
  openDirectory,
  PerfBuffer,
  pin,
  SOCKET_STATE,
} from '@sockfilter/bpf';
import { PROTOCOL, unescapePath } from '@sockfilter/table';
import { Bench, type Finding } from './bench.js';
import { tryCompat } from './compat.js';
import {
  readMounts,
  requireCgroup2,
  requireLinux,
  requireRoot,
  requireSuperuser,
} from './environment.js';
import { ANSWER_HOOKS, CALL_HOOKS, TRACEPOINTS } from './hooks.js';
import { kernelOffsets } from './offsets.js';
import { using } from './pins.js';

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
  /** Throws why it fails. */
  readonly body: () => Finding;
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

/** Pins a map where bpffs is mounted, and takes the pin away. */
function tryBpffs(): string {
  if (!hasBpffs(readMounts())) {
    if (/\tbpf$/m.test(readFileSync('/proc/filesystems', 'utf8')))
      return `not mounted yet: it will be, at ${DEFAULT_BPFFS}`;
    throw new Error('this kernel has no bpffs: it has to be built with CONFIG_BPF_SYSCALL=y');
  }
  const path = join(DEFAULT_BPFFS, `sockfilter-doctor-${process.pid}`);
  const spec = {
    type: 'array',
    name: 'sf_doctor',
    keySize: 4,
    valueSize: 4,
    maxEntries: 1,
  } as const;
  using(createMap(spec), (map) => pin(map, path));
  unlinkSync(path);
  return DEFAULT_BPFFS;
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
 * another. Nothing that is in force is touched. `probe` is a command that calls `callFrom` with the two words
 * that are added to it, and prints what that says.
 */
export function examine(root: string, probe: readonly string[]): readonly Ability[] {
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
  const bench = new Bench(mount, path, probe);
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
    { name: 'setsockopt of 32-bit programs', needed: false, body: tryCompat },
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
