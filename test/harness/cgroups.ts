/** A subtree of control groups of a test's own, below the cgroup2 mount; the root is left alone. */
import {
  closeSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  statSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { openCgroup, openDirectory } from '@sockfilter/bpf';

const PREFIX = 'sockfilter-test-';

/** Where cgroup2 is mounted, or undefined. */
export function cgroupMount(): string | undefined {
  for (const line of readFileSync('/proc/self/mounts', 'utf8').split('\n')) {
    const [, path, type] = line.split(' ');
    if (type === 'cgroup2') return path;
  }
  return undefined;
}

function requireMount(): string {
  const mount = cgroupMount();
  if (mount === undefined) throw new Error('cgroup2 is not mounted');
  return mount;
}

const SETTLE = 5000;

/** Ends the processes in the directory, each by its id, and removes it; false if it is busy still. */
function tryRemove(directory: Buffer | string): boolean {
  try {
    for (const pid of readFileSync(below(directory, 'cgroup.procs'), 'utf8').split('\n'))
      if (Number(pid) > 0) process.kill(Number(pid), 'SIGKILL');
  } catch {
    // The group or the process has gone in between; rmdir tells.
  }
  try {
    rmdirSync(directory);
    return true;
  } catch {
    return !existsSync(directory);
  }
}

function below(directory: Buffer | string, name: string): Buffer {
  return Buffer.concat([Buffer.from(directory), Buffer.from(`/${name}`, 'latin1')]);
}

/** Runs the body with the control group's directory by a path that is short however deep it lies. */
function withDirectory<T>(
  mount: number,
  id: bigint,
  body: (directory: string) => T,
): T | undefined {
  const fd = openCgroup(mount, id);
  if (fd === undefined) return undefined;
  try {
    return body(`/proc/self/fd/${fd}`);
  } finally {
    closeSync(fd);
  }
}

function isDirectory(path: Buffer): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

/** The control groups below the directory with their parents, each after its parent. */
function descendants(mount: number, directory: string): readonly (readonly [bigint, string])[] {
  const found: (readonly [bigint, string])[] = [];
  const waiting = [statSync(directory, { bigint: true }).ino];
  for (let id = waiting.pop(); id !== undefined; id = waiting.pop()) {
    const parent = id;
    withDirectory(mount, parent, (folder) => {
      for (const name of readdirSync(folder, 'latin1')) {
        const path = below(folder, name);
        if (!isDirectory(path)) continue;
        found.push([parent, name]);
        waiting.push(statSync(path, { bigint: true }).ino);
      }
    });
  }
  return found;
}

/** Exits are asynchronous, so a group stays busy for a moment after its last process has died. */
async function removeSoon(attempt: () => boolean, name: string): Promise<void> {
  const deadline = Date.now() + SETTLE;
  while (!attempt()) {
    if (Date.now() > deadline) throw new Error(`${name} can't be removed`);
    await sleep(10);
  }
}

async function removeTree(root: string): Promise<void> {
  if (!existsSync(root)) return;
  const mount = openDirectory(requireMount());
  try {
    for (const [parent, name] of descendants(mount, root).toReversed())
      await removeSoon(
        () => withDirectory(mount, parent, (folder) => tryRemove(below(folder, name))) ?? true,
        `${name} below ${root}`,
      );
  } finally {
    closeSync(mount);
  }
  await removeSoon(() => tryRemove(root), root);
}

function isAlive(pid: number): boolean {
  return existsSync(`/proc/${pid}`);
}

/** Removes what test runs that were killed have left behind. */
async function removeLeftovers(mount: string): Promise<void> {
  for (const name of readdirSync(mount)) {
    const pid = name.startsWith(PREFIX) ? Number(name.slice(PREFIX.length).split('-')[0]) : NaN;
    if (!Number.isNaN(pid) && !isAlive(pid)) await removeTree(join(mount, name)).catch(() => {});
  }
}

let made = 0;

/** The trees that are there now. */
const trees = new Set<CgroupTree>();

export class CgroupTree {
  /** Directory of the subtree's root. */
  readonly root: string;
  /** Its path below the mount, as rules and groups name it. */
  readonly path: string;

  private constructor(mount: string, name: string) {
    this.root = join(mount, name);
    this.path = `/${name}`;
    mkdirSync(this.root);
    trees.add(this);
  }

  static async create(): Promise<CgroupTree> {
    const mount = requireMount();
    await removeLeftovers(mount);
    let name: string;
    do name = `${PREFIX}${process.pid}-${++made}`;
    while (existsSync(join(mount, name)));
    return new CgroupTree(mount, name);
  }

  /** Removes every tree that is still there; for afterAll. */
  static async removeAll(): Promise<void> {
    await Promise.all([...trees].map((tree) => tree.remove()));
  }

  /** Directory of the child `web`, or of `web/worker`; made if it is not there. */
  child(name: string): string {
    const directory = join(this.root, name);
    mkdirSync(directory, { recursive: true });
    return directory;
  }

  /** The child's path below the mount. */
  childPath(name: string): string {
    return `${this.path}/${name}`;
  }

  /** Removes one child and all below it. */
  removeChild(name: string): Promise<void> {
    return removeTree(join(this.root, name));
  }

  /** Ends all processes in the subtree and removes it. */
  async remove(): Promise<void> {
    await removeTree(this.root);
    trees.delete(this);
  }
}
