/** Where the control group of a unit of systemd is, by the unit's name and its slice. */
import { basename, dirname } from 'node:path';

export type UnitPath = { readonly path: string } | { readonly fault: string };

interface UnitName {
  /** `getty@tty1.service`. */
  readonly name: string;
  /** `getty`. */
  readonly prefix: string;
  /** `tty1`; undefined in a template, whose instances are many, and empty if the name has no `@`. */
  readonly instance: string | undefined;
  readonly kind: string;
}

function readName(name: string): UnitName | undefined {
  const [, prefix, at, kind] = /^([^@]+)(@.*)?\.(service|socket|scope|slice)$/.exec(name) ?? [];
  if (prefix === undefined || kind === undefined) return undefined;
  return { name, prefix, instance: at === '@' ? undefined : (at ?? '').slice(1), kind };
}

/** A drop-in lies in the folder `NAME.d`. */
function nameOf(file: string): string {
  const folder = basename(dirname(file));
  return folder.endsWith('.d') ? folder.slice(0, -2) : basename(file);
}

const CONTROLLERS =
  'cpu|cpuacct|cpuset|io|blkio|memory|devices|pids|bpf-firewall|bpf-devices|bpf-foreign|bpf-socket-bind|bpf-restrict-network-interfaces';
const RESERVED = new RegExp(
  `^([_.]|(notify_on_release|release_agent|tasks)$|(cgroup|${CONTROLLERS})\\.)`,
);

/** The name of a directory: one that would look like a file of the kernel's gets a `_` in front. */
const escapeName = (name: string) => (RESERVED.test(name) ? `_${name}` : name);

/** `a-b.slice` lies in `a.slice`; `-.slice` is the root. */
function slicePath(name: string): string {
  if (name === '-.slice') return '';
  const parts = name.replace(/\.slice$/, '').split('-');
  return parts
    .map((_, at) => `/${escapeName(`${parts.slice(0, at + 1).join('-')}.slice`)}`)
    .join('');
}

/** Escapes of systemd taken back: a dash is a slash, `\x2d` a dash. */
function unescapeName(text: string): string {
  return text
    .replaceAll('-', '/')
    .replace(/\\x([\da-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

/** What a specifier stands for; undefined where only the machine knows. */
function specifier(sign: string, { name, prefix, instance }: UnitName): string | undefined {
  const last = prefix.split('-').at(-1) ?? prefix;
  switch (sign) {
    case '%':
      return '%';
    case 'n':
      return instance === undefined ? undefined : name;
    case 'N':
      return instance === undefined ? undefined : name.replace(/\.[a-z]+$/, '');
    case 'p':
      return prefix;
    case 'P':
      return unescapeName(prefix);
    case 'j':
      return last;
    case 'J':
      return unescapeName(last);
    case 'i':
      return instance;
    case 'I':
      return instance === undefined ? undefined : unescapeName(instance);
    default:
      return undefined;
  }
}

/** The text with its specifiers resolved. */
function resolveSpecifiers(text: string, unit: UnitName): UnitPath {
  const unknown: string[] = [];
  const path = text.replace(/%(.?)/gs, (whole, sign: string) => {
    const known = specifier(sign, unit);
    if (known === undefined) unknown.push(whole);
    return known ?? whole;
  });
  if (unknown.length === 0) return { path };
  return { fault: `what \`${unknown[0]}\` in \`Slice=${text}\` stands for is not known here` };
}

/**
 * The path of the unit's control group; of a template a pattern, which all of its instances match.
 * @param slice what the unit says of it, if anything
 */
export function unitPath(file: string, slice: string | undefined): UnitPath {
  const unit = readName(nameOf(file));
  if (!unit) return { fault: 'the control group of the unit is not known by its name' };
  if (/(^|\/)systemd\/user\//.test(file))
    return { fault: 'a unit of a user has its control group below the user’s own' };
  const { name, prefix, instance, kind } = unit;
  if (kind === 'slice') return { path: slicePath(name) };
  const own = instance === '' ? 'system.slice' : `system-${prefix.replaceAll('-', '\\x2d')}.slice`;
  const within = resolveSpecifiers(slice ?? own, unit);
  if ('fault' in within) return within;
  if (!/^[^/]+\.slice$/.test(within.path)) return { fault: `\`Slice=${slice}\` names no slice` };
  const last = instance === undefined ? `${prefix}@*.${kind}` : name;
  return { path: `${slicePath(within.path)}/${escapeName(last)}` };
}
