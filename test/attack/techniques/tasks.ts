/**
 * Calls by another task: threads, children, and control groups of one's own. The peer is always the
 * refused one: at the refused end the task belongs to the group that may not reach it, at the allowed end
 * to the one that may.
 */
import type { Call, Caller, Result, SocketAddress } from '../../harness/caller.js';
import { PORT } from '../ends.js';
import { option, requireValue, said, sendMessage, syscall } from '../moves.js';
import { controlMessage, Struct } from '../struct.js';
import type { Attempt, Outcome, Role, Technique, Theme } from '../technique.js';

const BOTH: readonly Role[] = ['user', 'root'];

const peerOf = ({ scene }: Attempt): SocketAddress => ({
  address: scene.ends.refused.v4,
  port: PORT,
});

const socket: Call = { op: 'socket', family: 'inet', type: 'stream' };

/** A new socket, and its connect. */
const connecting = (attempt: Attempt): readonly Call[] => [
  socket,
  { op: 'connect', fd: 'last', address: peerOf(attempt) },
];

const findConnect = (results: readonly Result[] | undefined, at: number): Outcome => {
  const result = results?.[at];
  if (!result) throw new Error('it was not called');
  return said(result);
};

/** What was said, and whether the peer heard it. */
const heard = async ({ scene, role }: Attempt, outcome: Outcome): Promise<Outcome> => ({
  ...outcome,
  arrived: (await scene.came(role, scene.ends.refused)) > 0,
});

type Run = (attempt: Attempt, caller: Caller) => Promise<Outcome>;

const row = (name: string, run: Run, more: Partial<Technique> = {}): Technique => ({
  name,
  chain: 'CONNECT',
  as: BOTH,
  expected: 'EPERM',
  ...more,
  attempt: async (attempt) => {
    const caller = await attempt.scene.member(attempt.role, attempt.end.group);
    return heard(attempt, await run(attempt, caller));
  },
});

/**
 * `connectInChild(clone_args, size, fd, address, length)` on x86-64: clone3(2), and in the child connect(2);
 * the child ends with the negated result as its status. Gives the status word of wait4(2), or what clone3
 * failed with, negated. JavaScript can't run in the child: V8 keeps its code from it.
 */
const CONNECT_IN_CHILD = [
  '4154', // push r12
  '4155', // push r13
  '4156', // push r14
  '4989d4', // mov r12, rdx
  '4989cd', // mov r13, rcx
  '4d89c6', // mov r14, r8
  'b8b3010000', // mov eax, SYS_clone3
  '0f05', // syscall
  '85c0', // test eax, eax
  '7839', // js done
  '751b', // jnz parent
  '4c89e7', // mov rdi, r12
  '4c89ee', // mov rsi, r13
  '4c89f2', // mov rdx, r14
  'b82a000000', // mov eax, SYS_connect
  '0f05', // syscall
  'f7d8', // neg eax
  '89c7', // mov edi, eax
  'b83c000000', // mov eax, SYS_exit
  '0f05', // syscall
  // parent:
  '89c7', // mov edi, eax
  '4883ec10', // sub rsp, 16
  '4889e6', // mov rsi, rsp
  '31d2', // xor edx, edx
  '4d31d2', // xor r10, r10
  'b83d000000', // mov eax, SYS_wait4
  '0f05', // syscall
  '8b0424', // mov eax, [rsp]
  '4883c410', // add rsp, 16
  // done:
  '415e', // pop r14
  '415d', // pop r13
  '415c', // pop r12
  'c3', // ret
].join('');

const AF_UNIX = 1;
const SOL_SOCKET = 1;
const SCM_RIGHTS = 1;

const SIGCHLD = 17;
const CLONE_ARGS_BYTES = 88;
const CLONE_VM_AND_VFORK = 0x4100;
const CLONE_INTO_CGROUP = 0x2_0000_0000;

/** Statuses that a child ends with: negated results of connect(2). */
const CHILD_SAID: ReadonlyMap<number, string> = new Map([
  [1, 'EPERM'],
  [115, 'EINPROGRESS'],
]);

async function inChild(
  attempt: Attempt,
  caller: Caller,
  flags: number,
  cgroup = 0,
): Promise<Outcome> {
  const fd = await caller.socket('inet', 'stream');
  const clone = new Struct(CLONE_ARGS_BYTES).u64(0, flags).u64(32, SIGCHLD).u64(80, cgroup);
  const args = [clone, CLONE_ARGS_BYTES, fd, { sockaddr: peerOf(attempt) }, 16];
  const { value = 0 } = await caller.call({ op: 'machine', code: CONNECT_IN_CHILD, args });
  await caller.close(fd);
  const status = value | 0;
  return { said: CHILD_SAID.get(status >> 8) ?? `status ${status}` };
}

/** A child in a control group of the caller's own, below its group. */
async function inOwnGroup(attempt: Attempt, caller: Caller, name: string): Promise<Outcome> {
  const directory = attempt.scene.delegate(attempt.end.group, name);
  const open = syscall('openat', -100, Struct.of(`${directory}\0`), 0);
  const group = requireValue(await caller.call(open), 'open');
  const outcome = await inChild(attempt, caller, CLONE_INTO_CGROUP, group);
  await caller.close(group);
  return outcome;
}

/** A descriptor that pidfd_getfd takes from another process. */
async function takeSocket(caller: Caller, from: Caller): Promise<number> {
  const fd = await from.socket('inet', 'stream');
  const pidfd = requireValue(await caller.call(syscall('pidfd_open', from.pid, 0)), 'pidfd_open');
  return requireValue(await caller.call(syscall('pidfd_getfd', pidfd, fd, 0)), 'pidfd_getfd');
}

/** `struct sockaddr_un` of an abstract name. */
const unixAddress = (name: string): Struct => {
  const text = Buffer.from(`\0${name}`);
  return new Struct(2 + text.length).u16(0, AF_UNIX).bytes(2, text);
};

const CONTROL_BYTES = 24;

/** A descriptor that another process hands over in a message. */
async function receiveSocket(caller: Caller, from: Caller): Promise<number> {
  const address = unixAddress(`sockfilter-${caller.pid}-${from.pid}`);
  const receiver = await caller.socket(AF_UNIX, 'dgram');
  const sender = await from.socket(AF_UNIX, 'dgram');
  const fd = await from.socket('inet', 'stream');
  requireValue(await caller.call(syscall('bind', receiver, address, address.size)), 'bind');
  requireValue(await from.call(syscall('connect', sender, address, address.size)), 'connect');
  const control = controlMessage(SOL_SOCKET, SCM_RIGHTS, new Struct(4).i32(0, fd));
  requireValue(await from.call(sendMessage(sender, { control })), 'sendmsg');
  const memory = new Struct(CONTROL_BYTES);
  const place = requireValue(await caller.call({ op: 'alloc', memory }), 'alloc');
  const data = new Struct(16).pointer(0, new Struct(1)).u64(8, 1);
  const header = new Struct(56).pointer(16, data).u64(24, 1).u64(32, place).u64(40, CONTROL_BYTES);
  requireValue(await caller.call(syscall('recvmsg', receiver, header, 0)), 'recvmsg');
  const { memory: [got = ''] = [] } = await caller.call({
    op: 'peek',
    address: place,
    length: CONTROL_BYTES,
  });
  await caller.close(receiver);
  for (const each of [sender, fd]) await from.close(each);
  return Buffer.from(got, 'hex').readInt32LE(16);
}

const SO_RCVTIMEO = 20;
const ACCEPT_SECONDS = 1;

/**
 * Whether a peer that the guest's sockets may not hear arrives at a listener or receiver of the other
 * group, while its process, which waits in accept(2) or recvfrom(2), is moved to the end's group.
 */
const whileBlocked =
  (type: 'stream' | 'dgram') =>
  async ({ scene, role, end }: Attempt): Promise<Outcome> => {
    // What decides is the group in which the socket was made: of the twin that of the friend.
    const [from, to] = end.name === 'refused' ? ['guest', 'friend'] : ['friend', 'guest'];
    const caller = await scene.policed(role, from);
    const at = { address: '10.9.9.3', port: 7001 };
    const [made, , bound] = await caller.batch([
      { op: 'socket', family: 'inet', type, blocking: true },
      option('last', SOL_SOCKET, SO_RCVTIMEO, new Struct(16).u64(0, ACCEPT_SECONDS)),
      { op: 'bind', fd: 'last', address: at },
      ...(type === 'stream' ? [{ op: 'listen', fd: 'last' } as const] : []),
    ]);
    requireValue(bound, 'bind');
    const fd = requireValue(made, 'socket');
    const waiting = caller.call({ op: type === 'stream' ? 'accept' : 'recvfrom', fd });
    await new Promise((resolve) => setTimeout(resolve, 50));
    scene.move(caller, to);
    await scene.reaches(role, type, at, scene.ends.refused.v4);
    const { errno } = await waiting;
    await caller.stop();
    return { said: errno === undefined ? 'ok' : 'silence', arrived: errno === undefined };
  };

/** The other of the two groups. */
const otherGroup = ({ end }: Attempt): string => (end.name === 'refused' ? 'friend' : 'guest');

export const TASKS: Theme = {
  title: 'Tasks and control groups',
  techniques: [
    row('a thread', async (attempt, caller) => {
      const { results } = await caller.call({ op: 'thread', calls: connecting(attempt) });
      return findConnect(results, 1);
    }),
    row('a child', (attempt, caller) => inChild(attempt, caller, 0)),
    row('vfork(2)', (attempt, caller) => inChild(attempt, caller, CLONE_VM_AND_VFORK)),
    row('clone3(2) into a control group of its own', (attempt, caller) =>
      inOwnGroup(attempt, caller, 'own'),
    ),
    row('clone3(2) into a control group of its own, deep below', (attempt, caller) =>
      inOwnGroup(attempt, caller, 'own/a/b/c/d/e/f'),
    ),
    row('a control group that is made anew each time', async (attempt, caller) => {
      await attempt.scene.undelegate(attempt.end.group, 'anew');
      const outcome = await inOwnGroup(attempt, caller, 'anew');
      await attempt.scene.undelegate(attempt.end.group, 'anew');
      return outcome;
    }),
    row('a move into a control group of its own', async (attempt) => {
      const { scene, role, end } = attempt;
      const cgroup = scene.delegate(end.group, 'moved');
      const caller = await scene.policed(role, end.group);
      const results = await caller.batch([{ op: 'moveTo', cgroup }, ...connecting(attempt)]);
      await caller.stop();
      return findConnect(results, 2);
    }),
    row(
      'a socket that was made in the other group, by pidfd_getfd(2)',
      async (attempt, caller) => {
        const other = await attempt.scene.member(attempt.role, otherGroup(attempt));
        const fd = await takeSocket(caller, other);
        const connected = await caller.call({ op: 'connect', fd, address: peerOf(attempt) });
        await caller.close(fd);
        return said(connected);
      },
      { as: ['root'], note: 'the caller is asked for, not the socket' },
    ),
    row(
      'a socket that was made in the other group, by SCM_RIGHTS',
      async (attempt, caller) => {
        const other = await attempt.scene.member(attempt.role, otherGroup(attempt));
        const fd = await receiveSocket(caller, other);
        const connected = await caller.call({ op: 'connect', fd, address: peerOf(attempt) });
        await caller.close(fd);
        return said(connected);
      },
      { note: 'the caller is asked for, not the socket' },
    ),
    {
      name: 'a move while its process waits in accept(2)',
      chain: 'ACCEPT',
      as: BOTH,
      expected: 'silence',
      note: 'the maker of the socket is asked for',
      attempt: whileBlocked('stream'),
    },
    {
      name: 'a move while its process waits in recvfrom(2)',
      chain: 'RECVFROM',
      as: BOTH,
      expected: 'silence',
      attempt: whileBlocked('dgram'),
    },
    row('a socket that was made before its process was moved', async (attempt) => {
      const { scene, role, end } = attempt;
      const caller = await scene.policed(role, otherGroup(attempt));
      const fd = await caller.socket('inet', 'stream');
      scene.move(caller, end.group);
      const connected = await caller.call({ op: 'connect', fd, address: peerOf(attempt) });
      await caller.stop();
      return said(connected);
    }),
  ],
};
