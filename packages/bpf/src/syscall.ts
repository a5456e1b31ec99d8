// The one seam to the kernel. Every system call of this package goes through the interface `Syscalls`;
// each function that needs the kernel takes one as its last parameter, `linux` unless told otherwise,
// so that tests can answer in the kernel's place.
//
// Memory: a `Uint8Array` argument is passed as a pointer. Addresses that lie *inside* a buffer (the
// pointers in `union bpf_attr`) come from `address`; whoever calls wraps the call in `holding`, so that
// no such buffer is collected before the kernel is done. All supported machines are little-endian.

import { BpfError } from './error.js';
import { native } from './native.js';

/** A file descriptor. */
export type Fd = number;

/** The system calls that are made here, with their numbers on x86-64 and arm64 (asm/unistd.h). */
const NUMBERS = {
  bpf: { x64: 321, arm64: 280 },
  clock_gettime: { x64: 228, arm64: 113 },
  close: { x64: 3, arm64: 57 },
  eventfd2: { x64: 290, arm64: 19 },
  flock: { x64: 73, arm64: 32 },
  getsockopt: { x64: 55, arm64: 209 },
  gettimeofday: { x64: 96, arm64: 169 },
  ioctl: { x64: 16, arm64: 29 },
  madvise: { x64: 28, arm64: 233 },
  mmap: { x64: 9, arm64: 222 },
  mount: { x64: 165, arm64: 40 },
  munmap: { x64: 11, arm64: 215 },
  open_by_handle_at: { x64: 304, arm64: 265 },
  perf_event_open: { x64: 298, arm64: 241 },
  ppoll: { x64: 271, arm64: 73 },
  recvfrom: { x64: 45, arm64: 207 },
  sendto: { x64: 44, arm64: 206 },
  setns: { x64: 308, arm64: 268 },
  setsockopt: { x64: 54, arm64: 208 },
  socket: { x64: 41, arm64: 198 },
} as const;

export type SyscallName = keyof typeof NUMBERS;
export type SyscallArgument = number | bigint | Uint8Array;

export interface Syscalls {
  /** Makes the call; returns its result, or the negated error number. */
  call(name: SyscallName, ...args: readonly SyscallArgument[]): number;
  /** The address of a buffer's first byte; the buffer must stay referenced while it is used. */
  address(bytes: Uint8Array): bigint;
}

/** System calls of a process that shares memory with the kernel, and waits for it. */
export interface SharingSyscalls extends Syscalls {
  /** The bytes at an address that mmap has given; they must not be touched any more once it is unmapped. */
  view(address: bigint, bytes: number): ArrayBuffer;
  /** Makes the call in a thread of its own; true if it succeeds. Arguments stay referenced until then. */
  wait(name: SyscallName, ...args: readonly SyscallArgument[]): Promise<boolean>;
}

const held = new Set<unknown>();

/** Runs `body` while `owner`, and whatever it refers to, cannot be collected. */
export function holding<T>(owner: object, body: () => T): T {
  held.add(owner);
  try {
    return body();
  } finally {
    held.delete(owner);
  }
}

function loadLinux(): SharingSyscalls {
  const machine = process.arch;
  if (process.platform !== 'linux' || (machine !== 'x64' && machine !== 'arm64')) {
    throw new Error(
      `not supported: system calls need Linux on x86-64 or arm64, this is ${process.platform} on ${machine}`,
    );
  }
  const { koffi, program } = native();
  // syscall(3) is variadic, but integers are passed alike on both machines.
  const type = 'int64_t syscall(int64_t, int64_t, int64_t, int64_t, int64_t, int64_t, int64_t)';
  const syscall = program.func(type);
  const word = (argument: SyscallArgument | undefined): number | bigint => {
    if (argument === undefined) return 0;
    return typeof argument === 'object' ? koffi.address(argument) : argument;
  };
  return {
    call(name, ...args) {
      const [a, b, c, d, e, f] = args;
      const number = NUMBERS[name][machine];
      return holding(args, () => {
        const result = Number(
          syscall(number, word(a), word(b), word(c), word(d), word(e), word(f)),
        );
        return result === -1 ? -koffi.errno() : result;
      });
    },
    address: (bytes) => koffi.address(bytes),
    view: (address, bytes) => koffi.view(address, bytes),
    wait(name, ...args) {
      const [a, b, c, d, e, f] = args.map(word);
      held.add(args);
      return new Promise((resolve, reject) => {
        const done = (error: unknown, result: number | bigint) => {
          held.delete(args);
          if (error) reject(error);
          else resolve(Number(result) >= 0);
        };
        syscall.async(NUMBERS[name][machine], a ?? 0, b ?? 0, c ?? 0, d ?? 0, e ?? 0, f ?? 0, done);
      });
    },
  };
}

let loaded: SharingSyscalls | undefined;
function load(): SharingSyscalls {
  loaded ??= loadLinux();
  return loaded;
}

/** The running kernel. The native module is loaded at the first call. */
export const linux: SharingSyscalls = {
  call: (name, ...args) => load().call(name, ...args),
  address: (bytes) => load().address(bytes),
  view: (address, bytes) => load().view(address, bytes),
  wait: (name, ...args) => load().wait(name, ...args),
};

/** A NUL-terminated copy of a string, as system calls take it. */
export function cString(text: string): Uint8Array {
  if (text.includes('\0')) throw new RangeError(`a NUL byte in ${JSON.stringify(text)}`);
  return Buffer.from(`${text}\0`, 'utf8');
}

/** Closes a descriptor. Throws `BpfError` (EBADF). */
export function close(fd: Fd, sys: Syscalls = linux): void {
  const result = sys.call('close', fd);
  if (result < 0) throw new BpfError(`close of ${fd}`, -result);
}

const LOCK_SH = 1;
const LOCK_EX = 2;
const LOCK_NB = 4;
const EINTR = 4;
const EWOULDBLOCK = 11;

/**
 * Locks an open file with flock(2); the lock goes with the last descriptor, so it outlives no process.
 *
 * Returns false if `nonblocking` and another holds it. A blocking call stops the event loop.
 */
export function flock(
  fd: Fd,
  options: { readonly exclusive: boolean; readonly nonblocking: boolean },
  sys: Syscalls = linux,
): boolean {
  const operation = (options.exclusive ? LOCK_EX : LOCK_SH) | (options.nonblocking ? LOCK_NB : 0);
  for (;;) {
    const result = sys.call('flock', fd, operation);
    if (result >= 0) return true;
    if (result === -EWOULDBLOCK && options.nonblocking) return false;
    if (result !== -EINTR) throw new BpfError(`flock of ${fd}`, -result);
  }
}

/** Mounts a file system: mount(2) without flags. Throws `BpfError`. */
export function mount(type: string, target: string, data: string, sys: Syscalls = linux): void {
  const result = sys.call('mount', cString(type), cString(target), cString(type), 0, cString(data));
  if (result < 0) throw new BpfError(`mount of ${type} at ${target}`, -result);
}
