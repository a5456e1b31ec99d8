/** Binds a datagram socket of unix(7) to a path, and prints each datagram as a line of base64. */
import { rmSync } from 'node:fs';
import koffi from 'koffi';

const libc = koffi.load('libc.so.6');
const socket = libc.func('int socket(int, int, int)');
const bind = libc.func('int bind(int, void *, uint)');
const recv = libc.func('long recv(int, void *, size_t, int)');

const [path] = process.argv.slice(2);
rmSync(path, { force: true });
const [AF_UNIX, SOCK_DGRAM] = [1, 2];
const fd = socket(AF_UNIX, SOCK_DGRAM, 0);
const family = Buffer.alloc(2);
family.writeUInt16LE(AF_UNIX);
const address = Buffer.concat([family, Buffer.from(`${path}\0`)]);
if (bind(fd, address, address.length) !== 0) throw new Error(`bind of ${path}`);
process.stdout.write('\n');

const bytes = Buffer.alloc(1 << 16);
for (;;) {
  const length = await new Promise((resolve, reject) => {
    recv.async(fd, bytes, bytes.length, 0, (error, got) => (error ? reject(error) : resolve(got)));
  });
  process.stdout.write(`${bytes.subarray(0, Number(length)).toString('base64')}\n`);
}
