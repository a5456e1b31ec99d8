/** Names that a rule may use for numbers; they are looked up when typed and stored as numbers. */

export interface Names {
  readonly user: (name: string) => number | undefined;
  readonly group: (name: string) => number | undefined;
  readonly service: (name: string) => number | undefined;
  /** The inode of the network namespace that is at an absolute path. */
  readonly netns: (path: string) => number | undefined;
}

/** Knows no name: rules must say numbers. */
export const NO_NAMES: Names = {
  user: () => undefined,
  group: () => undefined,
  service: () => undefined,
  netns: () => undefined,
};

function lookup(text: string, row: RegExp): (name: string) => number | undefined {
  const numbers = new Map<string, number>();
  for (const line of text.split('\n')) {
    const [, name, number, aliases = ''] = row.exec(line) ?? [];
    if (name === undefined) continue;
    for (const each of [name, ...aliases.split(/\s+/)])
      if (each !== '' && !numbers.has(each)) numbers.set(each, Number(number));
  }
  return (name) => numbers.get(name);
}

/** Names from the text of /etc/passwd, /etc/group and /etc/services, each if given. */
export function readNames(files: {
  readonly passwd?: string;
  readonly group?: string;
  readonly services?: string;
}): Names {
  return {
    user: lookup(files.passwd ?? '', /^([^:#]+):[^:]*:(\d+):/),
    group: lookup(files.group ?? '', /^([^:#]+):[^:]*:(\d+):/),
    netns: () => undefined,
    service: lookup(files.services ?? '', /^([^\s#]+)\s+(\d+)\/\w+\s*([^#]*)/),
  };
}
