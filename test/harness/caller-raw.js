/**
 * What caller-main.js can do beside libc's socket calls: system calls by number, with memory laid out on
 * request, code of its own, and calls made by another thread. Plain JavaScript, as the caller.
 *
 * A memory is `{ hex, pointers: [{ at, to: memory }] }`, or `{ sockaddr }`. It stays for as long as the
 * process does, since rings and mappings read it later.
 */
import { isMainThread, Worker } from 'node:worker_threads';
import koffi from 'koffi';

const libc = koffi.load('libc.so.6');
const six = ['long', 'long', 'long', 'long', 'long', 'long'];
const syscall = libc.func('syscall', 'long', ['long', ...six]);
const Code = koffi.proto(`long SockfilterCode(${six.join(', ')})`);

/** Numbers of system calls: x86-64, arm64. */
const NUMBERS = {
  getpid: [39, 172],
  gettid: [186, 178],
  socket: [41, 198],
  bind: [49, 200],
  connect: [42, 203],
  listen: [50, 201],
  accept4: [288, 242],
  sendto: [44, 206],
  sendmsg: [46, 211],
  recvmsg: [47, 212],
  sendmmsg: [307, 269],
  setsockopt: [54, 208],
  getsockopt: [55, 209],
  sendfile: [40, 71],
  splice: [275, 76],
  vmsplice: [278, 75],
  write: [1, 64],
  writev: [20, 66],
  read: [0, 63],
  close: [3, 57],
  pipe2: [293, 59],
  dup: [32, 23],
  openat: [257, 56],
  memfd_create: [319, 279],
  unshare: [272, 97],
  setns: [308, 268],
  mmap: [9, 222],
  prctl: [157, 167],
  ioctl: [16, 29],
  setresuid: [117, 147],
  setresgid: [119, 149],
  setfsuid: [122, 151],
  setfsgid: [123, 152],
  clone3: [435, 435],
  exit_group: [231, 94],
  wait4: [61, 260],
  pidfd_open: [434, 434],
  pidfd_getfd: [438, 438],
  io_uring_setup: [425, 425],
  io_uring_enter: [426, 426],
  io_uring_register: [427, 427],
  bpf: [321, 280],
};

const machine = process.arch === 'arm64' ? 1 : 0;

function numberOf(name) {
  const numbers = NUMBERS[name];
  if (!numbers) throw new Error(`no system call ${name}`);
  return numbers[machine];
}

/** All memory that was ever asked for. */
const held = [];

/** Lays a memory out; gives its buffer. */
function layOut(memory, packAddress) {
  const bytes = memory.sockaddr ? packAddress(memory.sockaddr) : Buffer.from(memory.hex, 'hex');
  held.push(bytes);
  for (const { at, to } of memory.pointers ?? [])
    bytes.writeBigUInt64LE(koffi.address(layOut(to, packAddress)), at);
  return bytes;
}

/**
 * The calls, by their `op`.
 *
 * @param outcome what a call that answers -1 or a number comes to
 * @param packAddress the bytes of a sockaddr
 * @param last gives the descriptor that `last` stands for
 */
export function rawCalls({ outcome, packAddress, last }) {
  /** Arguments as numbers, and the buffers behind them. */
  function argumentsOf(args) {
    const buffers = [];
    const words = args.map((argument) => {
      if (argument === 'last') return last();
      if (typeof argument === 'number') return argument;
      const bytes = layOut(argument, packAddress);
      buffers.push(bytes);
      return koffi.address(bytes);
    });
    return { words: [...words, 0, 0, 0, 0, 0, 0].slice(0, 6), buffers };
  }

  return {
    syscall: ({ name, args }) => {
      const { words, buffers } = argumentsOf(args);
      const result = outcome(syscall(numberOf(name), ...words));
      return { ...result, memory: buffers.map((bytes) => bytes.toString('hex')) };
    },
    alloc: ({ memory }) => ({ value: Number(koffi.address(layOut(memory, packAddress))) }),
    peek: ({ address, length }) => ({
      value: length,
      memory: [Buffer.from(koffi.view(address, length)).toString('hex')],
    }),
    poke: ({ address, hex }) => {
      const bytes = Buffer.from(hex, 'hex');
      new Uint8Array(koffi.view(address, bytes.length)).set(bytes);
      return { value: bytes.length };
    },
    /** Calls code as a C function of six longs: `long (*)(long, ...)`. */
    machine: ({ code, args }) => {
      const bytes = Buffer.from(code, 'hex');
      const size = 4096;
      // Private, anonymous; readable, writable, executable.
      const page = syscall(numberOf('mmap'), 0, size, 7, 0x22, -1, 0);
      new Uint8Array(koffi.view(page, bytes.length)).set(bytes);
      const { words } = argumentsOf(args);
      return { value: Number(koffi.call(page, Code, ...words)) };
    },
    /** Makes calls in a thread of their own. */
    thread: async ({ calls }) => {
      if (!isMainThread) throw new Error('a thread of a thread');
      const worker = new Worker(new URL('./caller-main.js', import.meta.url), {
        workerData: { calls },
      });
      const results = await new Promise((resolve, reject) => {
        worker.on('message', resolve);
        worker.on('error', reject);
      });
      await worker.terminate();
      return { value: results.length, results };
    },
  };
}
