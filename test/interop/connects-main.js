/** Listens on ports of every address and says which of the attempts to connect get through. */
import net from 'node:net';

const WAIT_MS = 700;
const { ports, attempts } = JSON.parse(process.argv[2] ?? '');

const listen = (port) =>
  new Promise((resolve) => net.createServer((peer) => peer.end()).listen(port, '::', resolve));

const connect = ([localAddress, host, port]) =>
  new Promise((resolve) => {
    const socket = net.connect({ localAddress, host, port });
    const end = (answer) => {
      resolve(answer);
      socket.destroy();
    };
    socket.on('connect', () => end(true));
    socket.on('error', () => end(false));
    setTimeout(() => end(false), WAIT_MS);
  });

(async () => {
  await Promise.all(ports.map(listen));
  process.stdout.write(JSON.stringify(await Promise.all(attempts.map(connect))), () =>
    process.exit(0),
  );
})();
