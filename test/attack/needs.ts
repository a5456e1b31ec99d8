/** What attempts need of the kernel, found out by trying. */
import { spawnSync } from 'node:child_process';

export type Need = '32-bit calls';

/** getpid by int 0x80: a kernel without the calls of i386 ends the process. */
const CALL_32 = `
  const koffi = require('koffi');
  const libc = koffi.load('libc.so.6');
  const page = libc.func('void *mmap(void *, size_t, int, int, int, long)')(null, 4096, 7, 0x22, -1, 0);
  new Uint8Array(koffi.view(page, 8)).set([0xb8, 20, 0, 0, 0, 0xcd, 0x80, 0xc3]);
  const pid = koffi.call(page, koffi.proto('int GetPid()'));
  process.exit(pid === process.pid ? 0 : 1);
`;

const PROBES: Readonly<Record<Need, () => boolean>> = {
  '32-bit calls': () =>
    process.arch === 'x64' && spawnSync(process.execPath, ['-e', CALL_32]).status === 0,
};

const found = new Map<Need, boolean>();

/** Whether this machine has it. */
export function isThere(need: Need): boolean {
  const known = found.get(need) ?? PROBES[need]();
  found.set(need, known);
  return known;
}
