/**
 * Paths that could be a control group's, and hardly are: what systemd, a shell or a container engine makes of
 * them is another. `readPath` refuses those that never are.
 */
import type { PathFault } from './path.js';

/** Places where cgroup2 is mounted by hand, by programs, and in containers that see the host's. */
const MOUNT =
  /^(?:.*\/sys\/fs|\/(?:mnt|run|tmp|var|sys|host)(?:\/[^/]+)*?)?\/cgroup(?:2|v2)?(?:\/unified)?(?=\/|$)/;
/** What /proc/PID/cgroup says of one that was removed. */
const DELETED = / \(deleted\)$/;
/** How container engines write a scope of systemd: slice, prefix, name. */
const SCOPE = /^\/([^/:]+\.slice):([^/:]+):([^/:]+)$/;
/** A backslash that was doubled for quotes that are not there. */
const DOUBLED = /\\\\(?=x[0-9a-f]{2})/g;
/** An escape of systemd whose backslash a shell took: `dev-disk\x2dby` as `dev-diskx2dby`. */
const BARE_ESCAPE = /(?<=[a-z0-9])x(?=(?:2d|5c|40|3a|20|7e)[a-z0-9])/g;
/** What of a unit's name is made of others' names, in escapes: of paths, of applications, and instances. */
const MADE = /^.*\.(?:mount|automount|swap|device|slice)$|^app-.*\.(?:scope|service)$|(?<=@).*$/;

type Reader = (path: string) => PathFault | undefined;

/** A reader of paths in which something is to be replaced. */
function replaced(what: RegExp, by: string, message: string): Reader {
  return (path) => {
    const instead = path.replace(what, by) || '/';
    return instead === path ? undefined : { message, help: instead };
  };
}

/** Where systemd has the slice: `a-b.slice` lies in `a.slice`. */
function slicePath(name: string): string {
  const parts = name.slice(0, -'.slice'.length).split('-');
  return parts.map((_, at) => `/${parts.slice(0, at + 1).join('-')}.slice`).join('');
}

/** Of a dash at an end or beside another systemd makes no slice. */
function isNested(name: string): boolean {
  return /^[^*]+\.slice$/.test(name) && name.includes('-') && !/^-|--|-\.slice$/.test(name);
}

const scopeDoubt: Reader = (path) => {
  const [, slice, prefix, name] = SCOPE.exec(path) ?? [];
  if (slice === undefined) return undefined;
  const message = 'this is how container engines write a scope of systemd, and no path';
  return { message, help: `${slicePath(slice)}/${prefix}-${name}.scope` };
};

const sliceDoubt: Reader = (path) => {
  const names = path.split('/').slice(1);
  for (const [at, name] of names.entries()) {
    // Below a control group that was delegated slices may begin anew.
    if (!isNested(name) || `/${names.slice(0, at + 1).join('/')}`.endsWith(slicePath(name)))
      continue;
    const parent = slicePath(name).split('/').at(-2);
    const message = `systemd makes \`${name}\` in \`${parent}\``;
    return { message, help: [slicePath(name), ...names.slice(at + 1)].join('/') };
  }
  return undefined;
};

const topDoubt: Reader = (path) => {
  if (!/^\/[^/]+\.(?:service|scope)$/.test(path) || path === '/init.scope') return undefined;
  const message =
    'systemd makes units in slices, services in `system.slice` if nothing else is said';
  return { message, help: `/system.slice${path}` };
};

const escapeDoubt: Reader = (path) => {
  const names = path
    .split('/')
    .map((name) => name.replace(MADE, (made) => made.replace(BARE_ESCAPE, '\\x')));
  const instead = names.join('/');
  if (instead === path) return undefined;
  const message = 'this looks like an escape of systemd whose backslash a shell took';
  return { message, help: instead };
};

const READERS: readonly Reader[] = [
  replaced(
    MOUNT,
    '',
    'this looks like where cgroup2 is mounted: a path is written from the root of that',
  ),
  replaced(DELETED, '', 'the kernel writes ` (deleted)` after the path of one that was removed'),
  scopeDoubt,
  replaced(
    DOUBLED,
    '\\',
    'outside of double quotes two backslashes are two, and systemd writes one',
  ),
  escapeDoubt,
  sliceDoubt,
  topDoubt,
];

/**
 * Why hardly any control group has the path, a canonical one, and as help the path that may be meant; undefined
 * for others.
 */
export function pathDoubt(path: string): PathFault | undefined {
  for (const read of READERS) {
    const doubt = read(path);
    if (doubt) return doubt;
  }
  return undefined;
}
