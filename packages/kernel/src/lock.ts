/** The lock that serialises commands on one instance. */
import { constants, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { close, type Fd, flock } from '@sockfilter/bpf';

/** Another command holds the lock. */
export class LockedError extends Error {
  override readonly name = 'LockedError';
  /** Whether those that hold it only read, which is soon done. */
  readonly byReaders: boolean;

  constructor(path: string, byReaders: boolean) {
    super(`Another sockfilter command is running: it holds ${path}`);
    this.byReaders = byReaders;
  }
}

const { O_CREAT, O_NOFOLLOW, O_WRONLY } = constants;

const POLL_MS = 20;

/** Waits without doing anything else. */
export function nap(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

const openLock = (path: string) => openSync(path, O_WRONLY | O_CREAT | O_NOFOLLOW, 0o600);

/** Whether the lock can be shared: by a descriptor of its own, since a lock that is converted can be lost. */
function isShareable(path: string): boolean {
  const fd = openLock(path);
  try {
    return flock(fd, { exclusive: false, nonblocking: true });
  } finally {
    close(fd);
  }
}

export interface LockOptions {
  /** Seconds to wait for it: 0 not at all, Infinity without end. */
  readonly wait: number;
  /** Whether others that share it may have it at the same time. */
  readonly shared?: boolean;
}

/** Takes the lock, which ends with the process at the latest. Throws LockedError. */
export function takeLock(path: string, { wait, shared = false }: LockOptions): Fd {
  mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
  const fd = openLock(path);
  const until = Date.now() + wait * 1000;
  while (!flock(fd, { exclusive: !shared, nonblocking: true })) {
    if (Date.now() >= until) {
      close(fd);
      throw new LockedError(path, isShareable(path));
    }
    nap(POLL_MS);
  }
  return fd;
}
