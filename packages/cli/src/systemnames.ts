/** Names of users, groups, services and network namespaces as this system has them, read when a rule uses one. */
import { readFileSync, readlinkSync, statfsSync, statSync } from 'node:fs';
import { type Names, readNames } from '@sockfilter/language';

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function lazy(read: () => Names, key: keyof Names): Names[typeof key] {
  let names: Names | undefined;
  return (name) => {
    names ??= read();
    return names[key](name);
  };
}

/** The file system of /proc/PID/ns, which `ip netns` mounts at names: NSFS_MAGIC of linux/magic.h. */
const NSFS = 0x6e73_6673;

/** Whether a link of /proc leads to a namespace of another kind: `mnt:[4026531841]`. */
function isOfAnotherKind(path: string): boolean {
  try {
    return /^(?!net:)\w+:\[/.test(readlinkSync(path));
  } catch {
    return false;
  }
}

/** The inode of a namespace that is mounted there, or that a link of /proc leads to. */
function namespaceAt(path: string): number | undefined {
  try {
    const isOne = statfsSync(path).type === NSFS && !isOfAnotherKind(path);
    return isOne ? statSync(path).ino : undefined;
  } catch {
    return undefined;
  }
}

export const SYSTEM_NAMES: Names = {
  user: lazy(() => readNames({ passwd: readText('/etc/passwd') }), 'user'),
  group: lazy(() => readNames({ group: readText('/etc/group') }), 'group'),
  service: lazy(() => readNames({ services: readText('/etc/services') }), 'service'),
  netns: namespaceAt,
};
