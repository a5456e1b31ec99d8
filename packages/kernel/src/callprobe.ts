/** What the doctor has another process do: a call in a control group, of a socket at loopback. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

type Answer = (error?: NodeJS.ErrnoException) => void;

const CALLS = {
  connect: async (answer: Answer) => {
    const { createSocket } = await import('node:dgram');
    const socket = createSocket('udp4');
    const end: Answer = (error) => {
      socket.close();
      answer(error);
    };
    socket.once('error', end).connect(9, '127.0.0.1', end);
  },
  listen: async (answer: Answer) => {
    const { createServer } = await import('node:net');
    const server = createServer();
    server.once('error', answer).listen(0, '127.0.0.1', () => server.close(() => answer()));
  },
};

export type ProbeCall = keyof typeof CALLS;

/** Moves this process into a control group and makes a call there: `ok`, or the errno. */
export function callFrom(call: string | undefined, folder = ''): Promise<string> {
  const make = call === 'listen' || call === 'connect' ? CALLS[call] : undefined;
  if (!make) throw new RangeError(`no call that is tried: ${call}`);
  writeFileSync(join(folder, 'cgroup.procs'), String(process.pid));
  return new Promise((resolve, reject) => {
    make((error) => resolve(error?.code ?? 'ok')).catch(reject);
  });
}
