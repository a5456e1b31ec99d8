/** What docs/security.md says that nobody is kept from, done. */
import { execFileSync } from 'node:child_process';
import { chownSync, readlinkSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { BpfError } from '@sockfilter/bpf';
import { looking } from '../../packages/kernel/src/namespaces.js';
import { Workplace } from '../cli/command.js';
import { describeKernel } from '../harness/kernel.js';
import { isThere } from './needs.js';
import { attachProgram, detachProgram } from './program.js';
import { Scene } from './scene.js';
import { natTable, TRUSTS, take, withNft } from './trusts.js';

function has(program: string): boolean {
  try {
    execFileSync('sh', ['-c', `command -v ${program}`], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

describeKernel('trust', () => {
  let scene: Scene;
  beforeAll(async () => {
    scene = await Scene.create();
  });
  afterAll(() => scene?.close());

  /** What the command says of the state of things. */
  function status(): string {
    const place = new Workplace();
    const { stdout } = place.run(['--root', scene.policy.root, 'status']);
    place.remove();
    return stdout;
  }

  test('status names a program that runs after ours', async () => {
    expect(scene.policy.status()?.later).toEqual([]);
    const caller = await scene.member('root', 'guest');
    const attached = await attachProgram(caller, scene.bed.cgroups.child('policed'));
    const stdout = status();
    expect(scene.policy.status()?.later).toEqual([
      { hook: 'inet4_connect', programId: expect.any(Number), name: '' },
    ]);
    expect(stdout).toMatch(/^program \d+ of another runs after inet4_connect, and can allow/m);
    await detachProgram(caller, attached);
    expect(scene.policy.status()?.later).toEqual([]);
  });

  test('status names a control group that lets processes leave their groups', () => {
    const procs = join(scene.bed.cgroups.child('policed'), 'cgroup.procs');
    // What is delegated below a group leads out of none.
    scene.delegate('guest', 'own');
    expect(status()).not.toMatch(/cgroup\.procs/);
    chownSync(procs, 65534, 65534);
    const said = `not only root may write cgroup.procs of ${scene.policy.root} (owner: uid 65534)`;
    expect(status()).toContain(said);
    chownSync(procs, 0, 0);
  });

  test('status names listeners of another group than their holder’s', async () => {
    const { own } = scene.ends.allowed;
    const friend = await scene.member('root', 'friend');
    const guest = await scene.member('root', 'guest');
    const stranger = await scene.stranger('root');
    const opened = [
      { caller: friend, type: 'stream', port: 7300 },
      { caller: stranger, type: 'dgram', port: 7301 },
      { caller: guest, type: 'stream', port: 7302 },
    ] as const;
    const fds: number[] = [];
    for (const { caller, type, port } of opened) {
      const { fd } = await caller.open(type, { address: own.v4, port });
      fds.push(fd);
      if (caller !== guest) await take(guest, caller, fd);
    }
    const said = status();
    const { root } = scene.policy;
    const outside = root.replace(/policed$/, 'outside');
    const holder = `process ${guest.pid} (node) holds`;
    const place = `in ${root}/guest (id 6), made in`;
    expect(said).toContain(
      `${holder} tcp ${own.v4}:7300 ${place} ${root}/friend (id 3): ACCEPT judges its peers by that`,
    );
    expect(said).toContain(
      `${holder} udp ${own.v4}:7301 ${place} ${outside} (outside of the root): no rule is asked for it`,
    );
    expect(said).not.toContain(':7302');
    for (const [n, { caller }] of opened.entries()) await caller.close(fds[n] ?? -1);
  });

  test('what can not be told of one network namespace hides no other, and no lock is held meanwhile', async () => {
    const guest = await scene.member('root', 'guest');
    const failed: string[] = [];
    const found = looking(({ code }) => failed.push(code))([process.pid, guest.pid], (pid) => {
      if (pid === process.pid) throw new BpfError('netlink', constants.errno.EINTR);
      return [readlinkSync('/proc/thread-self/ns/net')];
    });
    expect(found).toEqual([readlinkSync(`/proc/${guest.pid}/ns/net`)]);
    expect(failed).toEqual(['EINTR']);
    const fault = () => {
      throw new TypeError('a fault');
    };
    expect(() => looking(() => {})([guest.pid], fault)).toThrow(TypeError);
    const around = scene.policy.use((firewall) => firewall.surroundings());
    // Whoever changes something takes the lock for itself.
    scene.policy.use((firewall) => expect(firewall.text).toContain('COMMIT'));
    expect(around?.carriedSockets(fault, [{ pid: process.pid }])).toEqual([]);
    around?.close();
  });

  const there = has('nft') ? '' : ' [skipped: this machine has no nft]';
  (has('nft') ? test : test.skip)(
    `status names NAT before and behind the hooks${there}`,
    async () => {
      await scene.member('root', 'guest');
      expect(status()).not.toMatch(/nat at/);
      const rule = `ip daddr ${scene.ends.allowed.v4} tcp dport 7999 counter`;
      await withNft(scene, natTable({ output: rule, prerouting: rule }), async () => {
        const said = status();
        const place = /network namespace of process \d+ \(nftables, table ip attack, chain/.source;
        expect(said).toMatch(
          new RegExp(`^nat at output in the ${place} output\\) comes after`, 'm'),
        );
        expect(said).toMatch(
          new RegExp(`^nat at prerouting in the ${place} prerouting\\) comes`, 'm'),
        );
      });
      if (!has('iptables-legacy')) return;
      const edit = (verb: string) =>
        scene.run('root', `iptables-legacy -t nat ${verb} OUTPUT -p tcp -d 10.9.9.9 -j REDIRECT`);
      await edit('-A');
      expect(status()).toContain('(iptables-legacy, table nat, chain OUTPUT) comes after CONNECT');
      await edit('-D');
      expect(status()).not.toMatch(/nat at/);
    },
  );

  const can = (need: (typeof TRUSTS)[number]['needs']) =>
    need === undefined || (need === 'nft' ? has(need) : isThere(need));

  for (const { who, needs, show } of TRUSTS)
    (can(needs) ? test : test.skip)(
      can(needs) ? who : `${who} [there is no ${needs}]`,
      async () => {
        expect(await show(scene)).toBe(true);
      },
    );
});
