/** Programs of the caller's own, attached at a control group below its policed one. */
import { PORT } from '../ends.js';
import { requireValue, said, syscall, withSocket } from '../moves.js';
import { Struct } from '../struct.js';
import type { Attempt, Outcome, Technique, Theme } from '../technique.js';

const BPF_PROG_LOAD = 5;
const BPF_PROG_ATTACH = 8;
const BPF_PROG_DETACH = 9;
const CGROUP_SOCK_ADDR = 18;
const CGROUP_INET4_CONNECT = 10;

/** `bpf_set_retval(0)`, and 1: let it pass, whatever others have said. */
const LET_PASS = ['b701000000000000', '85000000bb000000', 'b700000001000000', '9500000000000000'];

const bpf = (command: number, attribute: Struct) =>
  syscall('bpf', command, attribute, attribute.size);

/** Attaches the program at a child group that the caller is in meanwhile. */
const withProgram =
  (flags: number) =>
  async (attempt: Attempt): Promise<Outcome> => {
    const { scene, role, end } = attempt;
    const caller = await scene.policed(role);
    const directory = scene.delegate('guest', `programs-${flags}`);
    const code = Buffer.from(LET_PASS.join(''), 'hex');
    const load = new Struct(72)
      .u32(0, CGROUP_SOCK_ADDR)
      .u32(4, LET_PASS.length)
      .pointer(8, Struct.of(code))
      .pointer(16, Struct.of('GPL\0'))
      .u32(68, CGROUP_INET4_CONNECT);
    const program = requireValue(await caller.call(bpf(BPF_PROG_LOAD, load)), 'BPF_PROG_LOAD');
    const group = requireValue(
      await caller.call(syscall('openat', -100, Struct.of(`${directory}\0`), 0)),
      'open',
    );
    const attach = new Struct(16)
      .u32(0, group)
      .u32(4, program)
      .u32(8, CGROUP_INET4_CONNECT)
      .u32(12, flags);
    requireValue(await caller.call(bpf(BPF_PROG_ATTACH, attach)), 'BPF_PROG_ATTACH');
    try {
      requireValue(await caller.call({ op: 'moveTo', cgroup: directory }), 'move');
      return await withSocket({ caller }, 'inet', 'stream', async (fd) =>
        said(await caller.call({ op: 'connect', fd, address: { address: end.v4, port: PORT } })),
      );
    } finally {
      await caller.call(bpf(BPF_PROG_DETACH, attach));
      await caller.stop();
    }
  };

const row = (name: string, flags: number): Technique => ({
  name: `a program of a child group that lets pass, attached ${name}`,
  chain: 'CONNECT',
  as: ['root'],
  expected: 'EPERM',
  note: 'CAP_BPF and CAP_NET_ADMIN',
  attempt: withProgram(flags),
});

export const PROGRAMS: Theme = {
  title: 'Programs of one’s own',
  techniques: [row('alone', 0), row('to be overridden', 1), row('beside others', 2)],
};
