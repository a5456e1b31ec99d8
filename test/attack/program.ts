/** A program of a caller's own, which lets every connect of IPv4 pass, at a control group. */
import type { Call, Caller } from '../harness/caller.js';
import { requireValue, syscall } from './moves.js';
import { Struct } from './struct.js';

const BPF_PROG_LOAD = 5;
const BPF_PROG_ATTACH = 8;
const BPF_PROG_DETACH = 9;
const CGROUP_SOCK_ADDR = 18;
const CGROUP_INET4_CONNECT = 10;

/** `bpf_set_retval(0)`, and 1: let it pass, whatever others have said. */
const LET_PASS = ['b701000000000000', '85000000bb000000', 'b700000001000000', '9500000000000000'];

const bpf = (command: number, attribute: Struct): Call =>
  syscall('bpf', command, attribute, attribute.size);

/** How a program may be attached: `BPF_F_ALLOW_...`. */
export const ATTACH = { alone: 0, override: 1, multi: 2 } as const;

/** Attaches it at the directory; gives what detaches it. Throws where the caller may not. */
export async function attachProgram(
  caller: Caller,
  directory: string,
  flags: number = ATTACH.multi,
): Promise<Struct> {
  const load = new Struct(72)
    .u32(0, CGROUP_SOCK_ADDR)
    .u32(4, LET_PASS.length)
    .pointer(8, Struct.of(Buffer.from(LET_PASS.join(''), 'hex')))
    .pointer(16, Struct.of('GPL\0'))
    .u32(68, CGROUP_INET4_CONNECT);
  const program = requireValue(await caller.call(bpf(BPF_PROG_LOAD, load)), 'BPF_PROG_LOAD');
  const open = syscall('openat', -100, Struct.of(`${directory}\0`), 0);
  const group = requireValue(await caller.call(open), 'open');
  const place = () => new Struct(16).u32(0, group).u32(4, program).u32(8, CGROUP_INET4_CONNECT);
  const attached = await caller.call(bpf(BPF_PROG_ATTACH, place().u32(12, flags)));
  requireValue(attached, 'BPF_PROG_ATTACH');
  return place();
}

export async function detachProgram(caller: Caller, attached: Struct): Promise<void> {
  requireValue(await caller.call(bpf(BPF_PROG_DETACH, attached)), 'BPF_PROG_DETACH');
}
