/** A line of /proc/self/mounts. */
export interface Mount {
  readonly target: string;
  readonly type: string;
  readonly options: readonly string[];
}

/** The kernel writes space, tab, newline, backslash and `#` as three octal digits. */
const decodeOctal = (text: string): string =>
  text.replace(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );

/** Reads the text of /proc/self/mounts; see fstab(5). Lines of another shape are left out. */
export function parseMounts(text: string): Mount[] {
  return text.split('\n').flatMap((line) => {
    const [, target, type, options] = line.split(' ');
    if (target === undefined || type === undefined || options === undefined) return [];
    return [{ target: decodeOctal(target), type, options: options.split(',') }];
  });
}
