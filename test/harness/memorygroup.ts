/** A control group that bounds the memory of processes, of whichever version of cgroups has the controller. */
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { cgroupMount } from './cgroups.js';

/** Where such control groups are made, and their files. */
interface Controller {
  readonly folder: string;
  readonly limit: string;
  /** Has a line `oom_kill N`. */
  readonly kills: string;
}

const SETTLE_MS = 5000;

function readLines(path: string): readonly string[] {
  return existsSync(path) ? readFileSync(path, 'utf8').split(/\s+/) : [];
}

function findController(): Controller | undefined {
  const mount = cgroupMount();
  if (mount !== undefined && readLines(join(mount, 'cgroup.subtree_control')).includes('memory'))
    return { folder: mount, limit: 'memory.max', kills: 'memory.events' };
  const lines = readFileSync('/proc/self/mounts', 'utf8').split('\n');
  const old = lines
    .map((line) => line.split(' '))
    .find(([, , type, options]) => type === 'cgroup' && options?.split(',').includes('memory'));
  if (old?.[1] === undefined) return undefined;
  return { folder: old[1], limit: 'memory.limit_in_bytes', kills: 'memory.oom_control' };
}

/** Why there is none to be had; undefined if there is. */
export function memoryMissing(): string | undefined {
  return findController() ? undefined : 'no control group here can bound memory';
}

export class MemoryGroup {
  readonly #controller: Controller;
  readonly folder: string;

  constructor(name: string) {
    const controller = findController();
    if (!controller) throw new Error(memoryMissing());
    this.#controller = controller;
    this.folder = join(controller.folder, `sockfilter-test-${name}-${process.pid}`);
    mkdirSync(this.folder);
  }

  set bytes(bytes: number) {
    writeFileSync(join(this.folder, this.#controller.limit), String(bytes));
  }

  enter(pid: number): void {
    writeFileSync(join(this.folder, 'cgroup.procs'), String(pid));
  }

  /** How many processes have been killed for want of memory. */
  get kills(): number {
    const text = readFileSync(join(this.folder, this.#controller.kills), 'utf8');
    return Number(/^oom_kill (\d+)$/m.exec(text)?.[1]);
  }

  /** Removes it once its processes have gone. */
  async remove(): Promise<void> {
    for (const end = Date.now() + SETTLE_MS; ; await sleep(20)) {
      try {
        rmdirSync(this.folder);
        return;
      } catch (error) {
        if (Date.now() > end) throw error;
      }
    }
  }
}
