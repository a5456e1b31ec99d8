/** Whether the kernel runs programs of 32 bits, tried with the least there is. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Finding } from './bench.js';
import { UnsupportedError } from './unsupported.js';

const BASE = 0x0804_8000;
const HEADER_BYTES = 52;
const SEGMENT_BYTES = 32;

/** A program of 32 bits that a 64-bit processor may run. */
interface Compat {
  /** Of elf(5): `e_machine`, `e_flags`. */
  readonly machine: number;
  readonly flags: number;
  /** `exit(0)`. */
  readonly exit: Buffer;
  /** How not to run any. */
  readonly help: string;
}

const COMPATS: Readonly<Record<string, Compat>> = {
  x64: {
    // EM_386; xor ebx, ebx; xor eax, eax; inc eax; int 0x80.
    machine: 3,
    flags: 0,
    exit: Buffer.from('31db31c040cd80', 'hex'),
    help: 'boot with `ia32_emulation=0`, or give services `SystemCallArchitectures=native`',
  },
  arm64: {
    // EM_ARM, EF_ARM_EABI_VER5; mov r7, #1; mov r0, #0; svc #0.
    machine: 40,
    flags: 0x0500_0000,
    exit: Buffer.from('0170a0e30000a0e3000000ef', 'hex'),
    help: 'give services `SystemCallArchitectures=native`',
  },
};

/** An ELF file of 32 bits (elf(5)) that does nothing. */
function leastProgram({ machine, flags, exit }: Compat): Buffer {
  const first = HEADER_BYTES + SEGMENT_BYTES;
  const file = Buffer.alloc(first + exit.length);
  // Magic, class, byte order, version; then type ET_EXEC, machine, version.
  file.set(Buffer.from('7f454c46010101', 'hex'));
  file.writeUInt16LE(2, 16);
  file.writeUInt16LE(machine, 18);
  file.writeUInt32LE(1, 20);
  file.writeUInt32LE(BASE + first, 24);
  file.writeUInt32LE(HEADER_BYTES, 28);
  file.writeUInt32LE(flags, 36);
  for (const [at, size] of [
    [40, HEADER_BYTES],
    [42, SEGMENT_BYTES],
    [44, 1],
  ] as const)
    file.writeUInt16LE(size, at);
  // PT_LOAD of the whole file, to be read and executed.
  [1, 0, BASE, BASE, file.length, file.length, 5, 4096].forEach((word, n) => {
    file.writeUInt32LE(word, HEADER_BYTES + 4 * n);
  });
  file.set(exit, first);
  return file;
}

/** What runs such a program comes to: `ok`, a signal or an errno. */
function runLeast(compat: Compat): string {
  const folder = mkdtempSync(join(tmpdir(), 'sockfilter-doctor-'));
  try {
    const path = join(folder, 'least');
    writeFileSync(path, leastProgram(compat), { mode: 0o700 });
    const { status, signal, error } = spawnSync(path, { stdio: 'ignore' });
    if (error) return 'code' in error ? String(error.code) : error.message;
    return status === 0 ? 'ok' : String(signal ?? status);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Of a kernel that runs none: it knows no such file, which execvp(3) then gives to a shell, or no such call. */
const REFUSALS = /^(ENOEXEC|\d+|SIG(ILL|SEGV|SYS))$/;

/** Throws UnsupportedError where it does: the kernel calls no hook of setsockopt for such programs. */
export function tryCompat(): Finding {
  const compat = COMPATS[process.arch];
  if (!compat) return { untold: `no such program is known for ${process.arch}` };
  const said = runLeast(compat);
  if (said === 'EACCES') return { untold: `nothing may be executed in ${tmpdir()}` };
  if (said !== 'ok')
    return REFUSALS.test(said)
      ? 'this kernel runs none'
      : { untold: `such a program does not end as it should: ${said}` };
  throw new UnsupportedError(
    'this kernel runs them, and calls no hook: IPV6_RTHDR can route what a connected datagram socket sends',
    compat.help,
  );
}
