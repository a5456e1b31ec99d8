/** Source routes and routing headers, as options of sockets and in messages. */
import type { Call, Descriptor } from '../../harness/caller.js';
import { describeKernel } from '../../harness/kernel.js';
import { connect, LOOPBACK, LOOPBACK_ONLY, PORT, Scene, said, sendto, socket } from './scene.js';

/** IPv4 options: a route by way of one host. */
const sourceRoute = (type: 131 | 137) => Buffer.from([1, type, 7, 4, 10, 9, 9, 1]).toString('hex');
const RECORD_ROUTE = Buffer.from([7, 7, 4, 0, 0, 0, 0, 0]).toString('hex');
/** A routing header of type 4 with the segment fd00:9::1 and none left. */
const ROUTING_HEADER = `0002040000000000fd000009${'0'.repeat(23)}1`;

/** struct in6_flowlabel_req: to ::1, IPV6_FL_A_GET, shared by any, IPV6_FL_F_CREATE. */
function flowLabel(label: number): Buffer {
  const request = Buffer.alloc(32);
  request.writeUInt8(1, 15);
  request.writeUInt32BE(label, 16);
  request.set([0, 255, 1, 0], 20);
  return request;
}

const IP_OPTIONS = { level: 0, name: 4 };
const IPV6_RTHDR = { level: 41, name: 57 };
const IPV6_2292PKTOPTIONS = { level: 41, name: 6 };
const IPV6_FLOWLABEL_MGR = { level: 41, name: 32 };
const UDP_NO_CHECK6 = [101, 102].map((name) => ({ level: 17, name, value: 1 }));

describeKernel('routes that a socket or a message brings along', () => {
  let scene: Scene;
  beforeAll(async () => {
    scene = await Scene.create();
  });
  afterAll(() => scene?.close());

  const setOn = (
    fd: Descriptor,
    option: { readonly level: number; readonly name: number },
    value: string,
  ): Call => ({ op: 'setsockopt', fd, ...option, value });
  const set = (option: { readonly level: number; readonly name: number }, value: string): Call =>
    setOn('last', option, value);

  test('IPV6_RTHDR: setting it, and calls of a socket that has it', async () => {
    const ear = await scene.server.open('dgram', { address: 'fd00:9::1', port: PORT });
    await scene.server.call({ op: 'setsockopt', fd: ear.fd, level: 17, name: 102, value: 1 });
    const arrived = async () => (await scene.server.recvWithin(ear.fd, 50)).errno === undefined;
    const begin: readonly Call[] = [
      socket('inet6', 'dgram'),
      ...UDP_NO_CHECK6.map((option): Call => ({ op: 'setsockopt', fd: 'last', ...option })),
    ];
    const route = set(IPV6_RTHDR, ROUTING_HEADER);
    const send: Call = { op: 'send', fd: 'last' };
    const attempts = [
      [route, sendto('::1')],
      [route, connect('::1'), send],
      [connect('::1'), route, send],
    ];
    scene.policy.enforce('');
    for (const calls of attempts) {
      expect(await said(scene.user, [...begin, ...calls])).toBe('ok');
      expect(await arrived()).toBe(true);
    }
    // Set before the policy.
    const early = (await scene.user.batch([...begin, route]))[0]?.value ?? -1;
    const plain = await scene.user.socket('inet6', 'dgram');
    scene.policy.enforce(LOOPBACK_ONLY);
    for (const calls of attempts) {
      expect(await said(scene.user, [...begin, ...calls])).toBe('EPERM');
      expect(await arrived()).toBe(false);
    }
    const to = { address: '::1', port: PORT };
    expect(await scene.user.sendto(early, to)).toBe('EPERM');
    expect(await scene.user.connect(early, to)).toBe('EPERM');
    expect(await scene.user.sendto(plain, to)).toBe('ok');
    expect(await scene.user.connect(plain, to)).toBe('ok');
    // Taking it away is no harm.
    expect(await scene.user.call(setOn(early, IPV6_RTHDR, ''))).toEqual({ value: 0 });
    expect(await scene.user.sendto(early, to)).toBe('ok');
    expect(await arrived()).toBe(false);
    await scene.user.close(early);
    await scene.user.close(plain);
  });

  test.each([
    ['LSRR', 131],
    ['SSRR', 137],
  ] as const)('IP_OPTIONS and IP_RETOPTS with %s', async (_, type) => {
    const route = set(IP_OPTIONS, sourceRoute(type));
    const message = (value: string): Call => ({
      op: 'sendmsg',
      fd: 'last',
      control: [{ level: 0, type: 7, value }],
    });
    const to = { to: { address: LOOPBACK, port: PORT } };
    const attempts = (value: string): readonly (readonly Call[])[] => [
      [socket('inet', 'dgram'), set(IP_OPTIONS, value), sendto(LOOPBACK)],
      [socket('inet', 'dgram'), connect(LOOPBACK), set(IP_OPTIONS, value)],
      [socket('inet', 'stream'), set(IP_OPTIONS, value), connect(LOOPBACK)],
      [socket('inet6', 'stream'), set(IP_OPTIONS, value), connect(`::ffff:${LOOPBACK}`)],
      [socket('inet', 'dgram'), { ...message(value), ...to }],
      [socket('inet', 'dgram'), connect(LOOPBACK), message(value)],
    ];
    scene.policy.enforce('');
    for (const calls of attempts(sourceRoute(type)))
      expect(await said(scene.root, calls)).toBe('ok');
    const early = [
      await scene.root.batch([socket('inet', 'dgram'), route]),
      await scene.root.batch([socket('inet6', 'stream'), route]),
    ].map(([made]) => made?.value ?? -1);
    scene.policy.enforce(LOOPBACK_ONLY);
    for (const calls of attempts(sourceRoute(type)))
      expect(await said(scene.root, calls)).toBe('EPERM');
    const [dgram = -1, stream = -1] = early;
    expect(await scene.root.sendto(dgram, to.to)).toBe('EPERM');
    expect(await scene.root.connect(dgram, to.to)).toBe('EPERM');
    expect(await scene.root.connect(stream, { ...to.to, address: `::ffff:${LOOPBACK}` })).toBe(
      'EPERM',
    );
    for (const fd of early) await scene.root.close(fd);
    // Other options pass.
    await scene.heard();
    for (const calls of attempts(RECORD_ROUTE)) expect(await said(scene.root, calls)).toBe('ok');
    expect(await scene.heard()).toEqual([LOOPBACK]);
    while ((await scene.heard()).length > 0);
  });

  test('other ways to a routing header, and what is none', async () => {
    const label = (bytes: number) => {
      const request = Buffer.alloc(bytes);
      flowLabel(0x12345).copy(request);
      return request.toString('hex');
    };
    const big = 'ff'.repeat(9000);
    const attempts = (): readonly (readonly [string, Call, string])[] => [
      ['IPV6_2292PKTOPTIONS', set(IPV6_2292PKTOPTIONS, ROUTING_HEADER), 'EPERM'],
      ['a flow label with options', set(IPV6_FLOWLABEL_MGR, label(56)), 'EPERM'],
      ['a flow label', set(IPV6_FLOWLABEL_MGR, label(32)), 'ok'],
      ['a routing header of 9,000 bytes', set(IPV6_RTHDR, big), 'EPERM'],
      ['another option of 9,000 bytes', set({ level: 1, name: 6 }, big), 'ok'],
      ['IPV6_RECVRTHDR', set({ level: 41, name: 56 }, '01000000'), 'ok'],
    ];
    scene.policy.enforce('-P BIND DROP\n-P ACCEPT DROP');
    for (const [name, call] of attempts())
      expect([name, await said(scene.user, [socket('inet6', 'dgram'), call])]).not.toEqual([
        name,
        'EPERM',
      ]);
    for (const rules of ['-P SENDTO DROP', '-P CONNECT DROP']) {
      scene.policy.enforce(rules);
      for (const [name, call, expected] of attempts())
        expect([name, await said(scene.user, [socket('inet6', 'dgram'), call])]).toEqual([
          name,
          expected,
        ]);
    }
  });

  test('flow labels: more than the hook looks through are refused', async () => {
    scene.policy.enforce(LOOPBACK_ONLY);
    const fd = await scene.root.socket('inet6', 'dgram');
    const to = { address: '::1', port: PORT };
    for (let n = 1; n <= 9; n++) {
      const value = flowLabel(0x54300 + n).toString('hex');
      expect(await scene.root.call({ op: 'setsockopt', fd, ...IPV6_FLOWLABEL_MGR, value })).toEqual(
        {
          value: 0,
        },
      );
      expect(await scene.root.sendto(fd, to)).toBe(n <= 8 ? 'ok' : 'EPERM');
    }
    scene.policy.enforce('');
    expect(await scene.root.sendto(fd, to)).toBe('ok');
    await scene.root.close(fd);
  });
});
