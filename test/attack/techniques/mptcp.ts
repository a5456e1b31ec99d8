/** Further subflows of MPTCP, which the kernel's path manager opens: a peer that joins, and one that is joined. */
import type { Caller, SocketAddress } from '../../harness/caller.js';
import { requireValue } from '../moves.js';
import type { Attempt, Outcome, Role, Technique, Theme } from '../technique.js';

const BOTH: readonly Role[] = ['user', 'root'];

const OWN = { address: '10.9.9.3', port: 7001 };
const PORT = 4010;

/** How many joins have come to a listener, and how many have been completed. */
async function joins({ scene, role }: Attempt): Promise<{ syn: number; ack: number }> {
  const lines = (await scene.run(role, 'cat /proc/net/netstat')).split('\n');
  const [names = [], values = []] = lines
    .filter((line) => line.startsWith('MPTcpExt:'))
    .map((line) => line.split(' '));
  const of = (name: string) => Number(values[names.indexOf(name)] ?? 0);
  return { syn: of('MPJoinSynRx'), ack: of('MPJoinAckRx') };
}

interface Join {
  /** The listener, at all addresses; where the first subflow goes; and who connects, from where. */
  readonly listener: (attempt: Attempt) => Promise<Caller>;
  readonly to: (attempt: Attempt) => SocketAddress & { readonly port: number };
  readonly peer: (attempt: Attempt) => Promise<Caller>;
  readonly from: (attempt: Attempt) => string;
  /** The further address of one of the two, and what becomes of it: `signal` or `subflow`. */
  readonly endpoint: (attempt: Attempt) => string;
}

const WAIT_MS = 20;

/** Connects, sends, and waits for the path manager to join. */
const join =
  (how: Join) =>
  async (attempt: Attempt): Promise<Outcome> => {
    const { scene, role } = attempt;
    const [listener, peer] = [await how.listener(attempt), await how.peer(attempt)];
    const to = how.to(attempt);
    const limits = 'ip mptcp limits set subflow 2 add_addr_accepted 2';
    await scene.run(role, `${limits}; ip mptcp endpoint add ${how.endpoint(attempt)}`);
    const listening = await listener.open('stream', { address: '0.0.0.0', port: to.port }, 'mptcp');
    const fd = await peer.socket('inet', 'stream', 'mptcp');
    try {
      const before = await joins(attempt);
      requireValue(
        await peer.call({ op: 'bind', fd, address: { address: how.from(attempt) } }),
        'bind',
      );
      const connected = await peer.connectAndWait(fd, to, 1000);
      if (connected !== 'connected') throw new Error(`the first subflow: ${connected}`);
      const accepted = requireValue(await listener.acceptWithin(listening.fd, 1000), 'accept');
      // The path manager begins when the connection is fully established: data both ways.
      for (const [who, of] of [
        [peer, fd],
        [listener, accepted],
      ] as const)
        requireValue(await who.call({ op: 'send', fd: of }), 'send');
      const came = async (rounds: number): Promise<boolean> => {
        const after = await joins(attempt);
        if (after.ack > before.ack) return true;
        if (rounds === 0) return false;
        await new Promise((resolve) => setTimeout(resolve, WAIT_MS));
        return came(rounds - 1);
      };
      const arrived = await came(5);
      await listener.close(accepted);
      return { said: arrived ? 'ok' : 'silence', arrived };
    } finally {
      await peer.close(fd);
      await listener.close(listening.fd);
      await scene.run(role, 'ip mptcp endpoint flush');
    }
  };

const row = (name: string, how: Join, more: Pick<Technique, 'chain'>): Technique => ({
  name,
  as: BOTH,
  expected: 'silence',
  ...more,
  attempt: join(how),
});

/** The server announces a further address, to which the policed client then connects. */
export const ANNOUNCED = row(
  'a connection whose server announces another address',
  {
    listener: ({ scene, role }) => scene.stranger(role),
    to: ({ scene }) => ({ address: scene.ends.allowed.v4, port: PORT }),
    peer: async ({ caller }) => caller,
    from: ({ scene }) => scene.ends.allowed.own.v4,
    endpoint: ({ end }) => `${end.device.v4} signal`,
  },
  { chain: 'CONNECT' },
);

export const MPTCP: Theme = {
  title: 'Further subflows of MPTCP',
  techniques: [
    ANNOUNCED,
    row(
      'a peer that joins from another address',
      {
        listener: async ({ caller }) => caller,
        to: () => OWN,
        peer: ({ scene, role }) => scene.stranger(role),
        from: ({ scene }) => scene.ends.allowed.device.v4,
        endpoint: ({ end }) => `${end.v4} subflow`,
      },
      { chain: 'ACCEPT' },
    ),
  ],
};
