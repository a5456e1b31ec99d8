/** Who is trusted with what: what sockfilter can't keep a holder of these from. Each is shown. */
import type { Caller, SocketAddress } from '../harness/caller.js';
import { PORT, rulesOf } from './ends.js';
import { requireValue, setOption, syscall, withSocket } from './moves.js';
import type { Need } from './needs.js';
import { attachProgram, detachProgram } from './program.js';
import { entryOf, Ring, SETUP } from './ring.js';
import type { Scene } from './scene.js';
import { setOption32 } from './techniques/compat.js';
import { IPV6_RTHDR, routingHeader, UDP_NO_CHECK6_TX } from './techniques/devices.js';

const SOL_UDP = 17;
const SOL_IPV6 = 41;

export interface Trust {
  /** Who can. */
  readonly who: string;
  readonly what: string;
  readonly remedy: string;
  /** A program that showing it needs, or what the kernel must have. */
  readonly needs?: 'nft' | Need;
  /** Does it; gives whether it came to pass. */
  readonly show: (scene: Scene) => Promise<boolean>;
}

/** Whether a connect of the caller's to the refused end arrives there. */
async function arrives(scene: Scene, caller: Caller): Promise<boolean> {
  const { refused } = scene.ends;
  await scene.came('root', refused);
  return withSocket({ caller }, 'inet', 'stream', async (fd) => {
    await caller.call({ op: 'connect', fd, address: { address: refused.v4, port: PORT } });
    return (await scene.came('root', refused)) > 0;
  });
}

/** Brings a descriptor of another process over. */
export async function take(caller: Caller, from: Caller, fd: number): Promise<number> {
  const pidfd = requireValue(await caller.call(syscall('pidfd_open', from.pid, 0)), 'pidfd_open');
  return requireValue(await caller.call(syscall('pidfd_getfd', pidfd, fd, 0)), 'pidfd_getfd');
}

/** Runs rules of nft while the body runs. */
export async function withNft<T>(scene: Scene, rules: string, body: () => Promise<T>): Promise<T> {
  await scene.run('root', `nft -f - <<'END'\n${rules}\nEND`);
  try {
    return await body();
  } finally {
    await scene.run('root', 'nft delete table ip attack');
  }
}

/** A table of nat chains with a rule each. */
export function natTable(rules: Readonly<Record<string, string>>): string {
  const chains = Object.entries(rules).map(
    ([hook, rule]) => `chain ${hook} {\ntype nat hook ${hook} priority -100;\n${rule}\n}`,
  );
  return ['table ip attack {', ...chains, '}'].join('\n');
}

/** A listener that shares its port. */
async function sharing(caller: Caller, address: SocketAddress): Promise<number> {
  const fd = await caller.socket('inet', 'stream');
  await setOption(caller, fd, 1, 15, 1);
  requireValue(await caller.call({ op: 'bind', fd, address }), 'bind');
  requireValue(await caller.call({ op: 'listen', fd }), 'listen');
  return fd;
}

export const TRUSTS: readonly Trust[] = [
  {
    who: 'CAP_BPF and CAP_NET_ADMIN on the host, and a descriptor of the policed control group',
    what: 'a program attached there after ours sets the result back: the call is allowed',
    remedy: 'give neither to a tenant; programs of control groups below can not do it',
    show: async (scene) => {
      const caller = await scene.member('root', 'guest');
      const attached = await attachProgram(caller, scene.bed.cgroups.child('policed'));
      try {
        return await arrives(scene, caller);
      } finally {
        await detachProgram(caller, attached);
      }
    },
  },
  {
    who: 'write access to `cgroup.procs` outside of its own group',
    what: 'a process that moves has the rules of where it is now, or none',
    remedy:
      'mount cgroupfs read-only in containers, or in a cgroup namespace; delegate below a group only',
    show: async (scene) => {
      const caller = await scene.policed('root');
      const cgroup = scene.bed.cgroups.child('outside');
      requireValue(await caller.call({ op: 'moveTo', cgroup }), 'move');
      const came = await arrives(scene, caller);
      await caller.stop();
      return came;
    },
  },
  {
    who: 'CAP_NET_ADMIN in the network namespace',
    what: 'CONNECT and SENDTO judge the address that was asked for; NAT on output leads it elsewhere',
    remedy:
      'give it only in a namespace of the tenant’s own, whose outer end is filtered by its host',
    needs: 'nft',
    show: async (scene) => {
      const { refused, allowed } = scene.ends;
      const rule = `ip daddr ${allowed.v4} tcp dport ${PORT} dnat to ${refused.v4}`;
      return withNft(scene, natTable({ output: rule }), async () => {
        const caller = await scene.member('root', 'guest');
        await scene.came('root', refused);
        return withSocket({ caller }, 'inet', 'stream', async (fd) => {
          await caller.call({ op: 'connect', fd, address: { address: allowed.v4, port: PORT } });
          return (await scene.came('root', refused)) > 0;
        });
      });
    },
  },
  {
    who: 'one who makes rules of nat PREROUTING',
    what: 'ACCEPT and RECVFROM judge the address and port as rewritten',
    remedy: 'write the rules for the port that the server has, not for the one that peers ask for',
    needs: 'nft',
    show: async (scene) => {
      const { own, v4 } = scene.ends.allowed;
      const rule = `ip daddr ${own.v4} tcp dport 7999 redirect to :${own.port}`;
      return withNft(scene, natTable({ output: rule, prerouting: rule }), async () => {
        const caller = await scene.member('root', 'guest');
        const { fd } = await caller.open('stream', { address: '0.0.0.0', port: own.port });
        await scene.reaches('root', 'stream', { address: own.v4, port: 7999 }, v4);
        const came = await caller.acceptWithin(fd, 100);
        const reached = await caller.address(came.value ?? fd);
        await caller.close(fd);
        return came.errno === undefined && reached.port === own.port;
      });
    },
  },
  {
    who: 'the same uid, or CAP_SYS_PTRACE, as a process of another group',
    what: 'pidfd_getfd(2), ptrace(2) and SCM_RIGHTS hand over sockets that are connected already',
    remedy: 'a uid for each group; `kernel.yama.ptrace_scope`',
    show: async (scene) => {
      const { refused } = scene.ends;
      const friend = await scene.member('root', 'friend');
      const caller = await scene.member('root', 'guest');
      const fd = await friend.socket('inet', 'dgram');
      const address = { address: refused.v4, port: PORT };
      requireValue(await friend.call({ op: 'connect', fd, address }), 'connect');
      const taken = await take(caller, friend, fd);
      await scene.came('root', refused);
      await caller.call({ op: 'send', fd: taken });
      return (await scene.came('root', refused)) > 0;
    },
  },
  {
    who: 'one who is handed a socket from outside the policed root',
    what: 'hooks go by the control group in which the socket was made: no rule is asked at all',
    remedy: 'police `/`: it has no outside',
    show: async (scene) => {
      const { refused } = scene.ends;
      const caller = await scene.member('root', 'guest');
      const stranger = await scene.stranger('root');
      const taken = await take(caller, stranger, await stranger.socket('inet', 'stream'));
      await scene.came('root', refused);
      const address = { address: refused.v4, port: PORT };
      await caller.call({ op: 'connect', fd: taken, address });
      return (await scene.came('root', refused)) > 0;
    },
  },
  {
    who: 'one who has a ring with SQPOLL of another process, by fork(2) or handed over',
    what: 'its entries are made by its maker’s thread, and count as the maker’s group',
    remedy: '`kernel.io_uring_disabled`; close rings before work for others begins',
    show: async (scene) => {
      const { refused } = scene.ends;
      const friend = await scene.member('root', 'friend');
      const caller = await scene.member('root', 'guest');
      const made = await Ring.create(friend, SETUP.sqpoll);
      const fd = await friend.socket('inet', 'stream');
      const taken = await made.handOver(caller, await take(caller, friend, made.fd));
      await scene.came('root', refused);
      // Descriptor and memory are the maker's: after fork(2) both have the same.
      const memory = { sockaddr: { address: refused.v4, port: PORT } };
      const address = requireValue(await friend.call({ op: 'alloc', memory }), 'alloc');
      await taken.run(entryOf({ opcode: 'connect', fd }).u64(8, 16).u64(16, address));
      return (await scene.came('root', refused)) > 0;
    },
  },
  {
    who: 'one who shares a port by SO_REUSEPORT with a policed socket (the same uid)',
    what: 'a policed member that refuses a peer swallows its share of connections in silence',
    remedy: 'open all members of a port in one group',
    show: async (scene) => {
      const { v4 } = scene.ends.refused;
      const guest = await scene.member('root', 'guest');
      const stranger = await scene.stranger('root');
      const address = { address: scene.ends.allowed.own.v4, port: 7200 };
      const fds = [await sharing(stranger, address), await sharing(guest, address)] as const;
      const said = new Set<string>();
      for (let n = 0; n < 64 && said.size < 2; n++)
        said.add(await scene.reaches('root', 'stream', address, v4));
      await stranger.close(fds[0]);
      await guest.close(fds[1]);
      return said.has('connected') && said.has('timeout');
    },
  },
  {
    who: 'root in the network namespace, by `net.ipv4.tcp_migrate_req`, for sockets that share a port',
    what: 'a member that closes hands connections that wait in its queue to a member whose group may refuse their peers: ACCEPT has judged their SYN for the first',
    remedy: 'leave the sysctl at 0, or open all members of a port in one group',
    show: async (scene) => {
      const { v4 } = scene.ends.refused;
      const guest = await scene.member('root', 'guest');
      const friend = await scene.member('root', 'friend');
      const stranger = await scene.stranger('root');
      const address = { address: scene.ends.allowed.own.v4, port: 7201 };
      await scene.run('root', 'echo 1 > /proc/sys/net/ipv4/tcp_migrate_req');
      const fds = [await sharing(friend, address), await sharing(guest, address)] as const;
      // Peers of guest's share time out: one that connects waits in friend's queue.
      let said = '';
      let peer = 0;
      for (let n = 0; n < 64 && said !== 'connected'; n++) {
        peer = await stranger.socket('inet', 'stream');
        await stranger.bind(peer, { address: v4 });
        said = await stranger.connectAndWait(peer, address, 60);
        if (said !== 'connected') await stranger.close(peer);
      }
      await friend.close(fds[0]);
      const came = await guest.acceptWithin(fds[1], 1000);
      await stranger.close(peer);
      await guest.close(fds[1]);
      return said === 'connected' && came.errno === undefined;
    },
  },
  {
    who: 'a peer whose SYN came before the commit',
    what: 'its connection is accepted after it, from the queue, and stays as long as both ends like',
    remedy: 'after a commit that takes peers away, restart the service, or `ss -K` what is left',
    show: async (scene) => {
      const { own, v4 } = scene.ends.allowed;
      const guest = await scene.member('root', 'guest');
      const stranger = await scene.stranger('root');
      const address = { address: own.v4, port: 7202 };
      const { fd } = await guest.open('stream', address);
      const peer = await stranger.socket('inet', 'stream');
      await stranger.bind(peer, { address: v4 });
      const before = await stranger.connectAndWait(peer, address, 1000);
      const rules = rulesOf(scene.policy.root);
      scene.policy.enforce(rules.replaceAll(/^-A ACCEPT -s .*$/gm, ''));
      const later = await scene.reaches('root', 'stream', address, v4);
      const came = await guest.acceptWithin(fd, 100);
      scene.policy.enforce(rules);
      await stranger.close(peer);
      await guest.close(fd);
      return before === 'connected' && later === 'timeout' && came.errno === undefined;
    },
  },
  {
    who: 'one who makes 32-bit calls, where the kernel has them',
    what: 'the kernel skips the hook of setsockopt(2): IPV6_RTHDR gives a connected datagram socket a route to a host that takes such routes',
    remedy:
      '`SystemCallArchitectures=native` of systemd; on x86-64 also `ia32_emulation=0` when the kernel boots (Linux 6.7)',
    needs: '32-bit calls',
    show: async (scene) => {
      const { refused, allowed } = scene.ends;
      const caller = await scene.member('root', 'guest');
      return withSocket({ caller }, 'inet6', 'dgram', async (fd) => {
        await setOption(caller, fd, SOL_UDP, UDP_NO_CHECK6_TX, 1);
        const address = { address: allowed.v6, port: PORT };
        requireValue(await caller.call({ op: 'connect', fd, address }), 'connect');
        await scene.came('root', refused);
        await setOption32(caller, fd, SOL_IPV6, IPV6_RTHDR, routingHeader(refused.v6));
        await caller.call({ op: 'send', fd });
        return (await scene.came('root', refused)) > 0;
      });
    },
  },
];
