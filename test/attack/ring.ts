/** io_uring of a caller's, without liburing: set up, mapped, written and read by hand. */
import type { Caller, SocketAddress } from '../harness/caller.js';
import { requireValue, syscall } from './moves.js';
import { Struct, sockaddrSize } from './struct.js';

export const SETUP = { plain: 0, sqpoll: 2 } as const;

/** Flags of an entry. */
export const ENTRY = { link: 4, hardlink: 8, async: 16 } as const;

const OPCODE = {
  sendmsg: 9,
  timeout: 11,
  connect: 16,
  send: 26,
  send_zc: 47,
  sendmsg_zc: 48,
  bind: 56,
  listen: 57,
} as const;

interface Entry {
  readonly opcode: keyof typeof OPCODE;
  readonly fd: number;
  readonly flags?: number;
}

export const entryOf = ({ opcode, fd, flags = 0 }: Entry): Struct =>
  new Struct(64).u8(0, OPCODE[opcode]).u8(1, flags).i32(4, fd);

export const connectEntry = (fd: number, to: SocketAddress, flags = 0): Struct =>
  entryOf({ opcode: 'connect', fd, flags }).u64(8, sockaddrSize(to)).pointer(16, { sockaddr: to });

const OFFSET_SQES = 0x1000_0000;
const ENTER_GETEVENTS = 1;
const ENTER_SQ_WAKEUP = 2;
const ENTRIES = 8;
const ENTRY_BYTES = 64;

/** Where a field of the rings lies; byte offsets in `struct io_uring_params`. */
const PARAMS = {
  sqTail: 44,
  sqMask: 48,
  sqFlags: 56,
  sqArray: 64,
  cqHead: 80,
  cqTail: 84,
  cqes: 100,
};
const PARAMS_BYTES = 120;

const nameOf = (names: ReadonlyMap<number, string>, number: number): string =>
  names.get(number) ?? `E${number}`;

/** Those that an attempt may come to. */
const ERRNO: ReadonlyMap<number, string> = new Map([
  [1, 'EPERM'],
  [22, 'EINVAL'],
  [62, 'ETIME'],
  [95, 'EOPNOTSUPP'],
  [98, 'EADDRINUSE'],
  [99, 'EADDRNOTAVAIL'],
  [106, 'EISCONN'],
  [111, 'ECONNREFUSED'],
  [115, 'EINPROGRESS'],
  [125, 'ECANCELED'],
]);

export class Ring {
  readonly #caller: Caller;
  readonly #fd: number;
  readonly #rings: number;
  readonly #entries: number;
  readonly #params: Buffer;
  readonly #polled: boolean;
  #submitted = 0;
  #taken = 0;

  private constructor(
    caller: Caller,
    fd: number,
    rings: number,
    entries: number,
    params: Buffer,
    polled: boolean,
  ) {
    this.#caller = caller;
    this.#fd = fd;
    this.#rings = rings;
    this.#entries = entries;
    this.#params = params;
    this.#polled = polled;
  }

  static async create(caller: Caller, flags: number = SETUP.plain): Promise<Ring> {
    // The poller sleeps after so many milliseconds.
    const params = new Struct(PARAMS_BYTES).u32(8, flags).u32(16, 50);
    const made = await caller.call(syscall('io_uring_setup', ENTRIES, params));
    const fd = requireValue(made, 'io_uring_setup');
    const filled = Buffer.from(made.memory?.[0] ?? '', 'hex');
    return Ring.#map(caller, fd, filled, (flags & SETUP.sqpoll) !== 0);
  }

  static async #map(caller: Caller, fd: number, params: Buffer, polled: boolean): Promise<Ring> {
    const map = async (offset: number, length: number) =>
      requireValue(await caller.call(syscall('mmap', 0, length, 3, 0x8001, fd, offset)), 'mmap');
    // Both rings lie in one mapping since 5.4.
    const rings = await map(0, 4096);
    const entries = await map(OFFSET_SQES, ENTRIES * ENTRY_BYTES);
    return new Ring(caller, fd, rings, entries, params, polled);
  }

  /** The ring as another process has it, which has not been used yet. */
  handOver(caller: Caller, fd: number): Promise<Ring> {
    return Ring.#map(caller, fd, this.#params, this.#polled);
  }

  get fd(): number {
    return this.#fd;
  }

  /** Hands entries in and waits for all of them; what each came to, in the order of completion. */
  async run(...entries: readonly Struct[]): Promise<readonly string[]> {
    await this.submit(...entries);
    return this.complete(entries.length);
  }

  /** Hands entries in. */
  async submit(...entries: readonly Struct[]): Promise<void> {
    for (const entry of entries) {
      const at = this.#submitted % ENTRIES;
      const source = await this.#caller.call({ op: 'alloc', memory: entry });
      // Laid out there, so that its pointers have their addresses.
      const bytes = await this.#peek(requireValue(source, 'alloc'), ENTRY_BYTES);
      await this.#poke(this.#entries + at * ENTRY_BYTES, bytes.toString('hex'));
      await this.#poke(this.#field('sqArray') + 4 * at, new Struct(4).u32(0, at).hex);
      this.#submitted++;
    }
    await this.#poke(this.#field('sqTail'), new Struct(4).u32(0, this.#submitted).hex);
    await this.#enter(this.#polled ? 0 : entries.length, 0, this.#polled ? ENTER_SQ_WAKEUP : 0);
  }

  /** Waits for so many completions. */
  async complete(count: number): Promise<readonly string[]> {
    do await this.#enter(0, count, ENTER_GETEVENTS);
    while ((await this.#peek(this.#field('cqTail'), 4)).readUInt32LE(0) < this.#taken + count);
    const results: string[] = [];
    for (let n = 0; n < count; n++) {
      const at = this.#field('cqes') + 16 * (this.#taken++ % (2 * ENTRIES));
      const result = (await this.#peek(at, 16)).readInt32LE(8);
      results.push(result < 0 ? nameOf(ERRNO, -result) : 'ok');
    }
    await this.#poke(this.#field('cqHead'), new Struct(4).u32(0, this.#taken).hex);
    return results;
  }

  async close(): Promise<void> {
    await this.#caller.close(this.#fd);
  }

  #field(name: keyof typeof PARAMS): number {
    return this.#rings + this.#params.readUInt32LE(PARAMS[name]);
  }

  async #peek(address: number, length: number): Promise<Buffer> {
    const { memory } = await this.#caller.call({ op: 'peek', address, length });
    return Buffer.from(memory?.[0] ?? '', 'hex');
  }

  async #poke(address: number, hex: string): Promise<void> {
    await this.#caller.call({ op: 'poke', address, hex });
  }

  async #enter(submit: number, wait: number, flags: number): Promise<void> {
    const entered = await this.#caller.call(
      syscall('io_uring_enter', this.#fd, submit, wait, flags, 0, 0),
    );
    requireValue(entered, 'io_uring_enter');
  }
}
