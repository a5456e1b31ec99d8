/** The machine's processes, as /proc has them: control group, network namespace, sockets. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { namespaceOf } from '@sockfilter/bpf';

export interface Process {
  readonly pid: number;
  /** The path of its control group, as the kernel writes it. */
  readonly cgroup: string;
  /** The inode of its network namespace. */
  readonly namespace: number;
}

const GONE = ['ENOENT', 'ESRCH', 'EACCES'];

/** The body's result; undefined where the process has ended. */
export function unlessEnded<T>(body: () => T): T | undefined {
  try {
    return body();
  } catch (error) {
    const code = typeof error === 'object' && error && 'code' in error ? error.code : undefined;
    if (typeof code !== 'string' || !GONE.includes(code)) throw error;
    return undefined;
  }
}

function readProcess(pid: number): Process | undefined {
  return unlessEnded(() => {
    const [, cgroup] = /^0::(.*)$/m.exec(readFileSync(`/proc/${pid}/cgroup`, 'utf8')) ?? [];
    return cgroup === undefined ? undefined : { pid, cgroup, namespace: namespaceOf(pid) };
  });
}

export function readProcesses(): readonly Process[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => readProcess(Number(name)) ?? []);
}

/** The inodes of the sockets that the process has open. */
export function socketsOf(pid: number): ReadonlySet<number> {
  const folder = `/proc/${pid}/fd`;
  const inodes = new Set<number>();
  for (const name of unlessEnded(() => readdirSync(folder)) ?? []) {
    const link = unlessEnded(() => readlinkSync(`${folder}/${name}`));
    const [, inode] = /^socket:\[(\d+)\]$/.exec(link ?? '') ?? [];
    if (inode !== undefined) inodes.add(Number(inode));
  }
  return inodes;
}

/** The name of what the process runs; empty if it has ended. */
export function commandOf(pid: number): string {
  return unlessEnded(() => readFileSync(`/proc/${pid}/comm`, 'utf8'))?.trimEnd() ?? '';
}
