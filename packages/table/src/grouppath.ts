/**
 * Paths of control groups as groups and rules write them: absolute, below the cgroup2 root, without a
 * slash at the end. One `*` in the last name makes a path a pattern, which stands for any number of bytes of
 * that name. `\*`, `\?` and `\[` are the bytes themselves; any other backslash is a byte like others, as
 * in systemd's `dev-disk\x2dby`. Two texts are one path only if they are equal.
 */

/** A pattern: the names in `folder` that begin with `prefix` and end with `suffix`. */
export interface PathPattern {
  /** As written, `/` for the root. */
  readonly folder: string;
  /** Bytes of the name, without escapes. */
  readonly prefix: string;
  readonly suffix: string;
}

const ESCAPED = /\\([*?[])/g;

/** The path as the kernel has it; of one that is no pattern. */
export function unescapePath(path: string): string {
  return path.includes('\\') ? path.replace(ESCAPED, '$1') : path;
}

/** A path as the kernel has it, so that it is read as itself. */
export function escapePath(path: string): string {
  return path.replace(/[*?[]/g, '\\$&');
}

/** Where `sign` stands for itself, and not after a backslash. */
export function bareSigns(path: string, sign: '*' | '?' | '['): readonly number[] {
  const places: number[] = [];
  for (let at = path.indexOf(sign); at >= 0; at = path.indexOf(sign, at + 1))
    if (path[at - 1] !== '\\') places.push(at);
  return places;
}

/** The pattern that the path is, if it is one. */
export function patternOf(path: string): PathPattern | undefined {
  if (!path.includes('*')) return undefined;
  const [star] = bareSigns(path, '*');
  if (star === undefined) return undefined;
  const slash = path.lastIndexOf('/');
  return {
    folder: path.slice(0, Math.max(slash, 1)),
    prefix: unescapePath(path.slice(slash + 1, star)),
    suffix: unescapePath(path.slice(star + 1)),
  };
}

/** Whether a name without escapes matches. */
export function matchesName({ prefix, suffix }: PathPattern, name: string): boolean {
  return (
    name.length >= prefix.length + suffix.length && name.startsWith(prefix) && name.endsWith(suffix)
  );
}

function below(folder: string): string {
  return folder === '/' ? '/' : `${folder}/`;
}

/** True for the path itself, for every path that a pattern matches, and for every path below those. */
export function isBelow(path: string, ancestor: string): boolean {
  if (ancestor === '/' || path === ancestor || path.startsWith(`${ancestor}/`)) return true;
  const pattern = patternOf(ancestor);
  if (!pattern || !path.startsWith(below(pattern.folder))) return false;
  const [name = ''] = path.slice(below(pattern.folder).length).split('/');
  return bareSigns(name, '*').length === 0 && matchesName(pattern, unescapePath(name));
}

/** How many names the path has. */
function depthOf(path: string): number {
  return path === '/' ? 0 : path.split('/').length - 1;
}

/** Whether the first, of two that a path is below, is the nearer: deeper, or a path and no pattern. */
export function isNearer(path: string, other: string): boolean {
  const [depth, otherDepth] = [depthOf(path), depthOf(other)];
  if (depth !== otherDepth) return depth > otherDepth;
  return patternOf(path) === undefined && patternOf(other) !== undefined;
}

const longer = (a: string, b: string) => (a.length >= b.length ? a : b);

/** A path that two different patterns both match, if there is one. */
export function commonPath(path: string, other: string): string | undefined {
  const [a, b] = [patternOf(path), patternOf(other)];
  if (!a || !b || a.folder !== b.folder) return undefined;
  const [prefix, suffix] = [longer(a.prefix, b.prefix), longer(a.suffix, b.suffix)];
  if (!prefix.startsWith(a.prefix) || !prefix.startsWith(b.prefix)) return undefined;
  if (!suffix.endsWith(a.suffix) || !suffix.endsWith(b.suffix)) return undefined;
  return `${below(a.folder)}${escapePath(prefix + suffix)}`;
}
