/** Calls of i386, from a 64-bit process: `int 0x80`. Their arguments lie below 4 GiB. */
import type { Caller } from '../../harness/caller.js';
import { PORT } from '../ends.js';
import { requireValue, syscall, withSocket } from '../moves.js';
import { ipv4Bytes, Struct } from '../struct.js';
import type { Attempt, Outcome, Role, Technique, Theme } from '../technique.js';

const BOTH: readonly Role[] = ['user', 'root'];

/** `call(number, ebx, ecx, edx, esi, edi)`. */
const CODE = [
  '53', // push rbx
  '89f8', // mov eax, edi
  '89f3', // mov ebx, esi
  '4189ca', // mov r10d, ecx
  '89d1', // mov ecx, edx
  '4489d2', // mov edx, r10d
  '4489c6', // mov esi, r8d
  '4489cf', // mov edi, r9d
  'cd80', // int 0x80
  '4898', // cdqe
  '5b', // pop rbx
  'c3', // ret
].join('');

/** Numbers of i386. */
const NUMBER = { bind: 361, connect: 362, setsockopt: 366, socketcall: 102 } as const;
const SYS_CONNECT = 3;
const SYS_SENDTO = 11;

const PROT_READ_AND_WRITE = 3;
const MAP_PRIVATE_ANONYMOUS_32BIT = 0x62;
const PAGE = 4096;

/** A page below 4 GiB. */
async function lowPage(caller: Caller): Promise<number> {
  const map = syscall('mmap', 0, PAGE, PROT_READ_AND_WRITE, MAP_PRIVATE_ANONYMOUS_32BIT, -1);
  return requireValue(await caller.call(map), 'mmap');
}

/** Such a page with the sockaddr at its begin, and behind it the words. */
async function layOut(caller: Caller, address: string, port: number): Promise<number> {
  const page = await lowPage(caller);
  const sockaddr = new Struct(16)
    .u8(0, 2)
    .u8(2, port >> 8)
    .u8(3, port & 0xff);
  const { hex } = sockaddr.bytes(4, ipv4Bytes(address));
  await caller.call({ op: 'poke', address: page, hex });
  return page;
}

async function call32(caller: Caller, ...args: readonly number[]): Promise<Outcome> {
  const { value = 0 } = await caller.call({ op: 'machine', code: CODE, args });
  const errno = new Map([
    [-1, 'EPERM'],
    [-115, 'EINPROGRESS'],
  ]);
  return { said: value >= 0 ? 'ok' : (errno.get(value) ?? `errno ${-value}`) };
}

/** setsockopt(2) as a 32-bit call. */
export async function setOption32(
  caller: Caller,
  fd: number,
  level: number,
  name: number,
  value: Struct,
): Promise<Outcome> {
  const page = await lowPage(caller);
  await caller.call({ op: 'poke', address: page, hex: value.hex });
  return call32(caller, NUMBER.setsockopt, fd, level, name, page, value.size);
}

type Make = (attempt: Attempt, fd: number) => Promise<Outcome>;

const row = (
  chain: Technique['chain'],
  name: string,
  type: 'stream' | 'dgram',
  make: Make,
): Technique => ({
  name: `int 0x80, ${name}`,
  chain,
  as: BOTH,
  expected: 'EPERM',
  needs: '32-bit calls',
  attempt: (attempt) => withSocket(attempt, 'inet', type, (fd) => make(attempt, fd)),
});

export const COMPAT: Theme = {
  title: '32-bit calls',
  techniques: [
    row('CONNECT', 'connect(2)', 'stream', async ({ caller, end }, fd) =>
      call32(caller, NUMBER.connect, fd, await layOut(caller, end.v4, PORT), 16),
    ),
    row('CONNECT', 'socketcall(2)', 'stream', async ({ caller, end }, fd) => {
      const page = await layOut(caller, end.v4, PORT);
      const { hex } = new Struct(12).u32(0, fd).u32(4, page).u32(8, 16);
      await caller.call({ op: 'poke', address: page + 64, hex });
      return call32(caller, NUMBER.socketcall, SYS_CONNECT, page + 64);
    }),
    row('SENDTO', 'sendto(2)', 'dgram', async ({ caller, end }, fd) => {
      const page = await layOut(caller, end.v4, PORT);
      // The sixth argument, the length of the sockaddr, is in ebp: by socketcall(2) it is in memory.
      const { hex } = new Struct(24).u32(0, fd).u32(4, page).u32(8, 1).u32(16, page).u32(20, 16);
      await caller.call({ op: 'poke', address: page + 64, hex });
      return call32(caller, NUMBER.socketcall, SYS_SENDTO, page + 64);
    }),
    row('BIND', 'bind(2)', 'stream', async ({ caller, end }, fd) => {
      const page = await layOut(caller, end.own.v4, PORT);
      const outcome = await call32(caller, NUMBER.bind, fd, page, 16);
      const { address } = await caller.address(fd);
      return { ...outcome, arrived: address === end.own.v4 };
    }),
  ],
};
