/** What the machine must have before anything can be enforced on it. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DEFAULT_BPFFS, findCgroup2 } from '@sockfilter/bpf';
import { unescapePath } from '@sockfilter/table';
import type { Tree } from './cgrouptree.js';
import { possibleCpus } from './cpus.js';
import { UnsupportedError } from './unsupported.js';

/** The directory of the hierarchy's root has this inode number, which is its cgroup id. */
const ROOT_INODE = 1;

const BTF = '/sys/kernel/btf/vmlinux';

export interface Environment {
  readonly tree: Tree;
  /** Where bpffs is mounted, or is to be before anything is pinned. */
  readonly bpffs: string;
  /** CPUs that can be brought up, which number from 0. */
  readonly cpus: number;
}

/** Throws UnsupportedError where rules can't be enforced by anything. */
export function requireLinux(): void {
  if (process.platform === 'linux') return;
  throw new UnsupportedError(
    `rules are enforced by Linux, and this is ${process.platform}`,
    '`--file` works anywhere',
  );
}

export function requireSuperuser(): void {
  if (process.geteuid?.() === 0) return;
  throw new UnsupportedError(
    'Permission denied (you must be root)',
    'run it as root, or work on a saved rule file with `--file`',
  );
}

/** The mount point of cgroup2, all of it. Throws UnsupportedError. */
export function requireCgroup2(mounts: string): string {
  const mount = findCgroup2(mounts);
  if (mount === undefined)
    throw new UnsupportedError(
      'no cgroup version 2 hierarchy is mounted',
      '`mount -t cgroup2 none /sys/fs/cgroup/unified`',
    );
  if (statSync(mount).ino !== ROOT_INODE)
    throw new UnsupportedError(
      `${mount} shows a part of the control groups only: this is a cgroup namespace`,
      'run it in the initial one; `--root` polices a part',
    );
  return mount;
}

function requireBtf(): void {
  if (existsSync(BTF)) return;
  throw new UnsupportedError(
    `this kernel does not describe itself in ${BTF}`,
    'it has to be built with CONFIG_DEBUG_INFO_BTF=y, as the kernels of distributions are',
  );
}

export function readMounts(): string {
  return readFileSync('/proc/self/mounts', 'utf8');
}

/** Finds cgroup2. Throws UnsupportedError. */
export function readEnvironment(root: string): Environment {
  requireLinux();
  requireSuperuser();
  const mounts = readMounts();
  const mount = requireCgroup2(mounts);
  requireBtf();
  const tree = { mount, root: unescapePath(root) };
  return { tree, bpffs: DEFAULT_BPFFS, cpus: possibleCpus() };
}

/** Throws UnsupportedError where the control group to police does not exist. */
export function requireRoot({ mount, root }: Tree): void {
  if (existsSync(join(mount, root))) return;
  throw new UnsupportedError(
    `there is no control group \`${root}\``,
    `make it first: \`mkdir ${join(mount, root)}\``,
  );
}
