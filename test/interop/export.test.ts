/**
 * A table as a ruleset of nft: what the real nft makes of it, by real calls of processes in control groups. What it
 * lets through the table accepts; what nft can say it lets through all that the table accepts.
 */
import { execFileSync } from 'node:child_process';
import { exportNft } from '@sockfilter/interop';
import { parseSave } from '@sockfilter/iptables';
import { NO_NAMES } from '@sockfilter/language';
import { type BuiltinChain, evaluate, PROTOCOL, readAddress } from '@sockfilter/table';
import { PACKET } from '../arbitrary/ordinary.js';
import type { Caller } from '../harness/caller.js';
import { describeNft } from '../harness/nft.js';
import { Testbed } from '../harness/testbed.js';

function exported(lines: readonly string[]) {
  const text = `*socket\n${lines.join('\n')}\nCOMMIT\n`;
  const { table, document, diagnostics } = parseSave(text, 'x.rules', { names: NO_NAMES });
  expect(diagnostics).toEqual([]);
  const written = text.split('\n');
  const { text: ruleset, remarks } = exportNft(table, 'x.rules', (owner) => {
    const line =
      'matches' in owner
        ? (document.places.get(owner)?.rule.line ?? 1)
        : (document.chains.get(owner.name)?.line ?? 1);
    return { line, text: written[line - 1] ?? '' };
  });
  return { table, ruleset, remarks: remarks.map(({ line, fate }) => `${line} ${fate}`) };
}

test.each([
  ['-A BIND -d 10.0.0.5 -j DROP', '2 missing'],
  ['-A RECVFROM -s 10.0.0.5 -j DROP', '2 missing'],
  ['-A CONNECT -s 10.0.0.5 -j ACCEPT', '2 narrowed'],
  ['-A CONNECT -s 10.0.0.5 -j DROP', '2 narrowed'],
  ['-A CONNECT -m limit --limit 5/min -j ACCEPT', '2 narrowed'],
  ['-A CONNECT -m time --timestart 10:00 -j RETURN', '2 narrowed'],
  ['-A CONNECT -m socket --remote-port 80 -j DROP', '2 narrowed'],
  ['-A CONNECT -m owner --uid-owner 5 -j ACCEPT', '2 note'],
  ['-A ACCEPT -m owner --uid-owner 5 -j ACCEPT', '2 narrowed'],
])('%s is told', (rule, told) => {
  const { remarks, ruleset } = exported([rule]);
  expect(remarks).toContain(told);
  if (/-j DROP|-j RETURN/.test(rule) && told.endsWith('narrowed'))
    expect(ruleset).not.toMatch(/(saddr|th dport|limit).* reject/);
});

test('a group of a pattern that rules tell apart is refused', () => {
  const group = '-G box --id 3 --path "/system.slice/box-*.scope"';
  expect(exported([group, '-A CONNECT -m cgroup --id 3 -j DROP']).remarks).toContain('1 wider');
  expect(exported([group, '-A CONNECT -d 10.0.0.5 -j DROP']).remarks).not.toContain('1 wider');
});

/** nft looks for control groups in one place only. */
const LOAD = `mount --make-rprivate / && mount -t cgroup2 none /sys/fs/cgroup && exec nft -f -`;
const NSENTER = 'nsenter';

const GROUPS = { web: 3, 'web/api': 4, other: 0 } as const;
type Name = keyof typeof GROUPS;

describeNft('a table that was exported', () => {
  let bed: Testbed;
  let callers: Map<string, Caller>;
  beforeAll(async () => {
    bed = await Testbed.create();
    const entries = await Promise.all(
      Object.keys(GROUPS).map(async (name) => [name, await bed.caller(name)] as const),
    );
    callers = new Map(entries);
  });
  afterAll(() => bed?.close());

  function caller(name: Name): Caller {
    const found = callers.get(name);
    if (!found) throw new Error(name);
    return found;
  }

  test('lets through what the table accepts, by group', async () => {
    const { table, ruleset } = exported([
      ':ACCEPT DROP',
      ':local - [0:0]',
      `-G web --id 3 --path ${bed.cgroups.childPath('web')}`,
      `-G api --id 4 --path ${bed.cgroups.childPath('web/api')}`,
      '-A ACCEPT -m cgroup --id 3 -s 10.9.9.1 -j ACCEPT',
      '-A ACCEPT -m cgroup --id 4 -p tcp --dport 7002 -j ACCEPT',
      '-A ACCEPT -m cgroup --id 0 -j ACCEPT',
      '-A CONNECT -m cgroup --id 3 -j local',
      '-A CONNECT -m cgroup ! --id 3 -d 10.9.9.2 -p tcp -m multiport --dports 7001,7003 -j REJECT --reject-with ECONNREFUSED',
      '-A CONNECT -m cgroup --id 4 -p udp --dport 53 -j REJECT --reject-with EHOSTUNREACH',
      '-A SENDTO -m cgroup --id 4 -d fd00:9::1 -j DROP',
      '-A local -p udp -j RETURN',
      '-A local -m iprange --dst-range 10.9.9.1-10.9.9.1 -j RETURN',
      '-A local -j DROP',
    ]);
    execFileSync(
      NSENTER,
      [`--net=${bed.network.path}`, 'unshare', '--mount', '/bin/sh', '-ec', LOAD],
      { input: ruleset },
    );
    const verdict = (chain: BuiltinChain, name: Name, from: string, to: string, port: number) => {
      const family = to.includes(':') ? 6 : 4;
      const udp = chain === 'SENDTO' || port === 53;
      const value = (address: string) => readAddress(address)?.value ?? 0n;
      const call = {
        group: GROUPS[name],
        family,
        protocol: udp ? PROTOCOL.udp : PROTOCOL.tcp,
      } as const;
      return (
        evaluate(table, {
          ...PACKET,
          ...call,
          chain,
          flags: udp ? 0 : 2,
          source: from === '' ? 0n : value(from),
          destination: value(to),
          destinationPort: port,
        }).errno === 0
      );
    };
    const names = ['web', 'web/api', 'other'] as const;
    const seen = new Set<string>();
    for (const [at, owner] of names.entries()) {
      const port = 7001 + at;
      const listener = await caller(owner).open('stream', { address: '0.0.0.0', port });
      for (const name of names)
        for (const from of ['10.9.9.1', '10.9.9.2'])
          for (const to of ['10.9.9.1', '10.9.9.2']) {
            const socket = await caller(name).socket('inet', 'stream');
            await caller(name).bind(socket, { address: from, port: 0 });
            const result = await caller(name).connectAndWait(socket, { address: to, port });
            const connects = verdict('CONNECT', name, from, to, port);
            const accepts = verdict('ACCEPT', owner, from, to, port);
            const what = `${name} ${from} to ${owner} ${to}:${port}`;
            expect(`${what} ${result === 'connected'}`).toBe(`${what} ${connects && accepts}`);
            seen.add(`${connects} ${accepts}`);
            await caller(name).close(socket);
          }
      await caller(owner).close(listener.fd);
    }
    expect(seen.size).toBe(4);
    for (const name of names)
      for (const to of ['10.9.9.1', 'fd00:9::1']) {
        const socket = await caller(name).socket(to.includes(':') ? 'inet6' : 'inet', 'dgram');
        const receiver = await caller('other').open('dgram', { address: to, port: 53 });
        await caller(name).sendto(socket, { address: to, port: 53 });
        const { data } = await caller('other').recvWithin(receiver.fd);
        const isSent = (['CONNECT', 'SENDTO'] as const).every((chain) =>
          verdict(chain, name, '', to, 53),
        );
        expect(`${name} ${to} ${data !== undefined}`).toBe(`${name} ${to} ${isSent}`);
        await caller('other').close(receiver.fd);
        await caller(name).close(socket);
      }
  });
});
