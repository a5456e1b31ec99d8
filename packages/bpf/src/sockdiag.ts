/** Sockets of a network namespace, by sock_diag(7), each with the cgroup in which it was made. Linux 5.9. */
import { constants } from 'node:os';
import { BpfError } from './error.js';
import { askNetlink, readAttributes } from './netlink.js';
import { linux, type Syscalls } from './syscall.js';

const NETLINK_SOCK_DIAG = 4;
const SOCK_DIAG_BY_FAMILY = 20;
const AF_INET = 2;
const AF_INET6 = 10;
/** struct inet_diag_req_v2; a protocol above 255 goes into an attribute. */
const REQUEST = { bytes: 56, family: 0, protocol: 1, states: 4 } as const;
const INET_DIAG_REQ_PROTOCOL = 3;
/** struct inet_diag_msg. */
const MESSAGE = {
  bytes: 72,
  family: 0,
  state: 1,
  port: 4,
  address: 8,
  cookie: 44,
  uid: 64,
  inode: 68,
} as const;
const INET_DIAG_CGROUP_ID = 21;

/** States of sockets; one that is not tcp is `close` while it is unconnected (net/tcp_states.h). */
export const SOCKET_STATE = { established: 1, close: 7, listen: 10 } as const;

export interface SocketEntry {
  readonly family: 4 | 6;
  readonly state: number;
  /** Its own address, and its port. */
  readonly address: bigint;
  readonly port: number;
  /** What SO_COOKIE and bpf_get_socket_cookie(2) give. */
  readonly cookie: bigint;
  /** Of the socket as a file; 0 for one that no descriptor leads to. */
  readonly inode: number;
  /** Undefined where the kernel does not tell. */
  readonly cgroup: bigint | undefined;
}

function readSocket(message: DataView): SocketEntry | undefined {
  if (message.byteLength < MESSAGE.bytes) return undefined;
  const family = message.getUint8(MESSAGE.family) === AF_INET6 ? 6 : 4;
  const words = family === 6 ? [0, 4, 8, 12] : [0];
  const cgroup = readAttributes(message, MESSAGE.bytes).get(INET_DIAG_CGROUP_ID);
  return {
    family,
    state: message.getUint8(MESSAGE.state),
    address: words.reduce(
      (value, at) => (value << 32n) | BigInt(message.getUint32(MESSAGE.address + at)),
      0n,
    ),
    port: message.getUint16(MESSAGE.port),
    cookie: message.getBigUint64(MESSAGE.cookie, true),
    inode: message.getUint32(MESSAGE.inode, true),
    cgroup: cgroup && cgroup.byteLength >= 8 ? cgroup.getBigUint64(0, true) : undefined,
  };
}

function request(family: number, protocol: number, states: readonly number[]): Uint8Array {
  const isWide = protocol > 0xff;
  const body = new DataView(new ArrayBuffer(REQUEST.bytes + (isWide ? 8 : 0)));
  body.setUint8(REQUEST.family, family);
  body.setUint8(REQUEST.protocol, isWide ? 0xff : protocol);
  body.setUint32(
    REQUEST.states,
    states.reduce((mask, state) => mask | (1 << state), 0),
    true,
  );
  if (isWide) {
    body.setUint16(REQUEST.bytes, 8, true);
    body.setUint16(REQUEST.bytes + 2, INET_DIAG_REQ_PROTOCOL, true);
    body.setUint32(REQUEST.bytes + 4, protocol, true);
  }
  return new Uint8Array(body.buffer);
}

const { ENOENT, EINVAL } = constants.errno;

/**
 * The sockets of a protocol, an IPPROTO_ number, in the states, of both families, in the network namespace of
 * the calling thread; none where the kernel can't tell of the protocol. Sockets that are neither bound nor
 * connected are in no table. Throws `BpfError`.
 */
export function listSockets(
  protocol: number,
  states: readonly number[],
  sys: Syscalls = linux,
): readonly SocketEntry[] {
  return [AF_INET, AF_INET6].flatMap((family) => {
    const body = request(family, protocol, states);
    const question = { family: NETLINK_SOCK_DIAG, type: SOCK_DIAG_BY_FAMILY, body };
    try {
      const messages = askNetlink(question, `sock_diag of protocol ${protocol}`, sys);
      return messages.flatMap((message) => readSocket(message) ?? []);
    } catch (error) {
      if (error instanceof BpfError && [ENOENT, EINVAL].includes(error.errno)) return [];
      throw error;
    }
  });
}
