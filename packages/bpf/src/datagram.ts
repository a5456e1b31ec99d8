/** Datagrams to a socket that has a path, unix(7): node has none. */
import { BpfError } from './error.js';
import { close, cString, type Fd, linux, type Syscalls } from './syscall.js';

const AF_UNIX = 1;
const SOCK_DGRAM_CLOEXEC = 2 | 0o2000000;
const SOL_SOCKET = 1;
const SO_SNDTIMEO = 21;
const MSG_NOSIGNAL = 0x4000;
/** sizeof(sun_path), with the NUL. */
const PATH_BYTES = 108;

/** struct sockaddr_un. Throws RangeError for a path that is too long. */
function addressOf(path: string): Uint8Array {
  const name = cString(path);
  if (name.length > PATH_BYTES) throw new RangeError(`a path of ${name.length} bytes`);
  const address = new Uint8Array(2 + name.length);
  new DataView(address.buffer).setUint16(0, AF_UNIX, true);
  address.set(name, 2);
  return address;
}

/** A socket that sends to whoever is bound to the path at the moment. */
export class DatagramSender {
  readonly #sys: Syscalls;
  readonly #fd: Fd;
  readonly #address: Uint8Array;

  /** @param seconds how long a send waits for a receiver that is slow */
  constructor(path: string, seconds: number, sys: Syscalls = linux) {
    this.#sys = sys;
    this.#address = addressOf(path);
    const fd = sys.call('socket', AF_UNIX, SOCK_DGRAM_CLOEXEC, 0);
    if (fd < 0) throw new BpfError('socket', -fd);
    this.#fd = fd;
    // struct timeval.
    const patience = new Uint8Array(BigInt64Array.of(BigInt(seconds), 0n).buffer);
    const set = sys.call('setsockopt', fd, SOL_SOCKET, SO_SNDTIMEO, patience, patience.length);
    if (set < 0) throw new BpfError('setsockopt', -set);
  }

  /** False if it was not taken: nobody is there, or too slow. */
  send(bytes: Uint8Array): boolean {
    const to = this.#address;
    return (
      this.#sys.call('sendto', this.#fd, bytes, bytes.length, MSG_NOSIGNAL, to, to.length) >= 0
    );
  }

  close(): void {
    close(this.#fd, this.#sys);
  }
}
