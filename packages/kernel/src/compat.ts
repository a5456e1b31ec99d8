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
/** `exit(0)`: xor ebx, ebx; xor eax, eax; inc eax; int 0x80. */
const EXIT = Buffer.from('31db31c040cd80', 'hex');

/** An ELF file of 32 bits for i386 (elf(5)) that does nothing. */
function leastProgram(): Buffer {
  const first = HEADER_BYTES + SEGMENT_BYTES;
  const file = Buffer.alloc(first + EXIT.length);
  // Magic, class, byte order, version; then type ET_EXEC, machine EM_386, version.
  file.set(Buffer.from('7f454c46010101', 'hex'));
  file.writeUInt16LE(2, 16);
  file.writeUInt16LE(3, 18);
  file.writeUInt32LE(1, 20);
  file.writeUInt32LE(BASE + first, 24);
  file.writeUInt32LE(HEADER_BYTES, 28);
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
  file.set(EXIT, first);
  return file;
}

/** What runs such a program comes to: `ok`, a signal or an errno. */
function runLeast(): string {
  const folder = mkdtempSync(join(tmpdir(), 'sockfilter-doctor-'));
  try {
    const path = join(folder, 'least');
    writeFileSync(path, leastProgram(), { mode: 0o700 });
    const { status, signal, error } = spawnSync(path, { stdio: 'ignore' });
    if (error) return 'code' in error ? String(error.code) : error.message;
    return status === 0 ? 'ok' : String(signal ?? status);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Throws UnsupportedError where it does: the kernel calls no hook of setsockopt for such programs. */
export function tryCompat(): Finding {
  if (process.arch !== 'x64') return { untold: `no such program is known for ${process.arch}` };
  const said = runLeast();
  if (said === 'EACCES') return { untold: `nothing may be executed in ${tmpdir()}` };
  if (said !== 'ok') return 'this kernel runs none';
  throw new UnsupportedError(
    'this kernel runs them, and calls no hook: IPV6_RTHDR can route what a connected datagram socket sends',
    'boot with `ia32_emulation=0`, or give services `SystemCallArchitectures=native`',
  );
}
