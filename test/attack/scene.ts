/**
 * Where attempts are made: a policed group of callers, whom one table refuses one end of everything and
 * allows the other; and outside of it servers that hear what arrives, and clients.
 */
import { execFile } from 'node:child_process';
import { chownSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Caller, CallerOptions, SocketAddress, SocketProtocol } from '../harness/caller.js';
import { Policy } from '../harness/policy.js';
import { Testbed } from '../harness/testbed.js';
import { Ears } from './ears.js';
import { ENDS, rulesOf } from './ends.js';
import { familyOf } from './moves.js';
import type { End, Outcome, Role, Technique } from './technique.js';

const NOBODY = 65534;

/** What makes a network namespace one of the scene: run inside it. */
const NETWORK = [
  // Less than by default: large datagrams are sent in fragments.
  'ip link set lo up mtu 1500',
  ...Object.values(ENDS).flatMap(({ v4, v6, own, multicast }) => [
    ...[v4, own.v4].map((address) => `ip addr replace ${address}/32 dev lo`),
    ...[v6, own.v6].map((address) => `ip -6 addr replace ${address}/128 dev lo nodad`),
    `ip route add ${multicast} dev lo`,
  ]),
  'ip link add dev1 type veth peer name dev2',
  ...Object.values(ENDS).flatMap(({ device }) => [
    `ip addr add ${device.v4}/24 brd ${device.broadcast} dev ${device.name}`,
    `ip link set ${device.name} up`,
  ]),
  'echo 3 > /proc/sys/net/ipv4/tcp_fastopen',
  'for f in /proc/sys/net/ipv4/conf/*/accept_source_route; do echo 1 > $f; done',
  'for f in /proc/sys/net/ipv6/conf/*/seg6_enabled; do echo 1 > $f; done',
  // The ends' own ports are among those that the kernel may choose.
  'echo "7000 60999" > /proc/sys/net/ipv4/ip_local_port_range',
  // No connection that is over keeps one of them.
  'echo 0 > /proc/sys/net/ipv4/tcp_max_tw_buckets',
  `echo "0 ${NOBODY}" > /proc/sys/net/ipv4/ping_group_range`,
].join('\n');

async function within(network: string, script: string): Promise<string> {
  const { stdout } = await promisify(execFile)('nsenter', [
    `--net=${network}`,
    '/bin/sh',
    '-ec',
    script,
  ]);
  return stdout;
}

/** How a caller of a role is run. */
const ROLES: Readonly<Record<Role, CallerOptions>> = {
  user: { uid: NOBODY, gid: NOBODY },
  root: { through: ['setpriv', '--bounding-set=-sys_admin', '--inh-caps=-sys_admin', '--'] },
  'namespace root': {
    through: [
      ...['setpriv', `--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups', '--'],
      ...['unshare', '--user', '--map-root-user', '--net', '--'],
    ],
  },
  administrator: {},
};

/** How many ms a peer tries. */
const SHORT = 60;
const LONG = 3000;

/** What a role's attempts need: the policed caller, and servers and clients in its network. */
interface Cast {
  readonly caller: Caller;
  readonly network: string;
  readonly ears: Ears;
  readonly stranger: Caller;
}

export class Scene {
  readonly bed: Testbed;
  readonly policy: Policy;
  readonly #casts = new Map<Role, Promise<Cast>>();

  private constructor(bed: Testbed, policy: Policy) {
    this.bed = bed;
    this.policy = policy;
  }

  static async create(): Promise<Scene> {
    const bed = await Testbed.create();
    bed.cgroups.child('policed');
    bed.cgroups.child('policed/guest');
    bed.cgroups.child('policed/friend');
    const root = bed.cgroups.childPath('policed');
    const scene = new Scene(bed, new Policy(root));
    try {
      await within(bed.network.path, NETWORK);
      scene.policy.enforce(rulesOf(root));
      return scene;
    } catch (error) {
      await scene.close();
      throw error;
    }
  }

  /** A new caller of a policed group, in the role. */
  policed(role: Role, group = 'guest'): Promise<Caller> {
    return this.#start(role, `policed/${group}`);
  }

  readonly #members = new Map<string, Promise<Caller>>();

  /** The caller in the role that a policed group has for all attempts. */
  member(role: Role, group: string): Promise<Caller> {
    const name = `${role} of ${group}`;
    const member = this.#members.get(name) ?? this.policed(role, group);
    this.#members.set(name, member);
    return member;
  }

  readonly ends = ENDS;

  /** How much has come to the end, where the runner shall not ask. */
  async came(role: Role, end: End): Promise<number> {
    return (await this.#cast(role)).ears.drain(end, 20);
  }

  /** Moves a caller to another policed group. */
  move(caller: Caller, group: string): void {
    writeFileSync(join(this.directory(group), 'cgroup.procs'), String(caller.pid));
  }

  /** A control group below a policed one, both delegated to everybody's uid; made if it is not there. */
  delegate(group: string, name: string): string {
    const top = this.directory(group);
    chownSync(join(top, 'cgroup.procs'), NOBODY, NOBODY);
    const directory = this.bed.cgroups.child(`policed/${group}/${name}`);
    chownSync(directory, NOBODY, NOBODY);
    chownSync(join(directory, 'cgroup.procs'), NOBODY, NOBODY);
    return directory;
  }

  /** Removes a control group that was delegated. */
  undelegate(group: string, name: string): Promise<void> {
    return this.bed.cgroups.removeChild(`policed/${group}/${name}`);
  }

  /** The directory of a policed group. */
  directory(group: string): string {
    return this.bed.cgroups.child(`policed/${group}`);
  }

  /** Runs a script in the network of the role. */
  async run(role: Role, script: string): Promise<string> {
    return within((await this.#cast(role)).network, script);
  }

  readonly #indexes = new Map<string, Promise<number>>();

  /** The number of a device in the network of the role. */
  ifindex(role: Role, device: string): Promise<number> {
    const key = `${role} ${device}`;
    const index =
      this.#indexes.get(key) ??
      this.run(role, `ip -o link show ${device}`).then((line) => Number.parseInt(line, 10));
    this.#indexes.set(key, index);
    return index;
  }

  /** One whom no policy reaches, in the network of the role. */
  async stranger(role: Role): Promise<Caller> {
    return (await this.#cast(role)).stranger;
  }

  /** Path of the network namespace in which the role's attempts are made. */
  async network(role: Role): Promise<string> {
    return (await this.#cast(role)).network;
  }

  /** Makes an attempt, and the twin of it that must arrive. */
  async attempt(role: Role, { attempt: run, twin }: Pick<Technique, 'attempt' | 'twin'>) {
    const { caller, ears } = await this.#cast(role);
    const { refused, allowed } = ENDS;
    await ears.drain(refused);
    await ears.drain(allowed);
    const hear = async (outcome: Outcome, end: End, ms: number): Promise<Required<Outcome>> => ({
      ...outcome,
      arrived: outcome.arrived ?? (await ears.drain(end, ms)) > 0,
    });
    const attempt = await run({ scene: this, role, caller, end: refused, patience: SHORT });
    if (twin === 'unpoliced') {
      const found = await hear(attempt, refused, 20);
      const outside = await this.#outside(role);
      const same = await run({
        scene: this,
        role,
        caller: outside,
        end: refused,
        patience: LONG,
      });
      return { found, twin: await hear(same, refused, 1000) };
    }
    const other = await run({ scene: this, role, caller, end: allowed, patience: LONG });
    // What should not have arrived is looked for after what must.
    const heard = await hear(other, allowed, 1000);
    return { found: await hear(attempt, refused, 0), twin: heard };
  }

  /**
   * Whether a peer outside the policy reaches a socket of ours there.
   *
   * @param from the address that the peer calls from
   */
  async reaches(
    role: Role,
    type: 'stream' | 'dgram',
    to: SocketAddress,
    from: string,
    protocol: SocketProtocol = 0,
    patience = SHORT,
  ): Promise<string> {
    const stranger = await this.stranger(role);
    const fd = await stranger.socket(familyOf(to.address), type, protocol);
    try {
      await stranger.bind(fd, { address: from });
      if (type === 'dgram') return await stranger.sendto(fd, to);
      return await stranger.connectAndWait(fd, to, patience);
    } finally {
      await stranger.close(fd);
    }
  }

  async close(): Promise<void> {
    this.policy.teardown();
    await this.bed.close();
  }

  async #start(role: Role, group: string): Promise<Caller> {
    const { network, caller } = await this.#cast(role);
    // A namespace is made once, and entered by all others of its role.
    const through = ['nsenter', `--user=/proc/${caller.pid}/ns/user`, '--'];
    const options = role === 'namespace root' ? { through } : ROLES[role];
    return this.bed.caller(group, { ...options, netns: network });
  }

  readonly #outsiders = new Map<Role, Promise<Caller>>();

  /** One in the role whom no policy reaches. */
  #outside(role: Role): Promise<Caller> {
    const outsider = this.#outsiders.get(role) ?? this.#start(role, 'outside');
    this.#outsiders.set(role, outsider);
    return outsider;
  }

  #cast(role: Role): Promise<Cast> {
    let cast = this.#casts.get(role);
    if (!cast) {
      cast = this.#makeCast(role);
      this.#casts.set(role, cast);
    }
    return cast;
  }

  async #makeCast(role: Role): Promise<Cast> {
    const { bed } = this;
    const own = role === 'namespace root';
    const caller = await bed.caller('policed/guest', ROLES[role]);
    const network = own ? `/proc/${caller.pid}/ns/net` : bed.network.path;
    if (own) await within(network, NETWORK);
    const stranger = await bed.caller('outside', { netns: network });
    return { caller, network, stranger, ears: await this.#ears(network) };
  }

  /** One set of servers for each network. */
  readonly #allEars = new Map<string, Promise<Ears>>();

  #ears(network: string): Promise<Ears> {
    let ears = this.#allEars.get(network);
    if (!ears) {
      ears = this.bed.caller('outside', { netns: network }).then((caller) => Ears.open(caller));
      this.#allEars.set(network, ears);
    }
    return ears;
  }
}
