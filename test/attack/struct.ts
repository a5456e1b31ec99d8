/** Structures for the kernel, laid out by offset; numbers are little-endian unless said otherwise. */
import type { Memory, SocketAddress } from '../harness/caller.js';

export class Struct {
  readonly #bytes: Buffer;
  readonly #pointers: { readonly at: number; readonly to: Memory }[] = [];

  constructor(size: number) {
    this.#bytes = Buffer.alloc(size);
  }

  static of(bytes: Buffer | string): Struct {
    const content = Buffer.from(bytes);
    const struct = new Struct(content.length);
    content.copy(struct.#bytes);
    return struct;
  }

  get size(): number {
    return this.#bytes.length;
  }

  u8(at: number, value: number): this {
    this.#bytes.writeUInt8(value, at);
    return this;
  }

  u16(at: number, value: number): this {
    this.#bytes.writeUInt16LE(value, at);
    return this;
  }

  u32(at: number, value: number): this {
    this.#bytes.writeUInt32LE(value >>> 0, at);
    return this;
  }

  i32(at: number, value: number): this {
    this.#bytes.writeInt32LE(value, at);
    return this;
  }

  u64(at: number, value: number): this {
    this.#bytes.writeBigUInt64LE(BigInt(value), at);
    return this;
  }

  bytes(at: number, value: Uint8Array): this {
    this.#bytes.set(value, at);
    return this;
  }

  pointer(at: number, to: Memory): this {
    this.#pointers.push({ at, to });
    return this;
  }

  /** What is sent to the caller: the getters are none of the object's own. */
  toJSON(): Memory {
    return { hex: this.hex, pointers: this.#pointers };
  }

  get hex(): string {
    return this.#bytes.toString('hex');
  }

  get pointers(): readonly { readonly at: number; readonly to: Memory }[] {
    return this.#pointers;
  }
}

export const isIpv6 = (address: string): boolean => address.includes(':');

/** Bytes of the sockaddr that a `{ sockaddr }` memory becomes. */
export const sockaddrSize = ({ address }: SocketAddress): number => (isIpv6(address) ? 28 : 16);

/** The four bytes of an IPv4 address. */
export function ipv4Bytes(address: string): Buffer {
  return Buffer.from(address.split('.').map(Number));
}

/** The sixteen bytes of an IPv6 address. */
export function ipv6Bytes(address: string): Buffer {
  const [head = '', tail = ''] = address.split('::');
  const groups = (text: string) => text.split(':').filter((group) => group !== '');
  const before = groups(head);
  const after = groups(tail);
  const zeros = Array<string>(8 - before.length - after.length).fill('0');
  const all = [...before, ...zeros, ...after];
  return Buffer.from(all.map((group) => group.padStart(4, '0')).join(''), 'hex');
}

/** A control message: `struct cmsghdr` with its data, padded. */
export function controlMessage(level: number, type: number, data: Struct | Buffer): Buffer {
  const content = Buffer.isBuffer(data) ? data : Buffer.from(data.hex, 'hex');
  const message = Buffer.alloc((16 + content.length + 7) & ~7);
  message.writeBigUInt64LE(BigInt(16 + content.length), 0);
  message.writeInt32LE(level, 8);
  message.writeInt32LE(type, 12);
  content.copy(message, 16);
  return message;
}

export interface Message {
  readonly to?: SocketAddress;
  readonly data?: string | Buffer;
  readonly control?: Buffer;
}

/** Writes a `struct msghdr` (56 bytes) at an offset. */
export function putMessage(into: Struct, at: number, message: Message): Struct {
  const { to, data = 'x', control } = message;
  const text = Struct.of(data);
  if (to) into.pointer(at, { sockaddr: to }).u32(at + 8, sockaddrSize(to));
  into.pointer(at + 16, new Struct(16).pointer(0, text).u64(8, text.size)).u64(at + 24, 1);
  if (control) into.pointer(at + 32, Struct.of(control)).u64(at + 40, control.length);
  return into;
}

export const messageHeader = (message: Message): Struct => putMessage(new Struct(56), 0, message);
