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

/** A mount with the device of its file system, which tells it from others: `0:29`. */
export interface DeviceMount extends Pick<Mount, 'target' | 'type'> {
  readonly device: string;
}

/** Reads the text of /proc/PID/mountinfo; see proc(5). Lines of another shape are left out. */
export function parseMountInfo(text: string): DeviceMount[] {
  return text.split('\n').flatMap((line) => {
    // Any number of optional fields stand before the dash.
    const [before = '', after] = line.split(' - ');
    const [, , device, , target] = before.split(' ');
    const [type] = after?.split(' ') ?? [];
    if (device === undefined || target === undefined || type === undefined) return [];
    return [{ target: decodeOctal(target), type, device }];
  });
}
