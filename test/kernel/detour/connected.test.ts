/** Sends of connected datagram sockets that come by the hook for their control message. */
import type { Call } from '../../harness/caller.js';
import { describeKernel } from '../../harness/kernel.js';
import { connect, LOOPBACK, PORT, Scene, said, socket } from './scene.js';

describeKernel('a connected datagram socket that sends with a control message', () => {
  let scene: Scene;
  beforeAll(async () => {
    scene = await Scene.create();
  });
  afterAll(() => scene?.close());

  const own = (address: string, ifindex = 0) => ({ from: { address, ifindex } });
  const MESSAGES = [
    ['IP_TOS', 'inet', LOOPBACK, { control: [{ level: 0, type: 1, value: 2 }] }],
    ['IP_TTL', 'inet', LOOPBACK, { control: [{ level: 0, type: 2, value: 9 }] }],
    ['IP_PKTINFO with its source', 'inet', LOOPBACK, own(LOOPBACK)],
    ['IP_PKTINFO with a device', 'inet', LOOPBACK, own('0.0.0.0', 1)],
    ['IPV6_TCLASS', 'inet6', '::1', { control: [{ level: 41, type: 67, value: 2 }] }],
    ['IPV6_HOPLIMIT', 'inet6', '::1', { control: [{ level: 41, type: 52, value: 9 }] }],
    ['IPV6_PKTINFO with its source', 'inet6', '::1', own('::1')],
  ] as const;

  test.each(MESSAGES)('%s', async (_, family, peer, message) => {
    scene.policy.enforce(`-P SENDTO DROP\n-P CONNECT DROP\n-A CONNECT -d ${peer} -j ACCEPT`);
    const ear = await scene.server.open('dgram', { address: peer, port: 701 });
    const send = { op: 'sendmsg', fd: 'last', ...message } as const;
    const begin: readonly Call[] = [
      socket(family, 'dgram'),
      { op: 'connect', fd: 'last', address: { address: peer, port: 701 } },
    ];
    expect(await said(scene.user, [...begin, send])).toBe('ok');
    expect(await scene.server.recvWithin(ear.fd)).toMatchObject({ data: 'x' });
    // A send that names an address is judged as before, also if it names what the socket has.
    for (const address of [peer, family === 'inet' ? '0.0.0.0' : '::'])
      expect(await said(scene.user, [...begin, { ...send, to: { address, port: 701 } }])).toBe(
        'EPERM',
      );
    expect((await scene.server.recvWithin(ear.fd, 30)).errno).toBe('timeout');
    await scene.server.close(ear.fd);
  });

  test.each([
    ['inet', LOOPBACK, '10.9.9.2'],
    ['inet6', '::1', 'fd00:9::2'],
  ] as const)('%s: a source of its own is judged, with the peer', async (family, peer, from) => {
    const send = (to?: string): readonly Call[] => [
      socket(family, 'dgram'),
      connect(peer),
      { op: 'sendmsg', fd: 'last', ...own(from), ...(to ? { to: { address: to } } : {}) },
    ];
    scene.policy.enforce('-P SENDTO DROP');
    expect(await said(scene.user, send())).toBe('EPERM');
    scene.policy.enforce(`-P SENDTO DROP
      -A SENDTO -s ${from} -d ${peer} -p udp --dport ${PORT} -j ACCEPT`);
    expect(await said(scene.user, send())).toBe('ok');
    expect(scene.policy.counted().filter((line) => line.startsWith('SENDTO'))).toEqual([
      'SENDTO 1: 1',
    ]);
    await scene.heard();
    // Port 0 with an address is no send without one.
    expect(await said(scene.user, send(peer))).toBe('EINVAL');
  });

  test('AF_UNSPEC on an IPv6 socket is no address', async () => {
    scene.policy.enforce('-P SENDTO DROP');
    const to = { address: 'fd00:9::1', port: 701, family: 'unspec' } as const;
    const control = [{ level: 41, type: 67, value: 2 }];
    const send: Call = { op: 'sendmsg', fd: 'last', to, control };
    const ear = await scene.server.open('dgram', { address: '::1', port: 701 });
    const peer = { address: '::1', port: 701 };
    const begin: readonly Call[] = [socket('inet6', 'dgram')];
    expect(await said(scene.user, [...begin, send])).toBe('EDESTADDRREQ');
    const connected: Call = { op: 'connect', fd: 'last', address: peer };
    expect(await said(scene.user, [...begin, connected, send])).toBe('ok');
    expect(await scene.server.recvWithin(ear.fd)).toMatchObject({ data: 'x' });
    await scene.server.close(ear.fd);
  });
});
