/** A process that makes the calls it was started with over and over, and tallies the results. */
import koffi from 'koffi';
import { answerLines, type HammerCall, type HammerQuestion, type HammerWork } from './messages.js';

const libc = koffi.load('libc.so.6');
const socket = libc.func('int socket(int, int, int)');
const close = libc.func('int close(int)');
const named = {
  connect: libc.func('int connect(int, void *, uint)'),
  bind: libc.func('int bind(int, void *, uint)'),
};
const sendto = libc.func('long sendto(int, void *, size_t, int, void *, uint)');

const AF_INET = 2;
const SOCK_DGRAM = 2;
const ROUNDS = 50;

function packAddress({ address, port }: HammerCall): Buffer {
  const packed = Buffer.alloc(16);
  packed.writeUInt16LE(AF_INET, 0);
  packed.writeUInt16BE(port, 2);
  packed.set(address.split('.').map(Number), 4);
  return packed;
}

function makeCall(call: HammerCall): () => number {
  const to = packAddress(call);
  const { call: name } = call;
  if (name === 'bind')
    return () => {
      const fd = socket(AF_INET, SOCK_DGRAM, 0);
      const result = named.bind(fd, to, to.length) < 0 ? koffi.errno() : 0;
      close(fd);
      return result;
    };
  const fd = socket(AF_INET, SOCK_DGRAM, 0);
  if (name === 'connect') return () => (named.connect(fd, to, to.length) < 0 ? koffi.errno() : 0);
  const data = Buffer.from('x');
  return () => (Number(sendto(fd, data, 1, 0, to, to.length)) < 0 ? koffi.errno() : 0);
}

const { calls, restMs }: HammerWork = JSON.parse(process.argv[2] ?? '');
const made = calls.map((call) => ({ make: makeCall(call), tally: new Map<number, number>() }));
let running = false;

function step(): void {
  if (!running) return;
  for (let round = 0; round < ROUNDS; round++)
    for (const { make, tally } of made) {
      const errno = make();
      tally.set(errno, (tally.get(errno) ?? 0) + 1);
    }
  again();
}

function again(): void {
  if (restMs === 0) setImmediate(step);
  else setTimeout(step, restMs);
}

answerLines((question: HammerQuestion) => {
  running = question === 'run';
  if (running) again();
  return made.map(({ tally }) => Object.fromEntries(tally));
});
