/** Calls that would go elsewhere than to the address that their chain is shown. */
import {
  attachCgroup,
  close,
  createMap,
  exit,
  load,
  loadMapValue,
  loadProgram,
  lookup,
  movImm,
  openDirectory,
  R0,
  R1,
  R2,
  store,
} from '@sockfilter/bpf';
import type {
  Call,
  Caller,
  Descriptor,
  SocketFamily,
  SocketProtocol,
  SocketType,
} from '../harness/caller.js';
import { MSG_FASTOPEN } from '../harness/caller.js';
import { describeKernel } from '../harness/kernel.js';
import { Policy } from '../harness/policy.js';
import { Testbed } from '../harness/testbed.js';

const PORT = 700;
const LOOPBACK = '127.0.0.1';
/** The address of the device `dev1`, and what refuses it. */
const DEVICE = '10.77.0.1';
const LOOPBACK_ONLY = `-P CONNECT DROP
  -P SENDTO DROP
  -A CONNECT -d 127.0.0.0/8 -j ACCEPT
  -A CONNECT -d ::1 -j ACCEPT
  -A SENDTO -d 127.0.0.0/8 -j ACCEPT
  -A SENDTO -d ::1 -j ACCEPT`;

const hex = (text: string) => Buffer.from(text).toString('hex');
const bigEndian = (value: number) => value.toString(16).padStart(8, '0');

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

interface Way {
  readonly name: string;
  readonly family: 'inet' | 'inet6';
  readonly type: 'stream' | 'dgram';
  readonly protocol?: SocketProtocol;
  readonly calls: (address: string) => readonly Call[];
}

const connect = (address: string): Call => ({
  op: 'connect',
  fd: 'last',
  address: { address, port: PORT },
});
const sendto = (address: string, flags = 0): Call => ({
  op: 'sendto',
  fd: 'last',
  to: { address, port: PORT },
  flags,
});

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

describeKernel('what leads a call elsewhere', () => {
  let bed: Testbed;
  let policy: Policy;
  let user: Caller;
  let root: Caller;
  let server: Caller;
  let ears: { readonly stream: number; readonly dgram: number; readonly at: string }[];
  let ifindex: number;

  beforeAll(async () => {
    bed = await Testbed.create();
    policy = new Policy(bed.cgroups.path);
    const { network } = bed;
    await network.run('ip', 'link', 'add', 'dev1', 'type', 'veth', 'peer', 'name', 'dev2');
    await network.run('ip', 'addr', 'add', `${DEVICE}/24`, 'dev', 'dev1');
    for (const device of ['dev1', 'dev2']) await network.run('ip', 'link', 'set', device, 'up');
    for (const where of ['all', 'lo'])
      await network.run('sysctl', '-qw', `net.ipv6.conf.${where}.seg6_enabled=1`);
    ifindex = Number.parseInt(await network.run('ip', '-o', 'link', 'show', 'dev1'), 10);
    server = await bed.caller('server');
    user = await bed.caller('user', { uid: 65534, gid: 65534 });
    root = await bed.caller('root');
    ears = [];
    for (const at of [LOOPBACK, DEVICE]) {
      const stream = (await server.open('stream', { address: at, port: PORT })).fd;
      const dgram = (await server.open('dgram', { address: at, port: PORT })).fd;
      ears.push({ stream, dgram, at });
    }
  });
  afterAll(async () => {
    policy?.teardown();
    await bed?.close();
  });

  const socket = (family: SocketFamily, type: SocketType, protocol: SocketProtocol = 0): Call => ({
    op: 'socket',
    family,
    type,
    protocol,
  });
  const said = async (caller: Caller, calls: readonly Call[]): Promise<string> => {
    const results = await caller.batch([...calls, { op: 'close', fd: 'last' }]);
    const failed = results.find(({ errno }) => errno !== undefined && errno !== 'EINPROGRESS');
    return failed?.errno ?? 'ok';
  };
  /** The addresses at which something has arrived since it was asked last. */
  const heard = async (): Promise<readonly string[]> => {
    const at: string[] = [];
    for (const { stream, dgram, at: address } of ears) {
      const connection = await server.acceptWithin(stream, 30);
      const datagram = await server.recvWithin(dgram, 30);
      if (connection.errno === undefined) await server.close(connection.value ?? -1);
      if (connection.errno === undefined || datagram.errno === undefined) at.push(address);
    }
    return at;
  };

  describe('the unspecified IPv4 address with an output device', () => {
    const DEVICES: readonly { readonly name: string; readonly set: () => readonly Call[] }[] = [
      {
        name: 'SO_BINDTODEVICE',
        set: () => [{ op: 'setsockopt', fd: 'last', level: 1, name: 25, value: hex('dev1\0') }],
      },
      {
        name: 'SO_BINDTOIFINDEX',
        set: () => [{ op: 'setsockopt', fd: 'last', level: 1, name: 62, value: ifindex }],
      },
      {
        name: 'IP_UNICAST_IF',
        set: () => [
          { op: 'setsockopt', fd: 'last', level: 0, name: 50, value: bigEndian(ifindex) },
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
      policy.enforce(LOOPBACK_ONLY);
      const attempt = [begin, ...device.set(), ...way.calls(zero)];
      expect(await said(user, attempt)).toBe(isIgnored ? 'ok' : 'EPERM');
      expect(await heard()).toEqual(isIgnored ? [LOOPBACK] : []);
      expect(await said(user, [begin, ...way.calls(zero)])).toBe('ok');
      expect(await heard()).toEqual([LOOPBACK]);
      policy.enforce('');
      expect(await said(user, attempt)).toBe('ok');
      expect(await heard()).toEqual([isIgnored ? LOOPBACK : DEVICE]);
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
      policy.enforce(LOOPBACK_ONLY);
      expect(await said(user, attempt(ifindex))).toBe('EPERM');
      expect(await heard()).toEqual([]);
      expect(await said(user, attempt(0))).toBe('ok');
      expect(await heard()).toEqual([LOOPBACK]);
      policy.enforce('');
      expect(await said(user, attempt(ifindex))).toBe('ok');
      expect(await heard()).toEqual([DEVICE]);
    });

    test('a source makes the device irrelevant, and is judged', async () => {
      const attempt: readonly Call[] = [
        socket('inet', 'dgram'),
        { op: 'setsockopt', fd: 'last', level: 1, name: 25, value: hex('dev1\0') },
        { op: 'bind', fd: 'last', address: { address: DEVICE, port: 0 } },
        connect('0.0.0.0'),
      ];
      policy.enforce(LOOPBACK_ONLY);
      expect(await said(user, attempt)).toBe('EPERM');
      policy.enforce(`-P CONNECT DROP\n-A CONNECT -d ${DEVICE} -j ACCEPT`);
      expect(await said(user, attempt)).toBe('ok');
    });
  });

  describe('what was judged is what the kernel is told', () => {
    /** What a program that runs after ours finds as the address of a call: four words. */
    const toldOf = async (
      attach: 'inet4_connect' | 'inet6_connect' | 'udp4_sendmsg',
      calls: readonly Call[],
    ): Promise<string> => {
      const words = attach === 'inet6_connect' ? [8, 12, 16, 20] : [4];
      const map = createMap({
        type: 'array',
        name: 'told',
        keySize: 4,
        valueSize: 16,
        maxEntries: 1,
      });
      const program = loadProgram(
        {
          name: 'told',
          type: 'cgroup_sock_addr',
          expectedAttachType: attach,
          license: 'GPL',
          items: [
            loadMapValue(R2, 'told', 0),
            ...words.flatMap((at, n) => [load(4, R0, R1, at), store(4, R2, 4 * n, R0)]),
            movImm(R0, 1),
            exit(),
          ],
        },
        { told: map },
      );
      const cgroup = openDirectory(bed.cgroups.root);
      const link = attachCgroup(program, cgroup, attach);
      try {
        expect(await said(user, calls)).toBe('ok');
        const value = lookup(map, new Uint8Array(4), 16);
        return Buffer.from(value ?? []).toString('hex', 0, 4 * words.length);
      } finally {
        for (const fd of [link, cgroup, program, map]) close(fd);
      }
    };

    test.each([
      ['inet4_connect', 'inet', 'dgram', connect('0.0.0.0'), '7f000001', '00000000'],
      ['inet4_connect', 'inet', 'stream', connect('0.0.0.0'), '7f000001', '00000000'],
      ['udp4_sendmsg', 'inet', 'dgram', sendto('0.0.0.0'), '7f000001', '00000000'],
      [
        'inet6_connect',
        'inet6',
        'dgram',
        connect('::ffff:0.0.0.0'),
        '00000000000000000000ffff7f000001',
        '00000000000000000000ffff00000000',
      ],
      ['inet6_connect', 'inet6', 'dgram', connect('::'), `${'0'.repeat(31)}1`, '0'.repeat(32)],
    ] as const)('%s, %s %s', async (attach, family, type, call, judged, asked) => {
      policy.enforce(LOOPBACK_ONLY);
      expect(await toldOf(attach, [socket(family, type), call])).toBe(judged);
      // A chain that can refuse nothing changes nothing.
      policy.enforce('');
      expect(await toldOf(attach, [socket(family, type), call])).toBe(asked);
    });

    test('the address that a socket is bound to', async () => {
      policy.enforce(`-P CONNECT DROP\n-A CONNECT -d 10.9.9.2 -j ACCEPT`);
      const bound = (family: 'inet' | 'inet6', address: string, to: string): readonly Call[] => [
        socket(family, 'dgram'),
        { op: 'bind', fd: 'last', address: { address, port: 0 } },
        connect(to),
      ];
      expect(await toldOf('inet4_connect', bound('inet', '10.9.9.2', '0.0.0.0'))).toBe('0a090902');
      policy.enforce(LOOPBACK_ONLY);
      const mapped = bound('inet6', '::ffff:10.9.9.2', '::');
      expect(await toldOf('inet6_connect', mapped)).toBe('00000000000000000000ffff7f000001');
    });
  });

  describe('a connected datagram socket that sends with a control message', () => {
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
      policy.enforce(`-P SENDTO DROP\n-P CONNECT DROP\n-A CONNECT -d ${peer} -j ACCEPT`);
      const ear = await server.open('dgram', { address: peer, port: 701 });
      const send = { op: 'sendmsg', fd: 'last', ...message } as const;
      const begin: readonly Call[] = [
        socket(family, 'dgram'),
        { op: 'connect', fd: 'last', address: { address: peer, port: 701 } },
      ];
      expect(await said(user, [...begin, send])).toBe('ok');
      expect(await server.recvWithin(ear.fd)).toMatchObject({ data: 'x' });
      // A send that names an address is judged as before, also if it names what the socket has.
      for (const address of [peer, family === 'inet' ? '0.0.0.0' : '::'])
        expect(await said(user, [...begin, { ...send, to: { address, port: 701 } }])).toBe('EPERM');
      expect((await server.recvWithin(ear.fd, 30)).errno).toBe('timeout');
      await server.close(ear.fd);
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
      policy.enforce('-P SENDTO DROP');
      expect(await said(user, send())).toBe('EPERM');
      policy.enforce(`-P SENDTO DROP
        -A SENDTO -s ${from} -d ${peer} -p udp --dport ${PORT} -j ACCEPT`);
      expect(await said(user, send())).toBe('ok');
      expect(policy.counted().filter((line) => line.startsWith('SENDTO'))).toEqual(['SENDTO 1: 1']);
      await heard();
      // Port 0 with an address is no send without one.
      expect(await said(user, send(peer))).toBe('EINVAL');
    });

    test('AF_UNSPEC on an IPv6 socket is no address', async () => {
      policy.enforce('-P SENDTO DROP');
      const to = { address: 'fd00:9::1', port: 701, family: 'unspec' } as const;
      const control = [{ level: 41, type: 67, value: 2 }];
      const send: Call = { op: 'sendmsg', fd: 'last', to, control };
      const ear = await server.open('dgram', { address: '::1', port: 701 });
      const peer = { address: '::1', port: 701 };
      const begin: readonly Call[] = [socket('inet6', 'dgram')];
      expect(await said(user, [...begin, send])).toBe('EDESTADDRREQ');
      const connected: Call = { op: 'connect', fd: 'last', address: peer };
      expect(await said(user, [...begin, connected, send])).toBe('ok');
      expect(await server.recvWithin(ear.fd)).toMatchObject({ data: 'x' });
      await server.close(ear.fd);
    });
  });

  describe('routes that a socket or a message brings along', () => {
    const setOn = (
      fd: Descriptor,
      option: { readonly level: number; readonly name: number },
      value: string,
    ): Call => ({ op: 'setsockopt', fd, ...option, value });
    const set = (option: { readonly level: number; readonly name: number }, value: string): Call =>
      setOn('last', option, value);

    test('IPV6_RTHDR: setting it, and calls of a socket that has it', async () => {
      const ear = await server.open('dgram', { address: 'fd00:9::1', port: PORT });
      await server.call({ op: 'setsockopt', fd: ear.fd, level: 17, name: 102, value: 1 });
      const arrived = async () => (await server.recvWithin(ear.fd, 50)).errno === undefined;
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
      policy.enforce('');
      for (const calls of attempts) {
        expect(await said(user, [...begin, ...calls])).toBe('ok');
        expect(await arrived()).toBe(true);
      }
      // Set before the policy.
      const early = (await user.batch([...begin, route]))[0]?.value ?? -1;
      const plain = await user.socket('inet6', 'dgram');
      policy.enforce(LOOPBACK_ONLY);
      for (const calls of attempts) {
        expect(await said(user, [...begin, ...calls])).toBe('EPERM');
        expect(await arrived()).toBe(false);
      }
      const to = { address: '::1', port: PORT };
      expect(await user.sendto(early, to)).toBe('EPERM');
      expect(await user.connect(early, to)).toBe('EPERM');
      expect(await user.sendto(plain, to)).toBe('ok');
      expect(await user.connect(plain, to)).toBe('ok');
      // Taking it away is no harm.
      expect(await user.call(setOn(early, IPV6_RTHDR, ''))).toEqual({ value: 0 });
      expect(await user.sendto(early, to)).toBe('ok');
      expect(await arrived()).toBe(false);
      await user.close(early);
      await user.close(plain);
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
      policy.enforce('');
      for (const calls of attempts(sourceRoute(type))) expect(await said(root, calls)).toBe('ok');
      const early = [
        await root.batch([socket('inet', 'dgram'), route]),
        await root.batch([socket('inet6', 'stream'), route]),
      ].map(([made]) => made?.value ?? -1);
      policy.enforce(LOOPBACK_ONLY);
      for (const calls of attempts(sourceRoute(type)))
        expect(await said(root, calls)).toBe('EPERM');
      const [dgram = -1, stream = -1] = early;
      expect(await root.sendto(dgram, to.to)).toBe('EPERM');
      expect(await root.connect(dgram, to.to)).toBe('EPERM');
      expect(await root.connect(stream, { ...to.to, address: `::ffff:${LOOPBACK}` })).toBe('EPERM');
      for (const fd of early) await root.close(fd);
      // Other options pass.
      await heard();
      for (const calls of attempts(RECORD_ROUTE)) expect(await said(root, calls)).toBe('ok');
      expect(await heard()).toEqual([LOOPBACK]);
      while ((await heard()).length > 0);
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
      policy.enforce('-P BIND DROP\n-P ACCEPT DROP');
      for (const [name, call] of attempts())
        expect([name, await said(user, [socket('inet6', 'dgram'), call])]).not.toEqual([
          name,
          'EPERM',
        ]);
      for (const rules of ['-P SENDTO DROP', '-P CONNECT DROP']) {
        policy.enforce(rules);
        for (const [name, call, expected] of attempts())
          expect([name, await said(user, [socket('inet6', 'dgram'), call])]).toEqual([
            name,
            expected,
          ]);
      }
    });

    test('flow labels: more than the hook looks through are refused', async () => {
      policy.enforce(LOOPBACK_ONLY);
      const fd = await root.socket('inet6', 'dgram');
      const to = { address: '::1', port: PORT };
      for (let n = 1; n <= 9; n++) {
        const value = flowLabel(0x54300 + n).toString('hex');
        expect(await root.call({ op: 'setsockopt', fd, ...IPV6_FLOWLABEL_MGR, value })).toEqual({
          value: 0,
        });
        expect(await root.sendto(fd, to)).toBe(n <= 8 ? 'ok' : 'EPERM');
      }
      policy.enforce('');
      expect(await root.sendto(fd, to)).toBe('ok');
      await root.close(fd);
    });
  });
});
