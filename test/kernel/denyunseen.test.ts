/** Sockets whose calls no hook sees, made under `--deny-unseen`. */
import { printSave } from '@sockfilter/iptables';
import type { SocketFamily, SocketProtocol, SocketType } from '../harness/caller.js';
import { describeKernel } from '../harness/kernel.js';
import { Policy, tableOf } from '../harness/policy.js';
import { Testbed } from '../harness/testbed.js';

interface Made {
  readonly type: SocketType;
  readonly protocol: SocketProtocol;
}

const DCCP = 33;
const L2TP = 115;
const SOCK_DCCP = 6;
const SMC = 256;
const AF_NETLINK = 16;
const AF_PACKET = 17;

/** What is refused if the kernel has it. */
const UNSEEN: readonly Made[] = [
  { type: 'raw', protocol: 'icmp' },
  { type: 'raw', protocol: 'tcp' },
  { type: 'raw', protocol: 255 },
  { type: 'dgram', protocol: 'udplite' },
  { type: 'stream', protocol: 'sctp' },
  { type: 'seqpacket', protocol: 'sctp' },
  { type: SOCK_DCCP, protocol: DCCP },
  { type: 'dgram', protocol: L2TP },
  { type: 'stream', protocol: SMC },
];

/** What the hooks see. */
const SEEN: readonly Made[] = [
  { type: 'stream', protocol: 0 },
  { type: 'stream', protocol: 'tcp' },
  { type: 'stream', protocol: 'mptcp' },
  { type: 'dgram', protocol: 0 },
  { type: 'dgram', protocol: 'udp' },
];

/** What is no business of the table's. */
const OTHERS: readonly (Made & { readonly family: SocketFamily })[] = [
  { family: 1, type: 'stream', protocol: 0 },
  { family: 1, type: 'dgram', protocol: 0 },
  { family: AF_NETLINK, type: 'raw', protocol: 0 },
  { family: AF_PACKET, type: 'raw', protocol: 0 },
];

describeKernel('--deny-unseen', () => {
  let bed: Testbed;
  let policy: Policy;
  beforeAll(async () => {
    bed = await Testbed.create();
    bed.cgroups.child('policed');
    policy = new Policy(bed.cgroups.childPath('policed'));
  });
  afterAll(async () => {
    policy?.teardown();
    await bed?.close();
  });

  test('refuses what no hook sees, and nothing else', async () => {
    const inside = await bed.caller('policed/guest');
    const outside = await bed.caller('outside');
    await bed.network.run('sh', '-c', 'echo "0 0" > /proc/sys/net/ipv4/ping_group_range');
    const make = async (who: typeof inside, family: SocketFamily, { type, protocol }: Made) => {
      const { value, errno } = await who.call({ op: 'socket', family, type, protocol });
      if (value !== undefined) await who.close(value);
      return errno ?? 'ok';
    };
    const families = ['inet', 'inet6'] as const;
    const all = async (who: typeof inside, made: readonly Made[]) => {
      const said: string[] = [];
      for (const family of families)
        for (const each of made) said.push(await make(who, family, each));
      return said;
    };

    policy.enforce('-P CONNECT DROP');
    const before = await all(inside, UNSEEN);
    expect(before.slice(0, 4)).toEqual(Array(4).fill('ok'));
    policy.enforce('--deny-unseen');
    // What the kernel does not have it says before it asks.
    const now = before.map((said) => (said === 'ok' ? 'EPERM' : said));
    expect(await all(inside, UNSEEN)).toEqual(now);
    expect(await all(outside, UNSEEN)).toEqual(before);
    expect(new Set(await all(inside, SEEN))).toEqual(new Set(['ok']));
    const ping = [
      await make(inside, 'inet', { type: 'dgram', protocol: 'icmp' }),
      await make(inside, 'inet6', { type: 'dgram', protocol: 'icmpv6' }),
    ];
    expect(ping).toEqual(['ok', 'ok']);
    for (const each of OTHERS) expect(await make(inside, each.family, each)).toBe('ok');

    expect(policy.status()?.hooks.find(({ name }) => name === 'sock_create')?.attached).toBe(true);
    policy.enforce('-P CONNECT DROP');
    expect(await all(inside, UNSEEN)).toEqual(before);
    expect(policy.status()?.hooks.find(({ name }) => name === 'sock_create')?.attached).toBe(false);
  });

  test('goes with the generation in force while another is on trial', async () => {
    const inside = await bed.caller('policed/guest');
    const raw = { op: 'socket', family: 'inet', type: 'raw', protocol: 'icmp' } as const;
    policy.enforce('--deny-unseen');
    const table = tableOf('-P CONNECT ACCEPT');
    policy.use((firewall) =>
      firewall.commit({ table, text: printSave(table), origins: [], confirmWithin: 3600 }),
    );
    expect((await inside.call(raw)).errno).toBeUndefined();
    policy.use((firewall) => firewall.abort());
    expect((await inside.call(raw)).errno).toBe('EPERM');
  });
});
