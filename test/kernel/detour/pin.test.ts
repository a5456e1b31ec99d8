/** What an unspecified address was judged as is written into the call. */
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
import type { Call } from '../../harness/caller.js';
import { describeKernel } from '../../harness/kernel.js';
import { connect, LOOPBACK_ONLY, Scene, said, sendto, socket } from './scene.js';

describeKernel('what was judged is what the kernel is told', () => {
  let scene: Scene;
  beforeAll(async () => {
    scene = await Scene.create();
  });
  afterAll(() => scene?.close());

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
    const cgroup = openDirectory(scene.bed.cgroups.root);
    const link = attachCgroup(program, cgroup, attach);
    try {
      expect(await said(scene.user, calls)).toBe('ok');
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
    scene.policy.enforce(LOOPBACK_ONLY);
    expect(await toldOf(attach, [socket(family, type), call])).toBe(judged);
    // A chain that can refuse nothing changes nothing.
    scene.policy.enforce('');
    expect(await toldOf(attach, [socket(family, type), call])).toBe(asked);
  });

  test('the address that a socket is bound to', async () => {
    scene.policy.enforce(`-P CONNECT DROP\n-A CONNECT -d 10.9.9.2 -j ACCEPT`);
    const bound = (family: 'inet' | 'inet6', address: string, to: string): readonly Call[] => [
      socket(family, 'dgram'),
      { op: 'bind', fd: 'last', address: { address, port: 0 } },
      connect(to),
    ];
    expect(await toldOf('inet4_connect', bound('inet', '10.9.9.2', '0.0.0.0'))).toBe('0a090902');
    scene.policy.enforce(LOOPBACK_ONLY);
    const mapped = bound('inet6', '::ffff:10.9.9.2', '::');
    expect(await toldOf('inet6_connect', mapped)).toBe('00000000000000000000ffff7f000001');
  });
});
