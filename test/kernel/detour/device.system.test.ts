/** Calls to the unspecified IPv4 address with an output device. */
import { type Call, MSG_FASTOPEN, type SocketProtocol } from '../../harness/caller.js';
import { describeKernel } from '../../harness/kernel.js';
import {
  connect,
  DEVICE,
  DEVICE_ONLY,
  LOOPBACK,
  LOOPBACK_ONLY,
  PORT,
  Scene,
  said,
  sendto,
  socket,
} from './scene.js';

const hex = (text: string) => Buffer.from(text).toString('hex');
const bigEndian = (value: number) => value.toString(16).padStart(8, '0');

interface Way {
  readonly name: string;
  readonly family: 'inet' | 'inet6';
  readonly type: 'stream' | 'dgram';
  readonly protocol?: SocketProtocol;
  readonly calls: (address: string) => readonly Call[];
}

const WAYS: readonly Way[] = (['inet', 'inet6'] as const).flatMap((family): readonly Way[] => [
  { name: 'tcp connect', family, type: 'stream', calls: (to) => [connect(to)] },
  {
    name: 'mptcp connect',
    family,
    type: 'stream',
    protocol: 'mptcp',
    calls: (to) => [connect(to)],
  },
  {
    name: 'tcp sendto with MSG_FASTOPEN',
    family,
    type: 'stream',
    calls: (to) => [sendto(to, MSG_FASTOPEN)],
  },
  {
    name: 'udp connect',
    family,
    type: 'dgram',
    // A send on an IPv6 socket that is connected to a mapped address is judged once more.
    calls: (to) => [connect(to), { op: 'send', fd: 'last' }],
  },
  { name: 'udp sendto', family, type: 'dgram', calls: (to) => [sendto(to)] },
]);

describeKernel('the unspecified IPv4 address with an output device', () => {
  let scene: Scene;
  beforeAll(async () => {
    scene = await Scene.create();
  });
  afterAll(() => scene?.close());

  const DEVICES: readonly { readonly name: string; readonly set: () => readonly Call[] }[] = [
    {
      name: 'SO_BINDTODEVICE',
      set: () => [{ op: 'setsockopt', fd: 'last', level: 1, name: 25, value: hex('dev1\0') }],
    },
    {
      name: 'SO_BINDTOIFINDEX',
      set: () => [{ op: 'setsockopt', fd: 'last', level: 1, name: 62, value: scene.ifindex }],
    },
    {
      name: 'IP_UNICAST_IF',
      set: () => [
        { op: 'setsockopt', fd: 'last', level: 0, name: 50, value: bigEndian(scene.ifindex) },
      ],
    },
  ];
  // MPTCP does not take IP_UNICAST_IF, and TCP takes no notice of it.
  const rows = DEVICES.flatMap((device) =>
    WAYS.filter(({ protocol }) => device.name !== 'IP_UNICAST_IF' || protocol !== 'mptcp').map(
      (way) => ({ device, way }),
    ),
  );

  test.each(rows)('$device.name, $way.name, $way.family', async ({ device, way }) => {
    const zero = way.family === 'inet' ? '0.0.0.0' : '::ffff:0.0.0.0';
    const begin = socket(way.family, way.type, way.protocol);
    const isIgnored = device.name === 'IP_UNICAST_IF' && way.type === 'stream';
    scene.policy.enforce(LOOPBACK_ONLY);
    const attempt = [begin, ...device.set(), ...way.calls(zero)];
    expect(await said(scene.user, attempt)).toBe(isIgnored ? 'ok' : 'EPERM');
    expect(await scene.heard()).toEqual(isIgnored ? [LOOPBACK] : []);
    expect(await said(scene.user, [begin, ...way.calls(zero)])).toBe('ok');
    expect(await scene.heard()).toEqual([LOOPBACK]);
    scene.policy.enforce(DEVICE_ONLY);
    expect(await said(scene.user, attempt)).toBe(isIgnored ? 'EPERM' : 'ok');
    expect(await scene.heard()).toEqual(isIgnored ? [] : [DEVICE]);
  });

  test.each([
    ['IP_PKTINFO', 'inet', '0.0.0.0', '0.0.0.0'],
    ['IP_PKTINFO on an IPv6 socket', 'inet6', '::ffff:0.0.0.0', '0.0.0.0'],
    ['IPV6_PKTINFO', 'inet6', '::ffff:0.0.0.0', '::ffff:0.0.0.0'],
  ] as const)('%s', async (_, family, address, from) => {
    const attempt = (index: number): readonly Call[] => [
      socket(family, 'dgram'),
      {
        op: 'sendmsg',
        fd: 'last',
        to: { address, port: PORT },
        from: { address: from, ifindex: index },
      },
    ];
    scene.policy.enforce(LOOPBACK_ONLY);
    expect(await said(scene.user, attempt(scene.ifindex))).toBe('EPERM');
    expect(await scene.heard()).toEqual([]);
    expect(await said(scene.user, attempt(0))).toBe('ok');
    expect(await scene.heard()).toEqual([LOOPBACK]);
    scene.policy.enforce(DEVICE_ONLY);
    expect(await said(scene.user, attempt(scene.ifindex))).toBe('ok');
    expect(await scene.heard()).toEqual([DEVICE]);
    expect(await said(scene.user, attempt(0))).toBe('EPERM');
  });

  test('a source makes the device irrelevant, and is judged', async () => {
    const attempt: readonly Call[] = [
      socket('inet', 'dgram'),
      { op: 'setsockopt', fd: 'last', level: 1, name: 25, value: hex('dev1\0') },
      { op: 'bind', fd: 'last', address: { address: DEVICE, port: 0 } },
      connect('0.0.0.0'),
    ];
    scene.policy.enforce(LOOPBACK_ONLY);
    expect(await said(scene.user, attempt)).toBe('EPERM');
    scene.policy.enforce(`-P CONNECT DROP\n-A CONNECT -d ${DEVICE} -j ACCEPT`);
    expect(await said(scene.user, attempt)).toBe('ok');
  });

  test('it is counted as what it is also where nothing is refused', async () => {
    scene.policy.enforce(`-A CONNECT -d ${DEVICE}`);
    const device: Call = {
      op: 'setsockopt',
      fd: 'last',
      level: 1,
      name: 62,
      value: scene.ifindex,
    };
    expect(await said(scene.user, [socket('inet', 'dgram'), device, connect('0.0.0.0')])).toBe(
      'ok',
    );
    expect(scene.policy.counted()).toContain('CONNECT 1: 1');
  });
});
