/**
 * The hooks of getpeername(2) and of what recvmsg(2) says of a datagram's sender: who asked for a peer and was given
 * another hears of the one that it asked for, as with the kernel's own NAT. The context is struct bpf_sock_addr, whose
 * address and port are the answer; they refuse nothing.
 */
import {
  addImm,
  exit,
  type Item,
  jump,
  jumpIf,
  label,
  load,
  mov,
  movImm,
  type ProgramSpec,
  R0,
  R1,
  R2,
  R6,
  R7,
  R8,
  store,
  toBig,
} from '@sockfilter/bpf';
import type { Family } from '@sockfilter/table';
import { BOUND } from '../layout.js';
import { type LoadWord, unlessMapped, WORDS } from './address.js';
import { CTX } from './callcontext.js';
import { findKept, PEER_PLACES } from './destination.js';
import { LICENSE } from './generation.js';

/** What asks, and where it does. */
const ATTACH = {
  peername: { 4: 'inet4_getpeername', 6: 'inet6_getpeername' },
  recvmsg: { 4: 'udp4_recvmsg', 6: 'udp6_recvmsg' },
} as const;

export type Question = keyof typeof ATTACH;

const told: LoadWord = (n) => [load(4, R1, R6, CTX.userIp6 + 4 * n)];

/** r7 = the entry that was given the address, of which `words` are looked at; the place of `told` else. */
function findGiven(
  name: string,
  family: Family,
  word: LoadWord,
  words: readonly number[],
): readonly Item[] {
  return [
    ...PEER_PLACES.flatMap((at, n) => {
      const other = `${name}.not${n}`;
      const same = (field: number) => [load(4, R2, R7, field), jumpIf('ne', R1, R2, other)];
      return [
        mov(R7, R8),
        addImm(R7, at),
        movImm(R1, family),
        ...same(BOUND.family),
        ...words.flatMap((w) => [...word(w), ...same(BOUND.given + 4 * w)]),
        load(4, R1, R6, CTX.userPort),
        toBig(R1, 16),
        ...same(BOUND.givenPort),
        jump(`${name}.found`),
        label(other),
      ];
    }),
    jump('told'),
    label(`${name}.found`),
  ];
}

const tellWord = (at: number, n: number) => [
  load(4, R1, R7, BOUND.asked + 4 * n),
  store(4, R6, at, R1),
];

/** The answer of IPv4: one word. */
const answer4 = (): readonly Item[] => [
  ...findGiven('ipv4', 4, () => [load(4, R1, R6, CTX.userIp4)], [3]),
  ...tellWord(CTX.userIp4, 3),
];

/** Of an IPv6 socket a mapped address stays one. */
const answer6 = (): readonly Item[] => [
  ...unlessMapped(told, 'native'),
  ...findGiven('mapped', 4, told, [3]),
  ...tellWord(CTX.userIp6 + 12, 3),
  jump('address'),
  label('native'),
  ...findGiven('ipv6', 6, told, WORDS),
  ...WORDS.flatMap((n) => tellWord(CTX.userIp6 + 4 * n, n)),
  label('address'),
];

/** The program that answers the question on sockets of a family. Linux 5.8. */
export function peerProgram(question: Question, family: Family): ProgramSpec {
  return {
    name: `sf_${question}${family}`,
    type: 'cgroup_sock_addr',
    expectedAttachType: ATTACH[question][family],
    license: LICENSE,
    items: [
      mov(R6, R1),
      ...findKept('peers', [load(8, R2, R6, CTX.sk)], false),
      jumpIf('eq', R0, 0, 'told'),
      mov(R8, R0),
      ...(family === 4 ? answer4() : answer6()),
      load(4, R1, R7, BOUND.askedPort),
      toBig(R1, 16),
      store(4, R6, CTX.userPort, R1),
      label('told'),
      movImm(R0, 1),
      exit(),
    ],
  };
}
