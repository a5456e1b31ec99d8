/**
 * Who holds a socket that waits for peers: whom a connection or datagram is for. The kernel does not say it of an
 * event, in which a stranger runs; a reader finds it out, by the socket's cookie, while the socket is there.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { inNetworkNamespace, listSockets, namespaceOf, SOCKET_STATE } from '@sockfilter/bpf';
import { PROTOCOL } from '@sockfilter/table';
import { commandOf, readProcesses, socketsOf, unlessEnded } from './processes.js';

export interface SocketHolder {
  readonly pid: number;
  readonly comm: string;
}

/** What is asked for a peer, and the states in which it is. */
const JUDGED = [
  { protocol: PROTOCOL.tcp, states: [SOCKET_STATE.listen] },
  { protocol: PROTOCOL.udp, states: [SOCKET_STATE.close, SOCKET_STATE.established] },
  { protocol: PROTOCOL.udplite, states: [SOCKET_STATE.close, SOCKET_STATE.established] },
] as const;

/** The inode of the socket's file, in the network namespace of the process; undefined where it is not. */
function inodeIn(pid: number, cookie: bigint): number | undefined {
  return unlessEnded(() =>
    inNetworkNamespace(pid, () => {
      for (const { protocol, states } of JUDGED)
        for (const socket of listSockets(protocol, states))
          if (socket.cookie === cookie && socket.inode !== 0) return socket.inode;
      return undefined;
    }),
  );
}

/** Those of the processes that hold the socket, in the order of their pids. */
function holdersAmong(pids: readonly number[], cookie: bigint): readonly SocketHolder[] {
  const looked = new Set<number>();
  for (const pid of pids) {
    const namespace = unlessEnded(() => namespaceOf(pid));
    if (namespace === undefined || looked.has(namespace)) continue;
    looked.add(namespace);
    const inode = inodeIn(pid, cookie);
    if (inode === undefined) continue;
    const holders = pids.filter((each) => socketsOf(each).has(inode));
    if (holders.length > 0) return holders.map((each) => ({ pid: each, comm: commandOf(each) }));
  }
  return [];
}

/** The processes of a control group; none where its threads have groups of their own. */
function processesIn(folder: string): readonly number[] {
  try {
    return readFileSync(join(folder, 'cgroup.procs'), 'utf8')
      .split('\n')
      .map(Number)
      .filter((pid) => pid > 0);
  } catch {
    return [];
  }
}

const FRESH_MS = 5_000;
/** Of a reader's time, what looking takes at most: one part in so many. */
const SHARE = 5;
const MOST_SOCKETS = 4_096;

export class SocketHolders {
  readonly #mount: string;
  readonly #known = new Map<
    bigint,
    { readonly at: number; readonly holders: readonly SocketHolder[] }
  >();
  #nextLook = 0;

  /** @param mount where cgroup2 is mounted */
  constructor(mount: string) {
    this.#mount = mount;
  }

  /**
   * Those that hold the socket with the cookie now, or did seconds ago, in the order of their pids: first looked for
   * in the control group of the socket, then everywhere. None where it is gone, and while looking would take too much
   * of the time.
   */
  of(cookie: bigint, cgroup: string | undefined): readonly SocketHolder[] {
    const now = performance.now();
    const known = this.#known.get(cookie);
    if (known && now - known.at < FRESH_MS) return known.holders;
    if (now < this.#nextLook) return known?.holders ?? [];
    const near =
      cgroup === undefined ? [] : holdersAmong(processesIn(join(this.#mount, cgroup)), cookie);
    const holders =
      near.length > 0
        ? near
        : holdersAmong(
            readProcesses().map(({ pid }) => pid),
            cookie,
          );
    const end = performance.now();
    this.#nextLook = end + (end - now) * (SHARE - 1);
    if (this.#known.size >= MOST_SOCKETS) this.#known.clear();
    this.#known.set(cookie, { at: end, holders });
    return holders;
  }
}
