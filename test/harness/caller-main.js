/**
 * A process that makes socket calls on request, for caller.ts. It is plain JavaScript so that it runs
 * unbuilt in any cgroup, namespace and user.
 *
 * Standard input takes one JSON object a line, `{ id, call }`; each is answered in order with
 * `{ id, result }` on a line of standard output. The first line, `{ id: 0, result: { value: pid } }`,
 * says that the process is ready. It ends with its input. The calls are libc's own, in this thread:
 * the control group, user and namespace that the kernel sees are this process's.
 *
 * Environment: CALLER_UID, CALLER_GID (real and effective ids to take before the first call).
 */
import { writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { isMainThread, parentPort, workerData } from 'node:worker_threads';
import koffi from 'koffi';
import { rawCalls } from './caller-raw.js';

const libc = koffi.load('libc.so.6');
const c = {
  socket: libc.func('int socket(int, int, int)'),
  bind: libc.func('int bind(int, void *, uint)'),
  connect: libc.func('int connect(int, void *, uint)'),
  listen: libc.func('int listen(int, int)'),
  accept4: libc.func('int accept4(int, void *, void *, int)'),
  send: libc.func('long send(int, void *, size_t, int)'),
  sendto: libc.func('long sendto(int, void *, size_t, int, void *, uint)'),
  sendmsg: libc.func('long sendmsg(int, void *, int)'),
  recvfrom: libc.func('long recvfrom(int, void *, size_t, int, void *, void *)'),
  setsockopt: libc.func('int setsockopt(int, int, int, void *, uint)'),
  getsockopt: libc.func('int getsockopt(int, int, int, void *, void *)'),
  getsockname: libc.func('int getsockname(int, void *, void *)'),
  getpeername: libc.func('int getpeername(int, void *, void *)'),
  shutdown: libc.func('int shutdown(int, int)'),
  poll: libc.func('int poll(void *, ulong, int)'),
  close: libc.func('int close(int)'),
  inet_pton: libc.func('int inet_pton(int, const char *, void *)'),
  inet_ntop: libc.func('const char *inet_ntop(int, void *, void *, uint)'),
};

const FAMILY = { unspec: 0, unix: 1, inet: 2, inet6: 10 };
const TYPE = { stream: 1, dgram: 2, raw: 3, seqpacket: 5 };
const PROTOCOL = { tcp: 6, udp: 17, icmp: 1, icmpv6: 58, sctp: 132, udplite: 136, mptcp: 262 };
const SOCK_NONBLOCK = 0o4000;
const POLLIN = 1;
const POLLOUT = 4;
const SOL_SOCKET = 1;
const SO_ERROR = 4;

/** Of two names for one number the usual one. */
const errnoNames = new Map(Object.entries(koffi.os.errno).map(([name, number]) => [number, name]));
for (const name of ['EAGAIN', 'EOPNOTSUPP', 'EDEADLK']) errnoNames.set(koffi.os.errno[name], name);
const errnoName = (number) => errnoNames.get(number) ?? `E${number}`;

const number = (names, value) => (typeof value === 'string' ? names[value] : value);

function failure() {
  return { errno: errnoName(koffi.errno()) };
}

/** What a call that answers -1 or a number comes to. */
function outcome(value) {
  const result = Number(value);
  return result < 0 ? failure() : { value: result };
}

/** The bytes of inet_pton; throws for text that is no address. */
function addressBytes(text) {
  const family = text.includes(':') ? FAMILY.inet6 : FAMILY.inet;
  const bytes = Buffer.alloc(family === FAMILY.inet6 ? 16 : 4);
  if (c.inet_pton(family, text, bytes) !== 1) throw new Error(`no address: ${text}`);
  return bytes;
}

/** sockaddr_in or sockaddr_in6, whichever the address is; `family` overrides what its head says. */
function packAddress({ address, port = 0, scope = 0, family }) {
  const bytes = addressBytes(address);
  const six = bytes.length === 16;
  const packed = Buffer.alloc(six ? 28 : 16);
  packed.writeUInt16LE(number(FAMILY, family ?? (six ? 'inet6' : 'inet')), 0);
  packed.writeUInt16BE(port, 2);
  bytes.copy(packed, six ? 8 : 4);
  if (six) packed.writeUInt32LE(scope, 24);
  return packed;
}

function unpackAddress(packed, length) {
  if (length < 8) return undefined;
  const family = packed.readUInt16LE(0);
  if (family !== FAMILY.inet && family !== FAMILY.inet6) return undefined;
  const six = family === FAMILY.inet6;
  const address = c.inet_ntop(family, packed.subarray(six ? 8 : 4), Buffer.alloc(64), 64);
  const scope = six ? packed.readUInt32LE(24) : 0;
  return { address, port: packed.readUInt16BE(2), ...(scope ? { scope } : {}) };
}

/** Runs a call that fills an address in. */
function withAddress(call) {
  const packed = Buffer.alloc(128);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(packed.length);
  const result = outcome(call(packed, length));
  const address = result.errno === undefined && unpackAddress(packed, length.readUInt32LE(0));
  return address ? { ...result, address } : result;
}

/** Waits until the socket is ready; false when the time is over. */
function ready(fd, events, ms) {
  const pollfd = Buffer.alloc(8);
  pollfd.writeInt32LE(fd, 0);
  pollfd.writeInt16LE(events, 4);
  return c.poll(pollfd, 1, ms) > 0;
}

/** Which of the sockets can be read, as soon as one can. */
function readable(fds, ms) {
  const pollfds = Buffer.alloc(8 * fds.length);
  fds.forEach((fd, n) => {
    pollfds.writeInt32LE(fd, 8 * n);
    pollfds.writeInt16LE(POLLIN, 8 * n + 4);
  });
  const result = outcome(c.poll(pollfds, fds.length, ms));
  return { ...result, ready: fds.filter((_, n) => pollfds.readInt16LE(8 * n + 6) & POLLIN) };
}

/** An int, or bytes in hexadecimal. */
function valueBytes(value) {
  if (typeof value === 'string') return Buffer.from(value, 'hex');
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(value);
  return bytes;
}

function controlMessage({ level, type, value }) {
  const bytes = valueBytes(value);
  const message = Buffer.alloc((16 + bytes.length + 7) & ~7);
  message.writeBigUInt64LE(BigInt(16 + bytes.length), 0);
  message.writeInt32LE(level, 8);
  message.writeInt32LE(type, 12);
  bytes.copy(message, 16);
  return message;
}

/** A control message that names the address, and perhaps the interface, to send from. */
function packetInfo({ address, ifindex = 0 }) {
  const bytes = addressBytes(address);
  const six = bytes.length === 16;
  const info = Buffer.alloc(six ? 20 : 12);
  if (six) {
    bytes.copy(info, 0);
    info.writeUInt32LE(ifindex, 16);
  } else {
    info.writeUInt32LE(ifindex, 0);
    bytes.copy(info, 4);
  }
  const value = info.toString('hex');
  return controlMessage(six ? { level: 41, type: 50, value } : { level: 0, type: 8, value });
}

function sendMessage({ fd, to, from, control: messages = [], data = 'x', flags = 0 }) {
  const bytes = Buffer.from(data);
  const name = to && packAddress(to);
  const control = Buffer.concat([
    ...(from ? [packetInfo(from)] : []),
    ...messages.map(controlMessage),
  ]);
  const vector = Buffer.alloc(16);
  vector.writeBigUInt64LE(koffi.address(bytes), 0);
  vector.writeBigUInt64LE(BigInt(bytes.length), 8);
  const header = Buffer.alloc(56);
  if (name) {
    header.writeBigUInt64LE(koffi.address(name), 0);
    header.writeUInt32LE(name.length, 8);
  }
  header.writeBigUInt64LE(koffi.address(vector), 16);
  header.writeBigUInt64LE(1n, 24);
  if (control.length > 0) {
    header.writeBigUInt64LE(koffi.address(control), 32);
    header.writeBigUInt64LE(BigInt(control.length), 40);
  }
  return outcome(c.sendmsg(fd, header, flags));
}

/** What socket and accept calls gave: `fd: 'last'` and the one before that, `fd: 'previous'`, in a batch. */
let opened = [];
const note = (result) => {
  if (result.errno === undefined) opened.push(result.value);
  return result;
};

const calls = {
  socket: ({ family, type, protocol = 0, blocking = false }) =>
    note(
      outcome(
        c.socket(
          number(FAMILY, family),
          number(TYPE, type) | (blocking ? 0 : SOCK_NONBLOCK),
          number(PROTOCOL, protocol),
        ),
      ),
    ),
  bind: ({ fd, address }) => {
    const packed = packAddress(address);
    return outcome(c.bind(fd, packed, packed.length));
  },
  connect: ({ fd, address }) => {
    const packed = packAddress(address);
    return outcome(c.connect(fd, packed, packed.length));
  },
  connectAndWait: ({ fd, address, ms }) => {
    const result = calls.connect({ fd, address });
    if (result.errno !== 'EINPROGRESS') return result;
    if (!ready(fd, POLLOUT, ms)) return { errno: 'timeout' };
    const error = calls.getsockopt({ fd, level: SOL_SOCKET, name: SO_ERROR });
    return error.value ? { errno: errnoName(error.value) } : { value: 0 };
  },
  listen: ({ fd, backlog = 16 }) => outcome(c.listen(fd, backlog)),
  accept: ({ fd }) => note(withAddress((...to) => c.accept4(fd, ...to, SOCK_NONBLOCK))),
  acceptWithin: ({ fd, ms }) =>
    ready(fd, POLLIN, ms) ? calls.accept({ fd }) : { errno: 'timeout' },
  send: ({ fd, data = 'x', flags = 0 }) => {
    const bytes = Buffer.from(data);
    return outcome(c.send(fd, bytes, bytes.length, flags));
  },
  sendto: ({ fd, to, data = 'x', flags = 0 }) => {
    const packed = packAddress(to);
    const bytes = Buffer.from(data);
    return outcome(c.sendto(fd, bytes, bytes.length, flags, packed, packed.length));
  },
  sendmsg: sendMessage,
  recvfrom: ({ fd, flags = 0 }) => {
    const bytes = Buffer.alloc(65536);
    const result = withAddress((...from) => c.recvfrom(fd, bytes, bytes.length, flags, ...from));
    if (result.errno !== undefined) return result;
    return { ...result, data: bytes.toString('utf8', 0, result.value) };
  },
  recvWithin: ({ fd, ms, flags = 0 }) =>
    ready(fd, POLLIN, ms) ? calls.recvfrom({ fd, flags }) : { errno: 'timeout' },
  readyWithin: ({ fds, ms }) => readable(fds, ms),
  setsockopt: ({ fd, level, name, value }) => {
    const bytes = valueBytes(value);
    return outcome(c.setsockopt(fd, level, name, bytes, bytes.length));
  },
  getsockopt: ({ fd, level, name }) => {
    const bytes = Buffer.alloc(4);
    const length = Buffer.alloc(4);
    length.writeUInt32LE(bytes.length);
    const result = outcome(c.getsockopt(fd, level, name, bytes, length));
    return result.errno === undefined ? { value: bytes.readInt32LE(0) } : result;
  },
  getsockname: ({ fd }) => withAddress((...to) => c.getsockname(fd, ...to)),
  getpeername: ({ fd }) => withAddress((...to) => c.getpeername(fd, ...to)),
  shutdown: ({ fd, how = 2 }) => outcome(c.shutdown(fd, how)),
  close: ({ fd }) => outcome(c.close(fd)),
  moveTo: ({ cgroup }) => {
    writeFileSync(`${cgroup}/cgroup.procs`, String(process.pid));
    return { value: 0 };
  },
  batch: ({ calls: list }) => ({ value: list.length, results: list.map(run) }),
  repeat: ({ times, calls: list, after = [] }) => {
    let value = 0;
    for (let round = 0; round < times; round++) {
      opened = [];
      if (list.map(run).at(-1)?.errno === undefined) value++;
      after.map(run);
      for (const fd of opened) c.close(fd);
    }
    opened = [];
    return { value };
  },
  ...rawCalls({ outcome, packAddress, last: () => opened.at(-1) ?? -1 }),
};

function run(call) {
  const answer = calls[call.op];
  if (!answer) throw new Error(`no call ${call.op}`);
  const place = { last: -1, previous: -2 }[call.fd];
  return answer(place === undefined ? call : { ...call, fd: opened.at(place) ?? -1 });
}

function respond(id, result) {
  process.stdout.write(`${JSON.stringify({ id, result })}\n`);
}

/** Answers lines in their order. */
async function answer(line) {
  const { id, call } = JSON.parse(line);
  try {
    respond(id, await run(call));
  } catch (error) {
    respond(id, { fault: String(error) });
  }
}

function serve() {
  const { CALLER_UID, CALLER_GID } = process.env;
  if (CALLER_UID !== undefined || CALLER_GID !== undefined) process.setgroups([]);
  if (CALLER_GID !== undefined) process.setgid(Number(CALLER_GID));
  if (CALLER_UID !== undefined) process.setuid(Number(CALLER_UID));
  let answered = Promise.resolve();
  createInterface({ input: process.stdin })
    .on('line', (line) => {
      answered = answered.then(() => answer(line));
    })
    .on('close', () => answered.then(() => process.exit(0)));
  respond(0, { value: process.pid });
}

if (isMainThread) serve();
else parentPort.postMessage(workerData.calls.map(run));
