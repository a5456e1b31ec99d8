/**
 * Sockets that wait for peers and whose control group is not their holder's: ACCEPT and RECVFROM judge by the
 * group in which a socket was made, and by none if that was outside of the policed root.
 */
import { readlinkSync, statSync } from 'node:fs';
import { join } from 'node:path';
import {
  close,
  type Fd,
  listSockets,
  openCgroup,
  openDirectory,
  SOCKET_STATE,
  type SocketEntry,
} from '@sockfilter/bpf';
import { PROTOCOL } from '@sockfilter/table';
import type { Tree } from './cgrouptree.js';
import { groupEntries } from './groupmap.js';
import type { InNamespaces } from './namespaces.js';
import { using } from './pins.js';
import { commandOf, type Process, readProcesses, socketsOf } from './processes.js';

/** A control group as rules see it. */
interface Side {
  /** Undefined of one that was removed. */
  readonly path: string | undefined;
  /** Its network_id; undefined outside of the policed root, where no rule is asked. */
  readonly id: number | undefined;
}

export interface CarriedSocket {
  readonly protocol: 'tcp' | 'udp' | 'udplite';
  readonly family: 4 | 6;
  readonly address: bigint;
  readonly port: number;
  readonly madeIn: Side;
  readonly heldIn: Side;
  /** Of those in the control group that hold it, in the order of their pids. */
  readonly holders: readonly { readonly pid: number; readonly command: string }[];
}

/** A process to look at, and which sockets of it, by the inodes of their files; all, if left out. */
export interface Holder {
  readonly pid: number;
  readonly sockets?: ReadonlySet<number>;
}

const IPPROTO_MPTCP = 262;

/** What waits for peers: protocol, as the kernel numbers and as rules name it, and the state. */
const WAITING = [
  { number: PROTOCOL.tcp, protocol: 'tcp', state: SOCKET_STATE.listen },
  { number: IPPROTO_MPTCP, protocol: 'tcp', state: SOCKET_STATE.listen },
  { number: PROTOCOL.udp, protocol: 'udp', state: SOCKET_STATE.close },
  { number: PROTOCOL.udplite, protocol: 'udplite', state: SOCKET_STATE.close },
] as const;

interface WaitingSocket extends SocketEntry {
  readonly protocol: CarriedSocket['protocol'];
  readonly cgroup: bigint;
}

/** Those of each network namespace that some of the processes are in, by the inodes of their files. */
function waitingSockets(
  processes: readonly Process[],
  inNamespaces: InNamespaces,
): ReadonlyMap<number, WaitingSocket> {
  const spaces = new Map(processes.map(({ namespace, pid }) => [namespace, pid]));
  const sockets = inNamespaces(spaces.values(), () =>
    WAITING.flatMap(({ number, protocol, state }) =>
      listSockets(number, [state]).flatMap(({ cgroup, ...socket }) =>
        cgroup === undefined || socket.inode === 0 ? [] : [{ ...socket, cgroup, protocol }],
      ),
    ),
  );
  return new Map(sockets.map((socket) => [socket.inode, socket]));
}

/** What is asked again and again about control groups. */
class Sides {
  readonly #tree: Tree;
  readonly #mount: Fd;
  readonly #ids: ReadonlyMap<number, number>;
  readonly #paths = new Map<bigint, string | undefined>();
  readonly #held = new Map<string, Side>();

  constructor(tree: Tree, mount: Fd, groups: Fd, slot: number) {
    this.#tree = tree;
    this.#mount = mount;
    const entries = groupEntries(groups);
    this.#ids = new Map([...entries].map(({ cgroup, ids }) => [cgroup, ids[slot] ?? 0]));
  }

  #pathOf(cgroup: bigint): string | undefined {
    const known = this.#paths.get(cgroup);
    if (known !== undefined || this.#paths.has(cgroup)) return known;
    const fd = openCgroup(this.#mount, cgroup);
    const full =
      fd === undefined ? undefined : using(fd, (open) => readlinkSync(`/proc/self/fd/${open}`));
    const path = full === this.#tree.mount ? '/' : full?.slice(this.#tree.mount.length);
    this.#paths.set(cgroup, path);
    return path;
  }

  idOf(cgroup: bigint): Side['id'] {
    return this.#ids.get(Number(cgroup));
  }

  ofCgroup(cgroup: bigint): Side {
    return { path: this.#pathOf(cgroup), id: this.idOf(cgroup) };
  }

  ofPath(path: string): Side {
    const known = this.#held.get(path);
    if (known) return known;
    const found = statSync(join(this.#tree.mount, path), { throwIfNoEntry: false });
    const side = { path, id: found && this.#ids.get(found.ino) };
    this.#held.set(path, side);
    return side;
  }
}

/**
 * The sockets among those that wait for peers for which it makes a difference that another's control group
 * holds them: one of the two is not policed, or they have different ids. A socket whose control group was removed
 * is not told: it follows the nearest that is there.
 *
 * @param among the holders to look at; all processes if left out
 */
export function carriedSockets(
  tree: Tree,
  { groups, slot }: { readonly groups: Fd; readonly slot: number },
  inNamespaces: InNamespaces,
  among?: readonly Holder[],
): readonly CarriedSocket[] {
  const all = readProcesses();
  const chosen = among && new Map(among.map((holder) => [holder.pid, holder]));
  const holders = chosen ? all.filter(({ pid }) => chosen.has(pid)) : all;
  const waiting = waitingSockets(all, inNamespaces);
  if (waiting.size === 0) return [];
  const mount = openDirectory(tree.mount);
  try {
    const sides = new Sides(tree, mount, groups, slot);
    const found = new Map<string, CarriedSocket>();
    const ids = new Set([...waiting.values()].map((socket) => sides.idOf(socket.cgroup)));
    for (const { pid, cgroup } of holders) {
      const heldIn = sides.ofPath(cgroup);
      // To look at all that a process has open takes long: not where no socket could make a difference.
      if (ids.size === 1 && ids.has(heldIn.id)) continue;
      for (const inode of chosen?.get(pid)?.sockets ?? socketsOf(pid)) {
        const socket = waiting.get(inode);
        if (!socket) continue;
        const madeIn = sides.ofCgroup(socket.cgroup);
        if (madeIn.path === undefined || madeIn.path === heldIn.path || madeIn.id === heldIn.id)
          continue;
        const { protocol, family, address, port } = socket;
        const key = `${inode} ${cgroup}`;
        const before = found.get(key)?.holders ?? [];
        const more = [...before, { pid, command: commandOf(pid) }];
        found.set(key, { protocol, family, address, port, madeIn, heldIn, holders: more });
      }
    }
    return [...found.values()];
  } finally {
    close(mount);
  }
}
