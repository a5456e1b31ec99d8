/** What this kernel can do, found out by trying. */
import { readFileSync } from 'node:fs';
import { exit, label, mayGoto, movImm } from './asm.js';
import { BpfError } from './error.js';
import { R0 } from './instruction.js';
import { loadProgram } from './program.js';
import { close, linux, type Syscalls } from './syscall.js';

/** Whether the verifier knows may_goto: Linux 6.9. */
export function hasMayGoto(sys: Syscalls = linux): boolean {
  // One that leads to the next instruction is refused before 6.14.
  const items = [movImm(R0, 0), mayGoto('end'), movImm(R0, 1), label('end'), exit()];
  try {
    close(
      loadProgram({ name: 'may_goto', type: 'socket_filter', license: 'GPL', items }, {}, {}, sys),
      sys,
    );
    return true;
  } catch (error) {
    if (error instanceof BpfError) return false;
    throw error;
  }
}

const SECURITY_MODULES = '/sys/kernel/security/lsm';

/**
 * Whether the kernel calls programs of BPF LSM, as far as it tells: `bpf` is among its security modules.
 * Where securityfs is not mounted it does not tell, and the answer is false.
 */
export function hasBpfLsm(
  read: () => string = () => readFileSync(SECURITY_MODULES, 'utf8'),
): boolean {
  try {
    return read().trim().split(',').includes('bpf');
  } catch {
    return false;
  }
}
