/** Reading the path of a control group, and saying of a text that is none what to write instead. */
import { bareSigns } from '../grouppath.js';

export interface PathFault {
  readonly message: string;
  readonly help: string | undefined;
}

export type ReadPath = { readonly path: string } | { readonly fault: PathFault };

const fault = (message: string, help?: string): ReadPath => ({ fault: { message, help } });

/** Where systems mount cgroup2; nothing makes a control group of such a path below it. */
const MOUNT = /^\/?sys\/fs\/cgroup(?:\/unified)?(?=\/|$)/;
/** Beside it systems mount hierarchies of version 1, each named by its controllers or by `systemd`. */
const VERSION_1 =
  /^\/?sys\/fs\/cgroup\/(?:systemd|(?:blkio|cpu|cpuacct|cpuset|devices|freezer|hugetlb|memory|misc|net_cls|net_prio|perf_event|pids|rdma)(?:,\w+)*)(?=\/|$)/;
/** What /proc/PID/cgroup has before the path. */
const HIERARCHY = /^\d+:[^/]*:(?=\/)/;
/** Files in every control group's directory. */
const FILES = new Set(
  ['controllers', 'events', 'procs', 'stat', 'subtree_control', 'threads'].map(
    (name) => `cgroup.${name}`,
  ),
);
/** As the kernel has it, in bytes. */
const MAX_NAME = 255;

function hasControl(text: string): boolean {
  return Array.from(text).some((sign) => sign < ' ' || sign === '\x7f');
}

function canonical(text: string): string {
  return `/${text
    .split('/')
    .filter((part) => part !== '')
    .join('/')}`;
}

function foreignFault(text: string): ReadPath | undefined {
  if (VERSION_1.test(text)) {
    const message = `\`${text}\` is in a hierarchy of version 1, and sockfilter polices cgroup2`;
    const help = 'write what `/proc/PID/cgroup` has after `0::`';
    return fault(message, help);
  }
  if (MOUNT.test(text)) {
    const inside = canonical(text.replace(MOUNT, ''));
    const message = `\`${text}\` begins with a mount point of cgroup2: a path is written from the root of that`;
    return fault(message, `write \`${inside}\``);
  }
  if (HIERARCHY.test(text)) {
    const message = `\`${text}\` begins with the number of a hierarchy, as in /proc/PID/cgroup`;
    return fault(message, `write \`${canonical(text.replace(HIERARCHY, ''))}\``);
  }
  return undefined;
}

function patternFault(path: string): ReadPath | undefined {
  for (const sign of ['?', '['] as const)
    if (bareSigns(path, sign).length > 0)
      return fault(
        `\`${sign}\` in \`${path}\`: one \`*\` in the last name is all that a pattern can have`,
        `in single quotes \`\\${sign}\` is the character itself`,
      );
  const stars = bareSigns(path, '*');
  const [star] = stars;
  if (star === undefined) return undefined;
  const own = 'in single quotes `\\*` is the character itself';
  if (stars.some((at) => stars.includes(at + 1)))
    return fault(
      `\`**\` in \`${path}\`: a pattern has one \`*\``,
      `a control group's id holds for all below it; ${own}`,
    );
  if (stars.length > 1)
    return fault(`\`${path}\` has ${stars.length} \`*\`: a pattern has one`, own);
  if (star < path.lastIndexOf('/'))
    return fault(
      `\`*\` in \`${path}\` is not in the last name`,
      `a control group's id holds for all below it; ${own}`,
    );
  return undefined;
}

function nameFault(path: string): ReadPath | undefined {
  const names = path.split('/');
  const last = names.at(-1) ?? '';
  if (FILES.has(last)) {
    const message = `\`${last}\` is a file in a control group's directory, and never a control group`;
    return fault(message, `write \`${path.slice(0, -last.length - 1) || '/'}\``);
  }
  const long = names.find((name) => new TextEncoder().encode(name).length > MAX_NAME);
  if (long === undefined) return undefined;
  return fault(`\`${long.slice(0, 32)}...\` is longer than a name can be: ${MAX_NAME} bytes`);
}

/**
 * An absolute path below the cgroup2 root, or a pattern, made canonical: the leading slash may be left
 * out, and others may be doubled. What can never be the path of a control group is a fault.
 */
export function readPath(text: string): ReadPath {
  if (hasControl(text)) return fault('a path must not contain control characters');
  if (text === '') return fault('the path of a control group is empty', 'the root is `/`');
  const foreign = foreignFault(text);
  if (foreign) return foreign;
  const path = canonical(text);
  if (path.split('/').some((name) => name === '.' || name === '..'))
    return fault(`\`${text}\` has \`.\` or \`..\`: write the path from the cgroup2 root`);
  return patternFault(path) ?? nameFault(path) ?? { path };
}
