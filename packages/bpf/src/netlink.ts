/** Questions to the kernel by netlink(7), each answered by a list of messages. Sizes and numbers are the host's, if not said otherwise. */
import { BpfError } from './error.js';
import { close, type Fd, linux, type Syscalls } from './syscall.js';

const AF_NETLINK = 16;
const SOCK_RAW_CLOEXEC = 3 | 0o2000000;
const NLM_F_REQUEST_DUMP = 0x301;
const NLM_F_DUMP_INTR = 0x10;
const NLMSG_ERROR = 2;
const NLMSG_DONE = 3;
const EINTR = 4;
const BUFFER_BYTES = 1 << 16;

/** struct nlmsghdr. */
const HEADER = { bytes: 16, type: 4, flags: 6 } as const;
/** struct nlattr; of its type two bits are flags. */
const ATTRIBUTE = { bytes: 4, typeMask: 0x3fff } as const;

const aligned = (bytes: number) => (bytes + 3) & ~3;

/** Tables change while they are read: then the kernel says so, and they are read again. */
const ATTEMPTS = 10;

export interface Question {
  /** The protocol of the netlink socket: NETLINK_SOCK_DIAG, for example. */
  readonly family: number;
  readonly type: number;
  /** What follows struct nlmsghdr. */
  readonly body: Uint8Array;
}

/** The message's attributes by their types, from an offset on; of several of a type the last. */
export function readAttributes(message: DataView, from = 0): ReadonlyMap<number, DataView> {
  const found = new Map<number, DataView>();
  for (let at = from; at + ATTRIBUTE.bytes <= message.byteLength; ) {
    const length = message.getUint16(at, true);
    if (length < ATTRIBUTE.bytes || at + length > message.byteLength) break;
    const start = message.byteOffset + at + ATTRIBUTE.bytes;
    const value = new DataView(message.buffer, start, length - ATTRIBUTE.bytes);
    found.set(message.getUint16(at + 2, true) & ATTRIBUTE.typeMask, value);
    at += aligned(length);
  }
  return found;
}

function send(socket: Fd, { type, body }: Question, what: string, sys: Syscalls): void {
  const message = new Uint8Array(HEADER.bytes + body.length);
  const view = new DataView(message.buffer);
  view.setUint32(0, message.length, true);
  view.setUint16(HEADER.type, type, true);
  view.setUint16(HEADER.flags, NLM_F_REQUEST_DUMP, true);
  message.set(body, HEADER.bytes);
  const sent = sys.call('sendto', socket, message, message.length, 0, 0, 0);
  if (sent < 0) throw new BpfError(what, -sent);
}

/** What is in one piece of an answer. */
interface Part {
  readonly messages: readonly DataView[];
  readonly isLast: boolean;
  /** Whether the table has changed since the first piece. */
  readonly isTorn: boolean;
  readonly errno: number;
}

function readPart(bytes: Uint8Array): Part {
  const messages: DataView[] = [];
  let isTorn = false;
  for (let at = 0; at + HEADER.bytes <= bytes.length; ) {
    const header = new DataView(bytes.buffer, bytes.byteOffset + at);
    const length = header.getUint32(0, true);
    const type = header.getUint16(HEADER.type, true);
    isTorn ||= (header.getUint16(HEADER.flags, true) & NLM_F_DUMP_INTR) !== 0;
    const body = new DataView(
      bytes.buffer,
      bytes.byteOffset + at + HEADER.bytes,
      Math.max(0, length - HEADER.bytes),
    );
    if (type === NLMSG_DONE || type === NLMSG_ERROR) {
      const errno = body.byteLength >= 4 ? -body.getInt32(0, true) : 0;
      return { messages, isLast: true, isTorn, errno };
    }
    messages.push(body);
    at += Math.max(HEADER.bytes, aligned(length));
  }
  return { messages, isLast: false, isTorn, errno: 0 };
}

/** The messages of one answer; undefined if the table changed meanwhile. */
function receive(socket: Fd, what: string, sys: Syscalls): readonly DataView[] | undefined {
  const all: DataView[] = [];
  let isTorn = false;
  for (;;) {
    const buffer = new Uint8Array(BUFFER_BYTES);
    const got = sys.call('recvfrom', socket, buffer, buffer.length, 0, 0, 0);
    if (got === -EINTR) continue;
    if (got < 0) throw new BpfError(what, -got);
    const part = readPart(buffer.subarray(0, got));
    if (part.errno !== 0) throw new BpfError(what, part.errno);
    all.push(...part.messages);
    isTorn ||= part.isTorn;
    if (part.isLast || got === 0) return isTorn ? undefined : all;
  }
}

/**
 * The bodies of the messages that answer the question, in the network namespace of the calling thread.
 *
 * @param what what is asked for, as a failure names it
 * @throws BpfError; ENOENT where the kernel has no module that could answer
 */
export function askNetlink(
  question: Question,
  what: string,
  sys: Syscalls = linux,
): readonly DataView[] {
  for (let attempt = 1; ; attempt++) {
    const socket = sys.call('socket', AF_NETLINK, SOCK_RAW_CLOEXEC, question.family);
    if (socket < 0) throw new BpfError(what, -socket);
    try {
      send(socket, question, what, sys);
      const messages = receive(socket, what, sys);
      if (messages) return messages;
      if (attempt === ATTEMPTS) throw new BpfError(what, EINTR);
    } finally {
      close(socket, sys);
    }
  }
}
