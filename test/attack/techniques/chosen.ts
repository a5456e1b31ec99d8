/**
 * Ports that the kernel chooses, from a range that the caller has narrowed to the one it wants; and a
 * control group that is gone. test/kernel/chosenport.test.ts has more of them.
 */
import { type Call, SOCKET_OPTION } from '../../harness/caller.js';
import { requireValue } from '../moves.js';
import type { Attempt, Outcome, Role, Technique, Theme } from '../technique.js';

const BOTH: readonly Role[] = ['user', 'root'];
const IP_LOCAL_PORT_RANGE = { level: 0, name: 51 } as const;
const ADDRESS = '10.9.9.3';

const fd = 'last';
const ANY = { address: '0.0.0.0' };
const listen: Call = { op: 'listen', fd };
const bind: Call = { op: 'bind', fd, address: ANY };
const option = (name: { readonly level: number; readonly name: number }, value: number): Call => ({
  op: 'setsockopt',
  fd,
  ...name,
  value,
});
const connect = ({ scene }: Attempt): Call => ({
  op: 'connect',
  fd,
  address: { address: scene.ends.allowed.v4, port: 4000 },
});
const dissolve: Call = { op: 'connect', fd, address: { ...ANY, family: 'unspec' } };
const send = ({ scene }: Attempt): Call => ({
  op: 'sendto',
  fd,
  to: { address: scene.ends.allowed.v4, port: 4000 },
});

type Calls = (attempt: Attempt) => readonly Call[];

/**
 * Makes the socket with the end's port as the only one to choose, and looks whether it is reached there.
 * `meanwhile` runs in between.
 */
const choose =
  (type: 'stream' | 'dgram', calls: Calls) =>
  async (attempt: Attempt, meanwhile = async () => {}): Promise<Outcome> => {
    const { scene, role, caller, end, patience } = attempt;
    const { port } = end.own;
    const [made, ...results] = await caller.batch([
      { op: 'socket', family: 'inet', type },
      option(IP_LOCAL_PORT_RANGE, port * 0x1_0001),
      ...calls(attempt),
    ]);
    const held = requireValue(made, 'socket');
    try {
      const failed = results.find(({ errno }) => errno !== undefined && errno !== 'EINPROGRESS');
      if (failed?.errno !== undefined) return { said: failed.errno, arrived: false };
      const at = await caller.address(held);
      if (at.port !== port) throw new Error(`the kernel chose ${at.port}`);
      await meanwhile();
      const peer = scene.ends.allowed.v4;
      await scene.reaches(role, type, { address: ADDRESS, port }, peer, 0, patience);
      const came =
        type === 'stream'
          ? await caller.acceptWithin(held, patience / 3)
          : await caller.recvWithin(held, patience / 3);
      if (type === 'stream' && came.value !== undefined) await caller.close(came.value);
      const arrived = came.errno === undefined;
      return { said: arrived ? 'ok' : 'silence', arrived };
    } finally {
      await caller.close(held);
    }
  };

const row = (
  name: string,
  expected: 'EPERM' | 'silence',
  type: 'stream' | 'dgram',
  calls: Calls,
): Technique => ({
  name: `IP_LOCAL_PORT_RANGE, ${name}`,
  chain: 'BIND',
  as: BOTH,
  expected,
  since: '6.3',
  attempt: (attempt) => choose(type, calls)(attempt),
});

const NO_PORT = option(SOCKET_OPTION.IP_BIND_ADDRESS_NO_PORT, 1);

export const CHOSEN: Theme = {
  title: 'Ports that the kernel chooses',
  techniques: [
    row('bind(2) to port 0', 'EPERM', 'stream', () => [bind, listen]),
    row('listen(2) without bind(2)', 'silence', 'stream', () => [listen]),
    row('IP_BIND_ADDRESS_NO_PORT and listen(2)', 'silence', 'stream', () => [
      NO_PORT,
      bind,
      listen,
    ]),
    row('connect(2) that is dissolved, and listen(2)', 'silence', 'stream', (attempt) => [
      connect(attempt),
      dissolve,
      listen,
    ]),
    row('bind(2) of UDP to port 0', 'EPERM', 'dgram', () => [bind]),
    row('a first send without bind(2)', 'silence', 'dgram', (attempt) => [send(attempt)]),
    {
      name: 'IP_LOCAL_PORT_RANGE, a listener of a control group that was removed',
      chain: 'BIND',
      as: ['root'],
      expected: 'silence',
      since: '6.3',
      note: 'judged by what its nearest ancestor has today',
      attempt: async (attempt) => {
        const { scene, role, end } = attempt;
        const caller = await scene.policed(role, end.group);
        const cgroup = scene.delegate(end.group, 'gone');
        requireValue(await caller.call({ op: 'moveTo', cgroup }), 'move');
        // Both ends want the port that only one of the two groups may have.
        const refused = scene.ends.refused;
        const own = { ...end, own: refused.own };
        const leave = async (): Promise<void> => {
          scene.move(caller, end.group);
          await scene.undelegate(end.group, 'gone');
        };
        try {
          return await choose('stream', () => [listen])({ ...attempt, caller, end: own }, leave);
        } finally {
          await caller.stop();
        }
      },
    },
  ],
};
