/** What raw and ping sockets send, beside what test/attack tries. */
import { execFileSync } from 'node:child_process';
import type { Caller } from '../harness/caller.js';
import { describeKernel } from '../harness/kernel.js';
import { describeNft } from '../harness/nft.js';
import { Policy } from '../harness/policy.js';
import { Testbed } from '../harness/testbed.js';

/** Long enough to have a header of ICMP. */
const ECHO = '\x08\0\0\0\0\0\0\0';

describeKernel('packets that raw and ping sockets send', () => {
  let bed: Testbed;
  let policy: Policy;
  let guest: Caller;
  beforeAll(async () => {
    bed = await Testbed.create();
    bed.cgroups.child('policed');
    policy = new Policy(bed.cgroups.childPath('policed'));
    guest = await bed.caller('policed/guest');
  });
  afterAll(async () => {
    policy?.teardown();
    await bed?.close();
  });

  /** Sends a packet of the protocol by a raw socket, to an address. */
  async function send(address: string, protocol: number): Promise<string> {
    const fd = await guest.socket('inet', 'raw', protocol);
    try {
      return await guest.sendto(fd, { address }, ECHO);
    } finally {
      await guest.close(fd);
    }
  }

  const isLooking = () =>
    policy.status()?.hooks.some(({ name, attached }) => name === 'inet_egress' && attached);

  test('are looked at while a rule or the policy asks for them, and refused with EPERM', async () => {
    policy.enforce('-A SENDTO -p udp -j DROP\n-A CONNECT -j DROP');
    expect(isLooking()).toBe(false);
    expect(await send('127.0.0.1', 1)).toBe('ok');
    policy.enforce(
      [
        '-N sent',
        '-A SENDTO -p udp -j DROP',
        '-A SENDTO -j sent',
        '-A sent -p icmp -d 127.0.0.1 -j REJECT --reject-with EHOSTUNREACH',
        '-A sent -d 127.0.0.3 -m owner --uid-owner 0 -j DROP',
        '-A sent -p icmp -m limit --limit 1/day --limit-burst 2 -j ACCEPT',
        '-A sent -p icmp -j DROP',
      ].join('\n'),
    );
    expect(isLooking()).toBe(true);
    expect(await send('127.0.0.1', 1)).toBe('EPERM');
    expect([await send('127.0.0.3', 1), await send('127.0.0.3', 253)]).toEqual(['EPERM', 'EPERM']);
    const said: string[] = [];
    for (let n = 0; n < 3; n++) said.push(await send('127.0.0.2', 1));
    expect(said).toEqual(['ok', 'ok', 'EPERM']);
    // No rule is about it.
    expect(await send('127.0.0.2', 253)).toBe('ok');
    expect(policy.counted()).toEqual([
      'SENDTO 2: 7',
      'SENDTO policy: 1',
      'sent 1: 1',
      'sent 2: 2',
      'sent 3: 2',
      'sent 4: 1',
    ]);
  });

  test('the kernel’s own are not: the neighbours of a policed namespace find it', async () => {
    const through = ['unshare', '--net', '--'];
    const inside = await bed.caller('policed/guest', { through });
    const within = (network: string, ...lines: readonly string[]) =>
      execFileSync('nsenter', [`--net=${network}`, 'sh', '-ec', lines.join('\n')]);
    within(
      bed.network.path,
      `ip link add outer type veth peer name inner netns ${inside.pid}`,
      'ip -6 addr add fd00:55::1/64 dev outer nodad',
      'ip link set outer up',
    );
    within(
      `/proc/${inside.pid}/ns/net`,
      'ip -6 addr add fd00:55::2/64 dev inner nodad',
      'ip link set lo up',
      'ip link set inner up',
    );
    policy.enforce('-P SENDTO DROP');
    const address = { address: 'fd00:55::2', port: 7000 };
    const { fd } = await inside.open('dgram', address);
    const outside = await bed.caller('outside');
    const from = await outside.socket('inet6', 'dgram');
    // The link comes up meanwhile.
    let came = false;
    for (let n = 0; n < 50 && !came; n++) {
      await outside.sendto(from, address);
      came = (await inside.recvWithin(fd, 100)).errno === undefined;
    }
    expect(came).toBe(true);
    const own = await inside.socket('inet6', 'raw', 'icmpv6');
    expect(await inside.sendto(own, { address: 'fd00:55::1' }, ECHO)).toBe('EPERM');
  });

  describeNft('with nft', () => {
    test('are judged as NAT on output has made them', async () => {
      await bed.network.run('ip', 'link', 'set', 'lo', 'up');
      const rules = [
        'table ip sent {\nchain output {\ntype nat hook output priority -100;',
        'ip daddr 127.0.0.4 ip protocol icmp dnat to 127.0.0.5\n}\n}',
      ].join('\n');
      await bed.network.run('sh', '-c', `nft -f - <<'END'\n${rules}\nEND`);
      policy.enforce('-A SENDTO -d 127.0.0.4 -j DROP');
      expect(await send('127.0.0.4', 1)).toBe('ok');
      policy.enforce('-A SENDTO -d 127.0.0.5 -j DROP');
      expect(await send('127.0.0.4', 1)).toBe('EPERM');
    });
  });
});
