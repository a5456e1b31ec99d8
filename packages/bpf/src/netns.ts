/** Network namespaces: whose a process is in, and asking in another. */
import { closeSync, openSync, readlinkSync } from 'node:fs';
import { BpfError } from './error.js';
import { type Fd, linux, type Syscalls } from './syscall.js';

const CLONE_NEWNET = 0x4000_0000;

const handleOf = (pid: string | number) => `/proc/${pid}/ns/net`;

/** The inode of the process's network namespace, which tells it from others; throws where there is none. */
export function namespaceOf(pid: string | number): number {
  const [, inode] = /^net:\[(\d+)\]$/.exec(readlinkSync(handleOf(pid))) ?? [];
  if (inode === undefined) throw new Error(`${handleOf(pid)} names no network namespace`);
  return Number(inode);
}

function enter(namespace: Fd, what: string, sys: Syscalls): void {
  const result = sys.call('setns', namespace, CLONE_NEWNET);
  if (result < 0) throw new BpfError(`setns of ${what}`, -result);
}

/**
 * Runs `body`, which must be done when it returns, with the calling thread in the process's network
 * namespace. Throws what open(2) of `/proc/PID/ns/net` does, and `BpfError`: EPERM without CAP_SYS_ADMIN.
 */
export function inNetworkNamespace<T>(
  pid: string | number,
  body: () => T,
  sys: Syscalls = linux,
): T {
  const own = openSync('/proc/thread-self/ns/net', 'r');
  try {
    const theirs = openSync(handleOf(pid), 'r');
    try {
      enter(theirs, handleOf(pid), sys);
    } finally {
      closeSync(theirs);
    }
    try {
      return body();
    } finally {
      enter(own, 'the network namespace before', sys);
    }
  } finally {
    closeSync(own);
  }
}
