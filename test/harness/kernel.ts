/**
 * Kernel tests: those that load programs and make real calls. Where they can't run they are skipped,
 * with the reason in the title, from which reporter.js takes it; SOCKFILTER_REQUIRE_KERNEL=1 makes
 * that a failure.
 */
import { mkdirSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import koffi from 'koffi';
import { cgroupMount } from './cgroups.js';
import { describeNeeding } from './needing.js';

/** Number of bpf(2), by process.arch. */
const BPF_CALL: Readonly<Record<string, number>> = { x64: 321, arm64: 280 };
const BPF_PROG_LOAD = 5;
const BPF_PROG_TYPE_CGROUP_SOCK_ADDR = 18;
const BPF_CGROUP_INET4_CONNECT = 10;

/** `r0 = 1; exit`: the least program that allows a call. */
const ALLOW = Buffer.from('b7000000010000009500000000000000', 'hex');

/** Why a program for control groups can't be loaded, or undefined. */
function loadRefusal(): string | undefined {
  const call = BPF_CALL[process.arch];
  if (call === undefined) return `bpf(2) has no known number on ${process.arch}`;
  const libc = koffi.load('libc.so.6');
  const bpf = libc.func('long syscall(long, int, void *, uint)');
  const close = libc.func('int close(int)');
  const license = Buffer.from('GPL\0');
  const attribute = Buffer.alloc(72);
  attribute.writeUInt32LE(BPF_PROG_TYPE_CGROUP_SOCK_ADDR, 0);
  attribute.writeUInt32LE(ALLOW.length / 8, 4);
  attribute.writeBigUInt64LE(koffi.address(ALLOW), 8);
  attribute.writeBigUInt64LE(koffi.address(license), 16);
  attribute.writeUInt32LE(BPF_CGROUP_INET4_CONNECT, 68);
  const program = Number(bpf(call, BPF_PROG_LOAD, attribute, attribute.length));
  if (program < 0) return `bpf(2) refuses a cgroup program (errno ${koffi.errno()})`;
  close(program);
  return undefined;
}

/** Why a control group can't be made, or undefined. */
function cgroupRefusal(): string | undefined {
  const mount = cgroupMount();
  if (mount === undefined) return 'cgroup2 is not mounted';
  const directory = join(mount, `sockfilter-probe-${process.pid}`);
  try {
    mkdirSync(directory);
    rmdirSync(directory);
    return undefined;
  } catch (error) {
    return `no control group can be made in ${mount} (${String(error)})`;
  }
}

function refusal(): string | undefined {
  if (process.platform !== 'linux') return 'this is not Linux';
  if (process.getuid?.() !== 0) return 'they need root';
  return cgroupRefusal() ?? loadRefusal();
}

let probed: { readonly reason: string | undefined } | undefined;

/** Why this machine can't run kernel tests; undefined if it can. */
export function kernelMissing(): string | undefined {
  probed ??= { reason: refusal() };
  return probed.reason;
}

/** describe() for tests that need the kernel. */
export function describeKernel(name: string, define: () => void): void {
  describeNeeding(kernelMissing(), kernelTitle(name), define);
}

/** The title of kernel tests, by which the run's summary counts them. */
export function kernelTitle(name: string): string {
  return `kernel: ${name}`;
}
