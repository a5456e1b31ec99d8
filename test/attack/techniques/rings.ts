/** Calls that io_uring makes: at once, by its workers, or by the thread that polls the ring. */
import type { SocketAddress } from '../../harness/caller.js';
import { PORT } from '../ends.js';
import { withSocket } from '../moves.js';
import { connectEntry, ENTRY, entryOf, Ring, SETUP } from '../ring.js';
import { messageHeader, Struct, sockaddrSize } from '../struct.js';
import type { Attempt, Outcome, Role, Technique, Theme } from '../technique.js';

const BOTH: readonly Role[] = ['user', 'root'];
const MSG_FASTOPEN = 0x2000_0000;

type MessageOpcode = 'sendmsg' | 'sendmsg_zc';

const messageEntry = (fd: number, to: SocketAddress, opcode: MessageOpcode, flags = 0): Struct =>
  entryOf({ opcode, fd, flags }).pointer(16, messageHeader({ to })).u32(24, 1);

const sendEntry = (fd: number, to: SocketAddress, opcode: 'send' | 'send_zc'): Struct =>
  entryOf({ opcode, fd })
    .pointer(8, { sockaddr: to })
    .pointer(16, Struct.of('x'))
    .u32(24, 1)
    .u16(44, sockaddrSize(to));

async function withRing<T>(
  { caller }: Attempt,
  flags: number,
  body: (ring: Ring) => Promise<T>,
): Promise<T> {
  const ring = await Ring.create(caller, flags);
  try {
    return await body(ring);
  } finally {
    await ring.close();
  }
}

const peer = ({ end }: Attempt): SocketAddress => ({ address: end.v4, port: PORT });

/** One entry on a new socket. */
export const byRing =
  (
    type: 'stream' | 'dgram',
    setup: number,
    entry: (fd: number, to: SocketAddress) => Struct,
    to: (attempt: Attempt) => SocketAddress = peer,
  ) =>
  (attempt: Attempt): Promise<Outcome> =>
    withSocket(attempt, 'inet', type, (fd) =>
      withRing(attempt, setup, async (ring) => {
        const [said = 'nothing'] = await ring.run(entry(fd, to(attempt)));
        return { said };
      }),
    );

interface Way {
  readonly title: string;
  readonly setup: number;
  readonly flags: number;
}

/** Who makes the call. */
const WAYS: readonly Way[] = [
  { title: 'io_uring', setup: SETUP.plain, flags: 0 },
  { title: 'io_uring with IOSQE_ASYNC', setup: SETUP.plain, flags: ENTRY.async },
  { title: 'io_uring with SQPOLL', setup: SETUP.sqpoll, flags: 0 },
  { title: 'io_uring with SQPOLL and IOSQE_ASYNC', setup: SETUP.sqpoll, flags: ENTRY.async },
];

const plainly = (way: Way): readonly Technique[] => [
  {
    name: `${way.title}, connect`,
    chain: 'CONNECT',
    as: BOTH,
    expected: 'EPERM',
    attempt: byRing('stream', way.setup, (fd, to) => connectEntry(fd, to, way.flags)),
  },
  {
    name: `${way.title}, sendmsg`,
    chain: 'SENDTO',
    as: BOTH,
    expected: 'EPERM',
    attempt: byRing('dgram', way.setup, (fd, to) => messageEntry(fd, to, 'sendmsg', way.flags)),
  },
];

/** A connect that waits in the ring while its task is moved to the end's group. */
async function connectAfterMove({ scene, role, end }: Attempt, setup: number): Promise<Outcome> {
  const from = end.name === 'refused' ? 'friend' : 'guest';
  const to = end.name === 'refused' ? 'guest' : 'friend';
  const caller = await scene.policed(role, from);
  try {
    const ring = await Ring.create(caller, setup);
    const fd = await caller.socket('inet', 'stream');
    // Of the friend's leave the twin needs all: the address is the refused one.
    const peer = { address: scene.ends.refused.v4, port: PORT };
    const wait = entryOf({ opcode: 'timeout', fd: -1, flags: ENTRY.hardlink });
    wait.pointer(16, new Struct(16).u64(8, 200_000_000)).u32(24, 1);
    await ring.submit(wait, connectEntry(fd, peer));
    scene.move(caller, to);
    const [, said = 'nothing'] = await ring.complete(2);
    return { said, arrived: (await scene.came(role, scene.ends.refused)) > 0 };
  } finally {
    await caller.stop();
  }
}

export const RINGS: Theme = {
  title: 'io_uring',
  techniques: [
    ...WAYS.flatMap(plainly),
    {
      name: 'io_uring, send with an address',
      chain: 'SENDTO',
      as: BOTH,
      expected: 'EPERM',
      attempt: byRing('dgram', SETUP.plain, (fd, to) => sendEntry(fd, to, 'send')),
    },
    {
      name: 'io_uring, send without copying',
      chain: 'SENDTO',
      as: BOTH,
      expected: 'EPERM',
      attempt: byRing('dgram', SETUP.plain, (fd, to) => sendEntry(fd, to, 'send_zc')),
    },
    {
      name: 'io_uring, sendmsg without copying',
      chain: 'SENDTO',
      as: BOTH,
      expected: 'EPERM',
      attempt: byRing('dgram', SETUP.plain, (fd, to) => messageEntry(fd, to, 'sendmsg_zc')),
    },
    {
      name: 'io_uring, sendmsg with MSG_FASTOPEN',
      chain: 'CONNECT',
      as: BOTH,
      expected: 'EPERM',
      attempt: byRing('stream', SETUP.plain, (fd, to) =>
        messageEntry(fd, to, 'sendmsg').u32(28, MSG_FASTOPEN),
      ),
    },
    {
      name: 'io_uring, bind',
      chain: 'BIND',
      as: BOTH,
      expected: 'EPERM',
      since: '6.11',
      attempt: (attempt) =>
        withSocket(attempt, 'inet', 'stream', (fd) =>
          withRing(attempt, SETUP.plain, async (ring) => {
            const to = { address: attempt.end.own.v4, port: PORT };
            const entry = entryOf({ opcode: 'bind', fd });
            const [said = 'nothing'] = await ring.run(
              entry.u64(8, sockaddrSize(to)).pointer(16, { sockaddr: to }),
            );
            const { address } = await attempt.caller.address(fd);
            return { said, arrived: address === to.address };
          }),
        ),
    },
    {
      name: 'io_uring, a connect that waits while its task is moved',
      chain: 'CONNECT',
      as: ['user'],
      expected: 'EPERM',
      note: 'judged by the group of the moment in which it is made',
      attempt: (attempt) => connectAfterMove(attempt, SETUP.plain),
    },
    {
      name: 'io_uring with SQPOLL, a connect that waits while its task is moved',
      chain: 'CONNECT',
      as: ['user'],
      expected: 'EPERM',
      attempt: (attempt) => connectAfterMove(attempt, SETUP.sqpoll),
    },
  ],
};
