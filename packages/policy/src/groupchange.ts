/** Groups of two rule files. */
import { type Group, pathsInRules, registerPaths, type Table } from '@sockfilter/table';

/** Groups that came, went or have another id or path, in words. */
export function groupChanges(before: readonly Group[], after: readonly Group[]): readonly string[] {
  const say = ({ id, path }: Group) =>
    `id ${id}, ${path === undefined ? 'no path' : `path ${path}`}`;
  const names = new Set([...before, ...after].map(({ name }) => name));
  return [...names].flatMap((name) => {
    const [old, now] = [before, after].map((groups) => groups.find((each) => each.name === name));
    if (!old) return now ? [`group \`${name}\` is new: ${say(now)}`] : [];
    if (!now) return [`group \`${name}\` is gone: ${say(old)}`];
    return say(old) === say(now) ? [] : [`group \`${name}\`: ${say(old)}; now ${say(now)}`];
  });
}

/**
 * Both tables with a group for each path that their rules name, as loading makes them; a path that both
 * name without declaring it has one id in both.
 */
export function registerBoth(before: Table, after: Table): readonly [Table, Table] {
  const first = registerPaths(before, 0, after);
  const wanted = new Set(pathsInRules(after));
  const shared = first.groups
    .slice(before.groups.length)
    .filter(({ path }) => path !== undefined && wanted.has(path))
    .filter(({ path }) => !after.groups.some((group) => group.path === path));
  const seeded = { ...after, groups: [...after.groups, ...shared] };
  return [first, registerPaths(seeded, 0, first)];
}
