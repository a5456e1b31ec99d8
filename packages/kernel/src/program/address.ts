/** IPv6 addresses as four words of a context or a socket, in network byte order. */
import { type Item, jumpIf, mov, movImm32, or, R1, R2, toBig } from '@sockfilter/bpf';
import { put32 } from './stack.js';

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
