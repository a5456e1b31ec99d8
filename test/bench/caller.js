/**
 * Makes one kind of socket call in a tight loop and says how long each took. Reads lines of JSON,
 * `{"kind": "connect", "calls": 20000}`, where a kind is one of KINDS, and answers each with the
 * nanoseconds of one call; with `"clock": "cpu"` those of this process alone, whoever else runs.
 */
import { createInterface } from 'node:readline';
import koffi from 'koffi';
import { peers } from './rules.js';

const libc = koffi.load('libc.so.6');
const socket = libc.func('int socket(int, int, int)');
const close = libc.func('int close(int)');
const connect = libc.func('int connect(int, void *, uint)');
const bind = libc.func('int bind(int, void *, uint)');
const sendto = libc.func('long sendto(int, void *, size_t, int, void *, uint)');
const getpeername = libc.func('int getpeername(int, void *, void *)');
const getsockname = libc.func('int getsockname(int, void *, void *)');
const recvfrom = libc.func('long recvfrom(int, void *, size_t, int, void *, void *)');
const getppid = libc.func('int getppid()');

const AF_INET = 2;
const AF_INET6 = 10;
const SOCK_DGRAM = 2;
const SOCK_RAW = 3;
/** For experiments (RFC 3692): nobody listens. */
const PROTOCOL = 253;

/** struct sockaddr_in of 10.9.9.1 and the port. */
function address(port) {
  const bytes = Buffer.alloc(16);
  bytes.writeUInt16LE(AF_INET, 0);
  bytes.writeUInt16BE(port, 2);
  bytes.set([10, 9, 9, 1], 4);
  return bytes;
}

/** struct sockaddr_in and sockaddr_in6 of an endpoint. */
const SOCKADDR = {
  4({ bytes, port }) {
    const name = address(port);
    name.set(bytes, 4);
    return name;
  },
  6({ bytes, port }) {
    const name = Buffer.alloc(28);
    name.writeUInt16LE(AF_INET6, 0);
    name.writeUInt16BE(port, 2);
    name.set(bytes, 8);
    return name;
  },
};

const made = { 4: [], 6: [] };

/** The names of all endpoints that rules are about, made once. */
function allPeers(family) {
  if (made[family].length === 0) made[family] = peers(100_000, family).map(SOCKADDR[family]);
  return made[family];
}

/** Connects to what `next` says; a number that seems random follows each call's. */
function connectTo(calls, family, next) {
  const all = allPeers(family);
  const fd = socket(family === 4 ? AF_INET : AF_INET6, SOCK_DGRAM, 0);
  let random = 1;
  for (let n = 0; n < calls; n++) {
    random = (Math.imul(random, 1_664_525) + 1_013_904_223) >>> 0;
    const name = all[next(random >>> 8, all.length)];
    connect(fd, name, name.length);
  }
  close(fd);
}

const peer = address(9);
const own = address(0);
const message = Buffer.from('x');

const KINDS = {
  connect(calls) {
    const fd = socket(AF_INET, SOCK_DGRAM, 0);
    for (let n = 0; n < calls; n++) connect(fd, peer, 16);
    close(fd);
  },
  'one of IPv4': (calls) => connectTo(calls, 4, () => 1),
  'one of IPv6': (calls) => connectTo(calls, 6, () => 1),
  'any of IPv4': (calls) => connectTo(calls, 4, (random, count) => random % count),
  'any of IPv6': (calls) => connectTo(calls, 6, (random, count) => random % count),
  sendto(calls) {
    const fd = socket(AF_INET, SOCK_DGRAM, 0);
    for (let n = 0; n < calls; n++) sendto(fd, message, 1, 0, peer, 16);
    close(fd);
  },
  raw(calls) {
    const fd = socket(AF_INET, SOCK_RAW, PROTOCOL);
    for (let n = 0; n < calls; n++) sendto(fd, message, 1, 0, peer, 16);
    close(fd);
  },
  socket(calls) {
    for (let n = 0; n < calls; n++) close(socket(AF_INET, SOCK_DGRAM, 0));
  },
  bind(calls) {
    // A second bind of the same socket fails, after the hook: one socket serves for all.
    const fd = socket(AF_INET, SOCK_DGRAM, 0);
    for (let n = 0; n < calls; n++) bind(fd, own, 16);
    close(fd);
  },
  /** On a socket that is connected to a port that no rule is about. */
  getpeername(calls) {
    const fd = socket(AF_INET, SOCK_DGRAM, 0);
    connect(fd, address(11), 16);
    const length = Buffer.from([16, 0, 0, 0]);
    const name = Buffer.alloc(16);
    for (let n = 0; n < calls; n++) getpeername(fd, name, length);
    close(fd);
  },
  /** A socket that sends itself a datagram and asks from whom it is. */
  talk(calls) {
    const fd = socket(AF_INET, SOCK_DGRAM, 0);
    bind(fd, own, 16);
    const [name, data] = [Buffer.alloc(16), Buffer.alloc(1)];
    const length = Buffer.from([16, 0, 0, 0]);
    getsockname(fd, name, length);
    const to = Buffer.from(name);
    for (let n = 0; n < calls; n++) {
      sendto(fd, message, 1, 0, to, 16);
      recvfrom(fd, data, 1, 0, name, length);
    }
    close(fd);
  },
  getppid(calls) {
    for (let n = 0; n < calls; n++) getppid();
  },
};

const CLOCKS = {
  wall: () => process.hrtime.bigint(),
  cpu() {
    const { user, system } = process.cpuUsage();
    return BigInt(user + system) * 1000n;
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const { kind, calls, clock = 'wall' } = JSON.parse(line);
  const start = CLOCKS[clock]();
  KINDS[kind](calls);
  const ns = Number(CLOCKS[clock]() - start) / calls;
  process.stdout.write(`${JSON.stringify(ns)}\n`);
}
