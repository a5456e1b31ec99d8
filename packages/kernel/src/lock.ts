/** The lock that serialises commands on one instance. */
import { constants, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { close, type Fd, flock } from '@sockfilter/bpf';

/** Another command holds the lock. */
export class LockedError extends Error {
  override readonly name = 'LockedError';

  constructor(path: string) {
    super(`Another sockfilter command is running: it holds ${path}`);
  }
}

const { O_CREAT, O_NOFOLLOW, O_WRONLY } = constants;

const POLL_MS = 20;

/** Waits without doing anything else. */
export function nap(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

/**
 * Takes the lock, which ends with the process at the latest. `wait` is how many seconds to wait for
 * it: 0 not at all, Infinity without end. Throws LockedError.
 */
export function takeLock(path: string, wait: number): Fd {
  mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
  const fd = openSync(path, O_WRONLY | O_CREAT | O_NOFOLLOW, 0o600);
  const until = Date.now() + wait * 1000;
  while (!flock(fd, { exclusive: true, nonblocking: true })) {
    if (Date.now() >= until) {
      close(fd);
      throw new LockedError(path);
    }
    nap(POLL_MS);
  }
  return fd;
}
