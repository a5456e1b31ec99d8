/** What decides how calls of a running process are judged, from /proc. */
import { readFileSync, readlinkSync } from 'node:fs';
import { EXIT } from '@sockfilter/language';
import { errnoOf } from './errno.js';
import { CommandError } from './failure.js';

export interface Task {
  readonly pid: number;
  /** What it calls itself: any bytes. */
  readonly name: string;
  /** Its control group below the cgroup2 mount. */
  readonly cgroup: string;
  /** The filesystem ids, as decimal numbers. */
  readonly uid: string;
  readonly gid: string;
  /** The number of its network namespace; undefined for who may not see it. */
  readonly netns: string | undefined;
}

/** The fourth number of a line of proc(5)'s status: real, effective, saved, filesystem. */
function filesystemId(status: string, name: 'Uid' | 'Gid'): string {
  const [, id] = new RegExp(`^${name}:(?:\\s+\\d+){3}\\s+(\\d+)$`, 'm').exec(status) ?? [];
  if (id === undefined) throw new Error(`no ${name} in the status of a process`);
  return id;
}

function namespaceOf(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/net`).replace(/\D+/g, '');
  } catch (error) {
    if (errnoOf(error) === 'EACCES' || errnoOf(error) === 'EPERM') return undefined;
    throw error;
  }
}

/** The process with the pid. Throws CommandError where there is none, or it can't be placed from here. */
export function readTask(word: string): Task {
  if (!/^[1-9]\d*$/.test(word)) throw new CommandError(`invalid pid \`${word}\``, EXIT.usage);
  const pid = Number(word);
  const read = (name: string) => readFileSync(`/proc/${pid}/${name}`, 'utf8');
  try {
    const status = read('status');
    const [, cgroup] = /^0::(.*)$/m.exec(read('cgroup')) ?? [];
    if (cgroup === undefined)
      throw new CommandError(`process ${pid} is in no control group of version 2`, EXIT.unfit);
    if (!cgroup.startsWith('/') || cgroup.startsWith('/..'))
      throw new CommandError(
        `the control group of process ${pid} is not seen from here: ask outside the cgroup namespace`,
        EXIT.unfit,
      );
    return {
      pid,
      name: read('comm').trimEnd(),
      cgroup: cgroup.replace(/ \(deleted\)$/, ''),
      uid: filesystemId(status, 'Uid'),
      gid: filesystemId(status, 'Gid'),
      netns: namespaceOf(pid),
    };
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ESRCH')
      throw new CommandError(`no process ${pid}`, EXIT.unfit);
    throw error;
  }
}
