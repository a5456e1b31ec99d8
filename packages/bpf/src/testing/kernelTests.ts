// Tests that need the running kernel. They police nothing but cgroups of their own, made below the
// cgroup2 mount, and pin only in a directory of their own.

import { mkdirSync, mkdtempSync, readFileSync, rmdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import {
  close,
  exit,
  findCgroup2,
  loadProgram,
  mountBpffs,
  movImm,
  openDirectory,
  R0,
} from '../index.js';

/** The mount point of cgroup v2. Throws Error if it is not mounted. */
export function cgroup2(): string {
  const path = findCgroup2(readFileSync('/proc/self/mounts', 'utf8'));
  if (path === undefined) throw new Error('cgroup v2 is not mounted');
  return path;
}

/** Why this machine does not let us test, or undefined: found out by trying. */
function refusal(): string | undefined {
  try {
    const program = loadProgram({
      name: 'probe',
      type: 'cgroup_sock_addr',
      expectedAttachType: 'inet4_connect',
      items: [movImm(R0, 1), exit()],
      license: 'GPL',
    });
    close(program);
    withCgroup('probe', () => undefined);
    mountBpffs();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/**
 * A `describe` whose tests are skipped, loudly, where the kernel refuses us; a failure instead if
 * SOCKFILTER_REQUIRE_KERNEL is 1. The titles are what the run's summary counts kernel tests by.
 */
export function kernelTests(name: string, body: () => void): void {
  const reason = refusal();
  const title = `kernel: ${name}`;
  if (reason === undefined) {
    describe(title, body);
  } else if (process.env.SOCKFILTER_REQUIRE_KERNEL === '1') {
    describe(`${title} [skipped: ${reason}]`, () => {
      test('can run', () => {
        throw new Error(`SOCKFILTER_REQUIRE_KERNEL is set, but: ${reason}`);
      });
    });
  } else {
    console.warn(`kernel tests are skipped: ${name}: ${reason}`);
    describe.skip(`${title} [skipped: ${reason}]`, body);
  }
}

/** Runs `body` with a new cgroup, which is removed afterwards come what may. */
export function withCgroup<T>(name: string, body: (path: string, fd: number) => T): T {
  const path = join(cgroup2(), `sockfilter_bpf_${name}_${process.pid}`);
  mkdirSync(path);
  const fd = openDirectory(path);
  const remove = (): void => {
    close(fd);
    rmdirSync(path);
  };
  let result: T;
  try {
    result = body(path, fd);
  } catch (error) {
    remove();
    throw error;
  }
  if (result instanceof Promise) {
    result.then(remove, remove);
  } else {
    remove();
  }
  return result;
}

/** Runs `body` with a new directory in a bpffs, which is removed with its pins. */
export function withPinDirectory<T>(body: (path: string) => T): T {
  const path = mkdtempSync(join(mountBpffs(), 'sockfilter_bpf_'));
  try {
    return body(path);
  } finally {
    rmSync(path, { recursive: true });
  }
}

/** Little-endian bytes of 64-bit numbers. */
export function words(...values: readonly bigint[]): Uint8Array {
  return new Uint8Array(BigUint64Array.from(values, (value) => BigInt.asUintN(64, value)).buffer);
}

/** The 64-bit number at an index. */
export function wordAt(bytes: Uint8Array, index: number): bigint {
  return new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(8 * index, true);
}

/** A key of an array map. */
export function index(value: number): Uint8Array {
  return new Uint8Array(Uint32Array.of(value).buffer);
}
