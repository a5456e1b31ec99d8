/** Units of systemd as rules: the same calls are allowed and refused. */
import { finishDraft, importUnit, type Remark } from '@sockfilter/interop';
import { parseSave } from '@sockfilter/iptables';
import { NO_NAMES } from '@sockfilter/language';
import { type BuiltinChain, evaluate, groupAt, PROTOCOL, readAddress } from '@sockfilter/table';
import { PACKET } from '../arbitrary/ordinary.js';
import { invariantFaults } from './invariants.js';

async function imported(text: string, ...dropIns: readonly string[]) {
  const sources = [text, ...dropIns].map((each, at) => ({
    name:
      at === 0
        ? '/etc/systemd/system/nginx.service'
        : `/etc/systemd/system/nginx.service.d/${at}.conf`,
    text: each,
  }));
  const draft = importUnit(sources, []);
  if ('fault' in draft) throw new Error(draft.fault);
  const { text: rules, remarks, invariants } = finishDraft(draft);
  expect(await invariantFaults(rules, invariants)).toEqual([]);
  const { table, diagnostics } = parseSave(rules, 'rules', { names: NO_NAMES });
  expect(diagnostics).toEqual([]);
  const group = groupAt(table.groups, '/system.slice/nginx.service')?.id ?? 0;
  return {
    remarks,
    invariants,
    /** Whether the unit's call is allowed, and that of others always. */
    allows: (chain: BuiltinChain, protocol: 'tcp' | 'udp', to: string, port: number): boolean => {
      const address = readAddress(to);
      if (!address) throw new Error(to);
      const inward = chain === 'ACCEPT' || chain === 'RECVFROM';
      const call = {
        ...PACKET,
        chain,
        family: address.family,
        protocol: PROTOCOL[protocol],
        flags: protocol === 'tcp' && chain !== 'BIND' ? 2 : 0,
        source: inward ? address.value : 0n,
        destination: inward ? 1n : address.value,
        destinationPort: port,
      };
      expect(evaluate(table, call).errno).toBe(0);
      return evaluate(table, { ...call, group }).errno === 0;
    },
  };
}

const told = (remarks: readonly Remark[], fate: Remark['fate']) =>
  remarks.filter((each) => each.fate === fate).map(({ text }) => text);

test.each([
  ['SocketBindDeny=any', 'tcp', 80, false],
  ['SocketBindAllow=tcp:80\nSocketBindDeny=any', 'tcp', 80, true],
  ['SocketBindAllow=tcp:80\nSocketBindDeny=any', 'udp', 80, false],
  ['SocketBindAllow=80-90\nSocketBindDeny=any', 'udp', 85, true],
  ['SocketBindAllow=ipv6:80\nSocketBindDeny=any', 'tcp', 80, false],
  ['SocketBindAllow=ipv4:tcp\nSocketBindDeny=any', 'tcp', 9000, true],
  ['SocketBindDeny=udp', 'udp', 53, false],
  ['SocketBindDeny=udp', 'tcp', 53, true],
  ['SocketBindDeny=ipv4:udp:1000-2000', 'udp', 1500, false],
  ['SocketBindAllow=tcp:80\nSocketBindDeny=any\nSocketBindDeny=', 'tcp', 81, true],
  ['SocketBindAllow=2000\nSocketBindDeny=any', 'tcp', 2000, true],
  ['SocketBindAllow=ipv6:2001-2002\nSocketBindDeny=any', 'tcp', 2001, false],
  ['SocketBindAllow=ipv4:6666\nSocketBindAllow=6667\nSocketBindDeny=any', 'tcp', 6667, true],
  ['SocketBindAllow=6666\nSocketBindAllow=\nSocketBindDeny=any', 'tcp', 6666, false],
  ['SocketBindAllow=any\nSocketBindDeny=any', 'tcp', 8888, true],
  ['SocketBindAllow=ipv6:tcp:8888-8889\nSocketBindDeny=any', 'tcp', 8888, false],
  ['SocketBindAllow=ipv4:tcp:8888-8889\nSocketBindDeny=any', 'tcp', 8889, true],
  ['SocketBindAllow=udp\nSocketBindDeny=any', 'tcp', 10000, false],
] as const)('%p, %s %s', async (settings, protocol, port, allowed) => {
  const { allows } = await imported(`[Service]\n${settings}\n`);
  expect(allows('BIND', protocol, '10.0.0.1', port)).toBe(allowed);
});

test('addresses, both ways and of both families', async () => {
  const { allows, invariants } = await imported(
    '[Service]\nIPAddressAllow=localhost 10.0.0.0/8\nIPAddressDeny=any\n',
  );
  for (const [chain, protocol] of [
    ['CONNECT', 'tcp'],
    ['SENDTO', 'udp'],
    ['ACCEPT', 'tcp'],
    ['RECVFROM', 'udp'],
  ] as const) {
    expect(allows(chain, protocol, '10.1.2.3', 80)).toBe(true);
    expect(allows(chain, protocol, '::1', 80)).toBe(true);
    expect(allows(chain, protocol, '192.0.2.1', 80)).toBe(false);
    expect(allows(chain, protocol, '2001:db8::1', 80)).toBe(false);
  }
  expect(allows('BIND', 'tcp', '192.0.2.1', 80)).toBe(true);
  expect(invariants).toHaveLength(1);
});

test('families, drop-ins, and settings that go on in the next line', async () => {
  const { allows, remarks } = await imported(
    '[Service]\nRestrictAddressFamilies=AF_UNIX \\\n  AF_INET\nIPAddressDeny=any\n',
    '[Service]\nIPAddressDeny=\nIPAddressDeny=192.0.2.0/24\nPrivateNetwork=yes\nExecStart=/x\n',
  );
  expect(allows('CONNECT', 'tcp', '2001:db8::1', 80)).toBe(false);
  expect(allows('CONNECT', 'tcp', '10.0.0.1', 80)).toBe(true);
  expect(allows('CONNECT', 'tcp', '192.0.2.7', 80)).toBe(false);
  expect(told(remarks, 'note')).toContain('PrivateNetwork=yes');
  expect(told(remarks, 'moot').join()).toContain('AF_UNIX');
});

test.each([
  ['SocketBindDeny=tcp:http', 'wider'],
  ['SocketBindAllow=tcp:http', 'narrowed'],
  ['IPAddressDeny=example.org', 'wider'],
  ["IPAddressDeny=10.0.0.1' -j ACCEPT", 'wider'],
  ['SocketBindDeny=70000', 'wider'],
  ['SocketBindDeny=tcp:%i', 'wider'],
  ['SocketBindAllow=%i', 'narrowed'],
  ['IPAddressDeny=10.0.%i.0/24', 'wider'],
] as const)('%s is told as %s', async (setting, fate) => {
  expect(told((await imported(`[Service]\n${setting}\n`)).remarks, fate)).not.toEqual([]);
});

test.each([
  ['nginx.service', '', '/system.slice/nginx.service'],
  ['nginx.service', 'Slice=web-front.slice', '/web.slice/web-front.slice/nginx.service'],
  ['getty@tty1.service', '', '/system.slice/system-getty.slice/getty@tty1.service'],
  ['a-b@x.service', '', '/system.slice/system-a\\x2db.slice/a-b@x.service'],
  ['app-web.slice', '', '/app.slice/app-web.slice'],
  ['nginx.service', 'Slice=-.slice', '/nginx.service'],
  ['web@a-b.service', 'Slice=app-%i.slice', '/app.slice/app-a.slice/app-a-b.slice/web@a-b.service'],
  ['web@a.service', 'Slice=%p-%%.slice', '/web.slice/web-%.slice/web@a.service'],
  ['web-x@a.service', 'Slice=%j.slice', '/x.slice/web-x@a.service'],
  // All instances of a template.
  ['web@.service', '', '/system.slice/system-web.slice/web@*.service'],
  ['web@.service.d/10.conf', 'Slice=%p.slice', '/web.slice/web@*.service'],
  // Names that the kernel would take for its own.
  ['memory.service', '', '/system.slice/_memory.service'],
  ['_x.service', 'Slice=pids.slice', '/_pids.slice/__x.service'],
])('%s %s is %s', (name, setting, path) => {
  const draft = importUnit([{ name, text: `[Service]\n${setting}\nSocketBindDeny=any\n` }], []);
  if ('fault' in draft) throw new Error(draft.fault);
  const { table } = parseSave(finishDraft(draft).text, 'rules', { names: NO_NAMES });
  expect(table.groups.map((group) => group.path)).toEqual([path]);
});

test.each([
  ['service.d/10.conf', '', 'not known by its name'],
  ['web@.service', 'Slice=app-%i.slice', 'what `%i` in `Slice=app-%i.slice` stands for'],
  ['web.service', 'Slice=app-%H.slice', 'what `%H` in'],
  ['web@a.service', 'Slice=app-%I/x.slice', 'names no slice'],
  ['/home/x/.config/systemd/user/web.service', '', 'a unit of a user'],
])('the group of %s %s is not known: a path must be given', (name, setting, fault) => {
  const sources = [{ name, text: `[Service]\n${setting}\nSocketBindDeny=any\n` }];
  expect(importUnit(sources, [])).toEqual({ fault: expect.stringContaining(fault) });
  expect(importUnit(sources, ['-m', 'cgroup', '--path', '/x'])).not.toHaveProperty('fault');
});

test.each([
  ['AF_INET AF_INET6', true, true],
  ['~AF_INET', false, true],
  ['AF_UNIX|AF_INET6', false, true],
  ['AF_INET AF_INET6|~AF_INET6', true, false],
  ['~AF_INET AF_INET6|AF_INET', true, false],
  ['~ AF_INET6', true, false],
  ['none', false, false],
  ['none|AF_INET', true, false],
  ['~AF_INET|', true, true],
  ['AF_INET||~AF_INET', false, true],
])('RestrictAddressFamilies %s', async (values, v4, v6) => {
  const settings = values.split('|').map((value) => `RestrictAddressFamilies=${value}`);
  const { allows } = await imported(`[Service]\n${settings.join('\n')}\n`);
  expect(allows('CONNECT', 'tcp', '10.0.0.1', 80)).toBe(v4);
  expect(allows('CONNECT', 'tcp', '2001:db8::1', 80)).toBe(v6);
});
