/** Real socket calls from a real process inside a control group: the typed front of caller-main.js. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

type AddressFamily = 'unspec' | 'unix' | 'inet' | 'inet6';
export type SocketFamily = 'inet' | 'inet6' | number;
export type SocketType = 'stream' | 'dgram' | 'raw' | 'seqpacket' | number;
export type SocketProtocol =
  | 'tcp'
  | 'udp'
  | 'icmp'
  | 'icmpv6'
  | 'sctp'
  | 'udplite'
  | 'mptcp'
  | number;

/** A socket address; the text says which: `10.9.9.1`, `fd00:9::1`, `::ffff:10.9.9.1`. */
export interface SocketAddress {
  readonly address: string;
  /** 0 by default. */
  readonly port?: number;
  readonly scope?: number;
  /** What the head of the sockaddr claims, where that shall not be the truth. */
  readonly family?: AddressFamily;
}

/** A control message of sendmsg(2). */
interface ControlMessage {
  readonly level: number;
  readonly type: number;
  /** An int, or bytes in hexadecimal. */
  readonly value: number | string;
}

/**
 * A descriptor of the caller; `last` is the one that its last socket or accept call gave, `previous` the
 * one before that.
 */
export type Descriptor = number | 'last' | 'previous';

/** One call. Sockets are nonblocking unless made otherwise; datagrams say `x` unless told otherwise. */
export type Call =
  | {
      readonly op: 'socket';
      readonly family: SocketFamily;
      readonly type: SocketType;
      readonly protocol?: SocketProtocol;
      readonly blocking?: boolean;
    }
  | { readonly op: 'bind' | 'connect'; readonly fd: Descriptor; readonly address: SocketAddress }
  | {
      readonly op: 'connectAndWait';
      readonly fd: Descriptor;
      readonly address: SocketAddress;
      readonly ms: number;
    }
  | { readonly op: 'listen'; readonly fd: Descriptor; readonly backlog?: number }
  | { readonly op: 'accept' | 'getsockname' | 'getpeername' | 'close'; readonly fd: Descriptor }
  | { readonly op: 'acceptWithin'; readonly fd: Descriptor; readonly ms: number }
  | {
      readonly op: 'send';
      readonly fd: Descriptor;
      readonly data?: string;
      readonly flags?: number;
    }
  | {
      readonly op: 'sendto';
      readonly fd: Descriptor;
      readonly to: SocketAddress;
      readonly data?: string;
      readonly flags?: number;
    }
  | {
      readonly op: 'sendmsg';
      readonly fd: Descriptor;
      readonly to?: SocketAddress;
      /** Becomes IP_PKTINFO or IPV6_PKTINFO. */
      readonly from?: { readonly address: string; readonly ifindex?: number };
      /** Other control messages. */
      readonly control?: readonly ControlMessage[];
      readonly data?: string;
      readonly flags?: number;
    }
  | { readonly op: 'recvfrom'; readonly fd: Descriptor; readonly flags?: number }
  | {
      readonly op: 'recvWithin';
      readonly fd: Descriptor;
      readonly ms: number;
      readonly flags?: number;
    }
  /** Which of the sockets can be read, as soon as one can. */
  | { readonly op: 'readyWithin'; readonly fds: readonly number[]; readonly ms: number }
  | {
      readonly op: 'setsockopt';
      readonly fd: Descriptor;
      readonly level: number;
      readonly name: number;
      /** An int, or bytes in hexadecimal. */
      readonly value: number | string;
    }
  | {
      readonly op: 'getsockopt';
      readonly fd: Descriptor;
      readonly level: number;
      readonly name: number;
    }
  | { readonly op: 'shutdown'; readonly fd: Descriptor; readonly how?: number }
  /** Carries the process, but not the sockets it has, into another control group. */
  | { readonly op: 'moveTo'; readonly cgroup: string }
  | { readonly op: 'batch'; readonly calls: readonly Call[] }
  /**
   * Makes the calls over and over, then those of `after`, and closes what was opened; `value` says how
   * often the last of `calls` succeeded.
   */
  | {
      readonly op: 'repeat';
      readonly times: number;
      readonly calls: readonly Call[];
      readonly after?: readonly Call[];
    }
  /** A system call by its name in caller-raw.js; its memories come back as they are after it. */
  | { readonly op: 'syscall'; readonly name: string; readonly args: readonly Argument[] }
  /** Memory that stays; the value is its address. */
  | { readonly op: 'alloc'; readonly memory: Memory }
  | { readonly op: 'peek'; readonly address: number; readonly length: number }
  | { readonly op: 'poke'; readonly address: number; readonly hex: string }
  /** Code, called as a C function of six longs. */
  | { readonly op: 'machine'; readonly code: string; readonly args: readonly Argument[] }
  /** Calls of another thread of the process. */
  | { readonly op: 'thread'; readonly calls: readonly Call[] };

/** Bytes in the caller's memory, with pointers in them to others; or a sockaddr. */
export type Memory =
  | {
      readonly hex: string;
      readonly pointers?: readonly { readonly at: number; readonly to: Memory }[];
    }
  | { readonly sockaddr: SocketAddress };

export type Argument = Descriptor | Memory;

/** What a call came to: either `value`, at least, or `errno`. */
export interface Result {
  /** What the call returned: a descriptor, a length, 0; of getsockopt the option's value. */
  readonly value?: number;
  /** The error by name, such as `EPERM`; `timeout` when a call that waits has seen nothing. */
  readonly errno?: string;
  /** The address that the call filled in. */
  readonly address?: SocketAddress;
  readonly data?: string;
  /** Of a batch or a thread, in its order. */
  readonly results?: readonly Result[];
  /** Of readyWithin. */
  readonly ready?: readonly number[];
  /** Memories, in hex. */
  readonly memory?: readonly string[];
}

/** Options for setsockopt and getsockopt, as `{ level, name }`. */
export const SOCKET_OPTION = {
  SO_REUSEADDR: { level: 1, name: 2 },
  SO_ERROR: { level: 1, name: 4 },
  SO_REUSEPORT: { level: 1, name: 15 },
  IP_BIND_ADDRESS_NO_PORT: { level: 0, name: 24 },
  IPV6_V6ONLY: { level: 41, name: 26 },
  TCP_FASTOPEN: { level: 6, name: 23 },
  TCP_FASTOPEN_CONNECT: { level: 6, name: 30 },
} as const;

/** sendto with it on a tcp socket connects. */
export const MSG_FASTOPEN = 0x2000_0000;

export interface CallerOptions {
  /** Real and effective ids to take. */
  readonly uid?: number;
  readonly gid?: number;
  /** Path of a network namespace to run in, as `/proc/PID/ns/net`. */
  readonly netns?: string;
  /** A command that runs the caller, as `setpriv ... --` or `unshare ... --`. */
  readonly through?: readonly string[];
}

const PROGRAM = require.resolve('./caller-main.js');

/** Enters the cgroup before anything of the program runs, so that all its sockets are made inside. */
const SHIM = 'echo $$ > "$0/cgroup.procs" && exec "$@"';

interface Answer {
  readonly id: number;
  readonly result: Result & { readonly fault?: string };
}

interface Waiting {
  readonly resolve: (result: Result) => void;
  readonly reject: (error: Error) => void;
}

/** The callers that run now. */
const running = new Set<Caller>();

/** A process in a control group that makes socket calls. */
export class Caller {
  readonly cgroup: string;
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #waiting = new Map<number, Waiting>();
  readonly #closed: Promise<unknown>;
  #next = 1;
  #over: string | undefined;
  #errors = '';

  private constructor(cgroup: string, options: CallerOptions) {
    this.cgroup = cgroup;
    const enter = options.netns === undefined ? [] : ['nsenter', `--net=${options.netns}`];
    const command = [...enter, ...(options.through ?? []), process.execPath, PROGRAM];
    this.#child = spawn('/bin/sh', ['-c', SHIM, cgroup, ...command], {
      stdio: 'pipe',
      env: {
        PATH: process.env.PATH,
        ...(options.uid === undefined ? {} : { CALLER_UID: String(options.uid) }),
        ...(options.gid === undefined ? {} : { CALLER_GID: String(options.gid) }),
      },
    });
    this.#closed = once(this.#child, 'close');
    running.add(this);
    this.#child.stderr.on('data', (chunk) => {
      this.#errors += String(chunk);
    });
    this.#child.stdin.on('error', () => {});
    this.#child.on('close', (code, signal) => {
      this.#over = `the caller in ${cgroup} has ended (${signal ?? code}): ${this.#errors}`;
      for (const { reject } of this.#waiting.values()) reject(new Error(this.#over));
      this.#waiting.clear();
      running.delete(this);
    });
    createInterface({ input: this.#child.stdout }).on('line', (line) => {
      const { id, result }: Answer = JSON.parse(line);
      const waiting = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (result.fault === undefined) waiting?.resolve(result);
      else waiting?.reject(new Error(result.fault));
    });
  }

  /** Starts a caller in the control group (its directory) and waits until it can be asked. */
  static async start(cgroup: string, options: CallerOptions = {}): Promise<Caller> {
    const caller = new Caller(cgroup, options);
    await new Promise<Result>((resolve, reject) => {
      caller.#waiting.set(0, { resolve, reject });
    });
    return caller;
  }

  /** Ends every caller that still runs; for afterAll. */
  static async stopAll(): Promise<void> {
    await Promise.all([...running].map((caller) => caller.stop()));
  }

  get pid(): number {
    return this.#child.pid ?? -1;
  }

  /** Makes one call. Rejects only when the process is gone or the call makes no sense. */
  call(call: Call): Promise<Result> {
    if (this.#over !== undefined) return Promise.reject(new Error(this.#over));
    const id = this.#next++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#child.stdin.write(`${JSON.stringify({ id, call })}\n`);
    });
  }

  /** Makes many calls in one go; `fd: 'last'` is the socket made last. */
  async batch(calls: readonly Call[]): Promise<readonly Result[]> {
    const { results = [] } = await this.call({ op: 'batch', calls });
    return results;
  }

  /** A new socket; throws where there is none to be had. */
  async socket(
    family: SocketFamily,
    type: SocketType,
    protocol: SocketProtocol = 0,
  ): Promise<number> {
    return requireValue(await this.call({ op: 'socket', family, type, protocol }));
  }

  /** `ok` or the errno. */
  async bind(fd: Descriptor, address: SocketAddress): Promise<string> {
    return outcomeOf(await this.call({ op: 'bind', fd, address }));
  }

  /** `ok` or the errno; of a tcp socket that is EINPROGRESS when the call was let through. */
  async connect(fd: Descriptor, address: SocketAddress): Promise<string> {
    return outcomeOf(await this.call({ op: 'connect', fd, address }));
  }

  /** `connected`, `timeout` when the peer has not answered, or the errno. */
  async connectAndWait(fd: Descriptor, address: SocketAddress, ms = 150): Promise<string> {
    return (await this.call({ op: 'connectAndWait', fd, address, ms })).errno ?? 'connected';
  }

  /** `ok` or the errno. */
  async sendto(fd: Descriptor, to: SocketAddress, data = 'x'): Promise<string> {
    return outcomeOf(await this.call({ op: 'sendto', fd, to, data }));
  }

  /** The datagram and who sent it, `timeout` or the errno. */
  recvWithin(fd: Descriptor, ms = 150): Promise<Result> {
    return this.call({ op: 'recvWithin', fd, ms });
  }

  /** The connection's descriptor and its peer, `timeout` or the errno. */
  acceptWithin(fd: Descriptor, ms = 150): Promise<Result> {
    return this.call({ op: 'acceptWithin', fd, ms });
  }

  /** The address that the socket has. */
  async address(fd: Descriptor): Promise<SocketAddress> {
    const { address, errno } = await this.call({ op: 'getsockname', fd });
    if (address === undefined) throw new Error(`getsockname: ${errno ?? 'no address'}`);
    return address;
  }

  /** A bound socket, listening if it is a stream; throws if that fails. */
  async open(
    type: 'stream' | 'dgram',
    address: SocketAddress,
    protocol: SocketProtocol = 0,
  ): Promise<{ fd: number; address: SocketAddress }> {
    const fd = await this.socket(address.address.includes(':') ? 'inet6' : 'inet', type, protocol);
    requireValue(await this.call({ op: 'bind', fd, address }));
    if (type === 'stream') requireValue(await this.call({ op: 'listen', fd }));
    return { fd, address: await this.address(fd) };
  }

  async close(fd: Descriptor): Promise<void> {
    await this.call({ op: 'close', fd });
  }

  /** Ends the process, and waits until it is gone. */
  async stop(): Promise<void> {
    this.#child.stdin.end();
    const kill = setTimeout(() => this.#child.kill('SIGKILL'), 2000);
    await this.#closed;
    clearTimeout(kill);
  }
}

/** What the call returned; throws if it failed. */
function requireValue(result: Result): number {
  if (result.value === undefined) throw new Error(result.errno ?? 'no value');
  return result.value;
}

/** `ok` or the errno. */
function outcomeOf(result: Result): string {
  return result.errno ?? 'ok';
}
