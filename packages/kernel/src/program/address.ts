/** IPv6 addresses as four words of a context or a socket, in network byte order. */
import {
  type Item,
  jump,
  jumpIf,
  label,
  load,
  mov,
  movImm32,
  or,
  R1,
  R2,
  type Register,
  toBig,
} from '@sockfilter/bpf';
import { put32, putConstant } from './stack.js';

/** r1 = word n of an address. */
export type LoadWord = (n: number) => readonly Item[];

export const WORDS = [0, 1, 2, 3] as const;

/** The third word of an IPv4-mapped address as it is loaded: 0000:ffff in network order. */
export const MAPPED_WORD = 0xffff_0000;

/** Jumps to `target` unless the words begin an IPv4-mapped address. */
export function unlessMapped(word: LoadWord, target: string): readonly Item[] {
  return [
    ...word(0),
    mov(R2, R1),
    ...word(1),
    or(R1, R2),
    jumpIf('ne', R1, 0, target),
    ...word(2),
    movImm32(R2, MAPPED_WORD),
    jumpIf('ne', R1, R2, target),
  ];
}

export function putAddress6(field: 'source' | 'destination', word: LoadWord): readonly Item[] {
  return WORDS.flatMap((n) => [...word(n), toBig(R1, 32), ...put32(field, R1, 2 * n)]);
}

/** Where struct bpf_sock (linux/bpf.h) has the address that a socket is bound to. */
const BOUND = { ip4: 24, ip6: 28 } as const;

/** The address that the struct bpf_sock at `socket` is bound to, as BIND has it; destroys r1 and r2. */
export function putBound4(socket: Register): readonly Item[] {
  return [
    load(4, R1, socket, BOUND.ip4),
    toBig(R1, 32),
    ...put32('destination', R1, 6),
    ...putConstant('family', 4),
  ];
}

/** The same of an IPv6 socket: a mapped address is IPv4. */
export function putBound6(socket: Register): readonly Item[] {
  const word: LoadWord = (n) => [load(4, R1, socket, BOUND.ip6 + 4 * n)];
  return [
    ...unlessMapped(word, 'bound.native'),
    ...word(3),
    toBig(R1, 32),
    ...put32('destination', R1, 6),
    ...putConstant('family', 4),
    jump('bound'),
    label('bound.native'),
    ...putAddress6('destination', word),
    ...putConstant('family', 6),
    label('bound'),
  ];
}
