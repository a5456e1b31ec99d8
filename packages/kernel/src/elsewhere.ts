/** Where an instance is pinned that this mount namespace does not show. */
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';

export interface Holder {
  readonly pid: number;
  readonly command: string;
}

/** The text that `read` gives; undefined for a process that has gone, or has no such thing. */
function attempt(read: () => string): string | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

/** The first process, by pid, in whose mount namespace the folder is there; each namespace is asked once. */
export function findHolder(folder: string): Holder | undefined {
  const asked = new Set([attempt(() => readlinkSync('/proc/self/ns/mnt'))]);
  const pids = readdirSync('/proc').map(Number).filter(Number.isInteger);
  for (const pid of pids.sort((a, b) => a - b)) {
    const namespace = attempt(() => readlinkSync(`/proc/${pid}/ns/mnt`));
    if (asked.has(namespace)) continue;
    asked.add(namespace);
    if (!existsSync(join(`/proc/${pid}/root`, folder))) continue;
    return {
      pid,
      command: attempt(() => readFileSync(`/proc/${pid}/comm`, 'utf8'))?.trim() ?? '?',
    };
  }
  return undefined;
}
