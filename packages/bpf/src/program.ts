import { label } from './asm.js';
import { assemble, placeLabels, SLOT } from './assemble.js';
import { Attribute, bpf, objectIds, objectInfo, openById, readName, tryBpf } from './attribute.js';
import { functionId } from './btf.js';
import { BpfError } from './error.js';
import { functionTypes, type GlobalFunction } from './functiontypes.js';
import type { Item } from './instruction.js';
import { kernelBtf } from './kernelbtf.js';
import { close, cString, type Fd, linux, type Syscalls } from './syscall.js';
import { processedInstructions, verifierReason } from './verifierLog.js';

/** Program types, `enum bpf_prog_type` in linux/bpf.h. */
export const PROGRAM_TYPES = Object.freeze({
  socket_filter: 1,
  kprobe: 2,
  sched_cls: 3,
  tracepoint: 5,
  xdp: 6,
  cgroup_skb: 8,
  cgroup_sock: 9,
  sock_ops: 13,
  raw_tracepoint: 17,
  cgroup_sock_addr: 18,
  cgroup_sockopt: 25,
  tracing: 26,
  lsm: 29,
  syscall: 31,
});

export type ProgramType = keyof typeof PROGRAM_TYPES;

/** Attach types, `enum bpf_attach_type` in linux/bpf.h without `cgroup_`. */
export const ATTACH_TYPES = Object.freeze({
  inet_ingress: 0,
  inet_egress: 1,
  sock_create: 2,
  sock_ops: 3,
  inet4_bind: 8,
  inet6_bind: 9,
  inet4_connect: 10,
  inet6_connect: 11,
  inet4_post_bind: 12,
  inet6_post_bind: 13,
  udp4_sendmsg: 14,
  udp6_sendmsg: 15,
  udp4_recvmsg: 19,
  udp6_recvmsg: 20,
  getsockopt: 21,
  setsockopt: 22,
  inet4_getpeername: 29,
  inet6_getpeername: 30,
  inet4_getsockname: 31,
  inet6_getsockname: 32,
  sock_release: 34,
  lsm_cgroup: 43,
});

export type AttachType = keyof typeof ATTACH_TYPES;

/** Program flags. A `syscall` program must be sleepable. */
export const BPF_F_STRICT_ALIGNMENT = 1 << 0;
export const BPF_F_SLEEPABLE = 1 << 4;

/** A program as plain data: maps are names until it is loaded. */
export interface ProgramSpec {
  /** At most 15 characters from `[A-Za-z0-9_.]`. */
  readonly name: string;
  readonly type: ProgramType;
  /** Where it will be attached; the types that need none (raw_tracepoint, sched_cls) leave it out. */
  readonly expectedAttachType?: AttachType;
  readonly items: readonly Item[];
  /** The kernel's function that it stands at, by its name: types `lsm` and `tracing`. Linux 5.7, needs BTF. */
  readonly attachFunction?: string;
  /** Behind the items; the verifier looks at each once. */
  readonly functions?: readonly GlobalFunction[];
  /** `GPL` or a compatible licence, for helpers that ask for it (probe_read_kernel does). */
  readonly license: string;
  readonly flags?: number;
}

/** Descriptors by the names that a program's `loadMap` uses. */
export type MapDescriptors = Readonly<Record<string, Fd>>;

export interface LoadOptions {
  /** Called with the verifier's log, also on success. Makes loading slower. */
  readonly onLog?: (log: string) => void;
  /** 1: the path that failed; 2: every instruction; 4: the statistics alone. 1 if not given. */
  readonly logLevel?: number;
}

const LOG_SIZES: readonly number[] = [1 << 20, 1 << 24, 1 << 28];
const ENOENT = 2;
const ENOSPC = 28;
const EAGAIN = 11;
/** As libbpf: a signal that comes while the verifier works makes the call end with EAGAIN. */
const LOAD_ATTEMPTS = 5;

function tryLoad(attribute: Attribute, sys: Syscalls): number {
  for (let attempt = 1; ; attempt++) {
    const result = tryBpf('BPF_PROG_LOAD', attribute, sys);
    if (result !== -EAGAIN || attempt === LOAD_ATTEMPTS) return result;
  }
}

/** A program in bytes, and the types of its functions if it has any. */
interface Code {
  readonly bytes: Uint8Array;
  readonly types: { readonly fd: Fd; readonly places: Uint8Array } | undefined;
}

/** The record of each function: the slot where it begins, and its type (struct bpf_func_info). */
const FUNCTION_INFO_BYTES = 8;

function loadTypes(
  { name, functions = [] }: ProgramSpec,
  items: readonly Item[],
  sys: Syscalls,
): Code['types'] {
  if (functions.length === 0) return undefined;
  const { btf, ids } = functionTypes(name, functions);
  const labels = placeLabels(items);
  const places = new Uint8Array(FUNCTION_INFO_BYTES * ids.length);
  const view = new DataView(places.buffer);
  ids.forEach((id, n) => {
    const place = n === 0 ? 0 : labels.get(functions[n - 1]?.name ?? '');
    view.setUint32(FUNCTION_INFO_BYTES * n, place ?? 0, true);
    view.setUint32(FUNCTION_INFO_BYTES * n + 4, id, true);
  });
  const attribute = new Attribute(28).pointer(0, btf).u32(16, btf.length);
  return { fd: bpf('BPF_BTF_LOAD', name, attribute, sys), places };
}

/** The id of the function that the program stands at, if it stands at one. Throws BpfError. */
function attachTarget({ name, attachFunction }: ProgramSpec): number | undefined {
  if (attachFunction === undefined) return undefined;
  const id = functionId(kernelBtf(), attachFunction);
  if (id !== undefined) return id;
  throw new BpfError(
    `BPF_PROG_LOAD of ${name}`,
    ENOENT,
    `this kernel has no function \`${attachFunction}\``,
  );
}

function loadAttribute(spec: ProgramSpec, { bytes: code, types }: Code): Attribute {
  const expected = spec.expectedAttachType;
  const target = attachTarget(spec);
  const attribute = new Attribute(target === undefined ? 96 : 112)
    .u32(0, PROGRAM_TYPES[spec.type])
    .u32(4, code.length / SLOT)
    .pointer(8, code)
    .pointer(16, cString(spec.license))
    .u32(44, spec.flags ?? 0)
    .objectName(48, spec.name)
    .u32(68, expected === undefined ? 0 : ATTACH_TYPES[expected]);
  if (target !== undefined) attribute.u32(108, target);
  if (!types) return attribute;
  return attribute
    .u32(72, types.fd)
    .u32(76, FUNCTION_INFO_BYTES)
    .pointer(80, types.places)
    .u32(88, types.places.length / FUNCTION_INFO_BYTES);
}

/**
 * Loads with a log; the buffer grows until the log fits. A refused program needs only its end, which
 * Linux 6.4 and later keep in a buffer that is too small.
 */
function loadLogged(
  spec: ProgramSpec,
  code: Code,
  level: number,
  isRefused: boolean,
  sys: Syscalls,
): { readonly result: number; readonly log: string } {
  let result = -ENOSPC;
  let log = '';
  for (const size of LOG_SIZES) {
    const buffer = new Uint8Array(size);
    const attribute = loadAttribute(spec, code).u32(24, level).u32(28, size).pointer(32, buffer);
    result = tryLoad(attribute, sys);
    const end = buffer.indexOf(0);
    log = Buffer.from(end < 0 ? buffer : buffer.subarray(0, end)).toString('latin1');
    const hasEnd = processedInstructions(log) !== undefined;
    if (result !== -ENOSPC || (isRefused && hasEnd)) break;
  }
  return { result, log };
}

/**
 * Assembles a program and has the kernel verify it; returns its descriptor.
 *
 * A refusal throws `BpfError` with the last useful lines of the verifier's log in its message and the
 * whole log in `log`; the log is asked for only then. Throws Error for a map without a descriptor.
 */
export function loadProgram(
  spec: ProgramSpec,
  maps: MapDescriptors = {},
  options: LoadOptions = {},
  sys: Syscalls = linux,
): Fd {
  const functions = spec.functions ?? [];
  const items = [...spec.items, ...functions.flatMap((each) => [label(each.name), ...each.items])];
  const bytes = assemble(items, (name) => {
    const fd = Object.hasOwn(maps, name) ? maps[name] : undefined;
    if (fd === undefined)
      throw new Error(`program \`${spec.name}\`: no descriptor for map \`${name}\``);
    return fd;
  });
  const code: Code = { bytes, types: loadTypes(spec, items, sys) };
  try {
    return loadCode(spec, code, options, sys);
  } finally {
    if (code.types) close(code.types.fd, sys);
  }
}

function loadCode(spec: ProgramSpec, code: Code, options: LoadOptions, sys: Syscalls): Fd {
  let first = -ENOSPC;
  if (options.onLog === undefined) {
    first = tryLoad(loadAttribute(spec, code), sys);
    if (first >= 0) return first;
  }
  const { result, log } = loadLogged(
    spec,
    code,
    options.logLevel ?? 1,
    options.onLog === undefined,
    sys,
  );
  options.onLog?.(log);
  if (result >= 0) return result;
  // ENOSPC is about the log; the program's own error came first.
  const errno = result === -ENOSPC ? -first : -result;
  throw new BpfError(`BPF_PROG_LOAD of ${spec.name}`, errno, verifierReason(log), log);
}

/** What the kernel says about a program. */
export interface ProgramInfo {
  readonly type: number;
  readonly id: number;
  readonly name: string;
  /** The kernel's hash of the instructions, 16 hexadecimal digits. */
  readonly tag: string;
  /** Instructions that the verifier walked, over all paths. */
  readonly verifiedInstructions: number;
  /** Runs and nanoseconds; both 0n unless sysctl kernel.bpf_stats_enabled is set. */
  readonly runCount: bigint;
  readonly runTimeNs: bigint;
  readonly mapIds: readonly number[];
}

const PROGRAM_INFO_SIZE = 232;
const MAX_MAPS = 64;

/** Describes a program: BPF_OBJ_GET_INFO_BY_FD. */
export function programInfo(fd: Fd, sys: Syscalls = linux): ProgramInfo {
  const ids = new Uint8Array(4 * MAX_MAPS);
  const pointers = [{ offset: 56, count: 52, target: ids }];
  const view = objectInfo(fd, PROGRAM_INFO_SIZE, pointers, sys);
  const bytes = new Uint8Array(view.buffer);
  const idView = new DataView(ids.buffer);
  const count = Math.min(view.getUint32(52, true), MAX_MAPS);
  return {
    type: view.getUint32(0, true),
    id: view.getUint32(4, true),
    name: readName(bytes, 64),
    tag: Buffer.from(bytes.subarray(8, 16)).toString('hex'),
    verifiedInstructions: view.getUint32(216, true),
    runCount: view.getBigUint64(200, true),
    runTimeNs: view.getBigUint64(192, true),
    mapIds: Array.from({ length: count }, (_, index) => idView.getUint32(4 * index, true)),
  };
}

/** Opens a program by its id; undefined if it is gone. */
export const programById = (id: number, sys: Syscalls = linux): Fd | undefined =>
  openById('BPF_PROG_GET_FD_BY_ID', id, sys);

/** The ids of all programs on the machine. */
export const programIds = (sys: Syscalls = linux): Generator<number> =>
  objectIds('BPF_PROG_GET_NEXT_ID', sys);

export interface TestRun {
  /** The packet of a network program: at least 14 bytes. */
  readonly dataIn?: Uint8Array;
  /** The context; a `syscall` program writes into this very buffer. */
  readonly ctxIn?: Uint8Array;
  /** Runs in one call; 1 if not given. Only network programs take it. */
  readonly repeat?: number;
  /** Room for the packet as the program left it; as long as `dataIn` if not given. */
  readonly dataOutSize?: number;
}

export interface TestResult {
  /** The program's r0, unsigned. */
  readonly retval: number;
  readonly dataOut: Uint8Array;
  /** The mean of one run; 0 where the type does not measure. */
  readonly durationNs: number;
}

/**
 * Runs a program without attaching it: BPF_PROG_TEST_RUN.
 *
 * Works for sched_cls, cgroup_skb, xdp, raw_tracepoint and syscall, not for cgroup_sock_addr (ENOTSUPP).
 */
export function testRun(fd: Fd, run: TestRun = {}, sys: Syscalls = linux): TestResult {
  const { dataIn, ctxIn } = run;
  const dataOut =
    dataIn === undefined ? undefined : new Uint8Array(run.dataOutSize ?? dataIn.length);
  const attribute = new Attribute(80)
    .u32(0, fd)
    .u32(8, dataIn?.length ?? 0)
    .u32(12, dataOut?.length ?? 0)
    .pointer(16, dataIn)
    .pointer(24, dataOut)
    .u32(32, dataIn === undefined ? 0 : (run.repeat ?? 1))
    .u32(40, ctxIn?.length ?? 0)
    .pointer(48, ctxIn);
  bpf('BPF_PROG_TEST_RUN', `${fd}`, attribute, sys);
  return {
    retval: attribute.readU32(4),
    dataOut: dataOut?.subarray(0, attribute.readU32(12)) ?? new Uint8Array(0),
    durationNs: attribute.readU32(36),
  };
}
