/**
 * Another destination than the one that a call names: written into the call as it goes on, and remembered in the
 * socket. Of bind(2), so that what judges it once more judges what was asked for; of others, so that the caller hears
 * of the peer that it asked for (program/peer.ts).
 *
 * An entry of the socket's storage (BOUND) has addresses as four words in network order, of IPv4 in the last one.
 */
import {
  add,
  addImm,
  andImm,
  callHelper,
  type Item,
  jump,
  jumpIf,
  label,
  load,
  loadMap,
  lshImm,
  mov,
  movImm,
  movImm32,
  mulImm,
  or,
  R0,
  R1,
  R2,
  R3,
  R4,
  R6,
  R7,
  R8,
  R10,
  store,
  toBig,
} from '@sockfilter/bpf';
import type { Family } from '@sockfilter/table';
import { BOUND, HEADER, PEERS, REWRITES } from '../layout.js';
import { MAPS } from '../mapnames.js';
import { type LoadWord, MAPPED_WORD, putAddress6, WORDS } from './address.js';
import { CTX } from './callcontext.js';
import { chainBit, REFUSED } from './generation.js';
import { AS_BOUND, CONTEXT, LEADS, put16, REWRITTEN, slot } from './stack.js';

const CREATE = 1;

/** Where in the packet each piece of what is drawn lies, and where in an entry. */
const DRAWN = [
  [slot('chance', 0), BOUND.chance],
  [slot('chance', 1), BOUND.chance + 2],
  [slot('persistence'), BOUND.persistence],
] as const;

/** Where each place is in what the socket keeps of its peers. */
export const PEER_PLACES = Array.from(
  { length: PEERS.count },
  (_, n) => PEERS.first + n * BOUND.bytes,
);

/** Whether BIND may give a call another destination, at LEADS; r6 is the header. */
export function keepLeads(): readonly Item[] {
  return [
    load(4, R1, R6, HEADER.leadingChains),
    andImm(R1, chainBit('BIND')),
    store(4, R10, LEADS, R1),
  ];
}

/** r0 = what the map keeps in the socket in `socket`, 0 if there is none. */
export function findKept(
  map: 'bound' | 'peers',
  socket: readonly Item[],
  create: boolean,
): readonly Item[] {
  return [
    ...socket,
    loadMap(R1, MAPS[map]),
    movImm(R3, 0),
    movImm(R4, create ? CREATE : 0),
    callHelper('sk_storage_get'),
  ];
}

/** Forgets what an earlier bind(2) of the socket was given, where BIND gives some another destination. */
function forget(): readonly Item[] {
  return [
    load(4, R1, R10, LEADS),
    jumpIf('eq', R1, 0, 'led'),
    load(8, R6, R10, CONTEXT),
    load(8, R2, R6, CTX.sk),
    loadMap(R1, MAPS.bound),
    callHelper('sk_storage_delete'),
    jump('led'),
  ];
}

/** r1 = word n of the packet's destination, in network order. */
const packetWord: LoadWord = (n) => [
  load(2, R1, R10, slot('destination', 2 * n)),
  lshImm(R1, 16),
  load(2, R2, R10, slot('destination', 2 * n + 1)),
  or(R1, R2),
  toBig(R1, 32),
];

/** Puts the address and port that the call whose context is in r6 names into the entry in r7. */
function keepAsked(family: Family): readonly Item[] {
  const word = (at: number, n: number) => [
    load(4, R1, R6, at),
    store(4, R7, BOUND.asked + 4 * n, R1),
  ];
  const none = (n: number) => [movImm(R1, 0), store(4, R7, BOUND.asked + 4 * n, R1)];
  const high = [0, 1, 2];
  const address =
    family === 4
      ? [...high.flatMap(none), ...word(CTX.userIp4, 3)]
      : [
          load(2, R1, R10, slot('family')),
          jumpIf('eq', R1, 4, 'asked.mapped'),
          ...high.flatMap((n) => word(CTX.userIp6 + 4 * n, n)),
          jump('asked.word'),
          label('asked.mapped'),
          ...high.flatMap(none),
          label('asked.word'),
          ...word(CTX.userIp6 + 12, 3),
        ];
  return [
    ...address,
    load(4, R1, R6, CTX.userPort),
    toBig(R1, 16),
    store(4, R7, BOUND.askedPort, R1),
  ];
}

/** Puts the packet's destination into the entry in r7, as what the call is given. */
function keepGiven(): readonly Item[] {
  return [
    ...WORDS.flatMap((n) => [...packetWord(n), store(4, R7, BOUND.given + 4 * n, R1)]),
    load(2, R1, R10, slot('destinationPort')),
    store(4, R7, BOUND.givenPort, R1),
    load(2, R1, R10, slot('family')),
    store(4, R7, BOUND.family, R1),
  ];
}

/** Puts what the call has drawn into the entry in r7. */
function keepDrawn(): readonly Item[] {
  return DRAWN.flatMap(([from, to]) => [load(2, R1, R10, from), store(2, R7, to, R1)]);
}

/** Jumps to `target` unless the entry in r7 was given the packet's destination. */
function unlessGivenThis(target: string): readonly Item[] {
  const same = (at: number) => [load(4, R3, R7, at), jumpIf('ne', R1, R3, target)];
  return [
    load(2, R1, R10, slot('family')),
    ...same(BOUND.family),
    ...WORDS.flatMap((n) => [...packetWord(n), ...same(BOUND.given + 4 * n)]),
    load(2, R1, R10, slot('destinationPort')),
    ...same(BOUND.givenPort),
  ];
}

/** Remembers which peer the call whose context is in r6 asked for, if there is room for it; destroys r7 and r8. */
function keepPeer(family: Family): readonly Item[] {
  return [
    ...findKept('peers', [load(8, R2, R6, CTX.sk)], true),
    jumpIf('eq', R0, 0, 'peer.kept'),
    mov(R8, R0),
    ...PEER_PLACES.flatMap((at, n) => [
      mov(R7, R8),
      addImm(R7, at),
      ...unlessGivenThis(`peer.not${n}`),
      jump('peer.found'),
      label(`peer.not${n}`),
    ]),
    load(4, R1, R8, PEERS.next),
    mov(R2, R1),
    addImm(R2, 1),
    store(4, R8, PEERS.next, R2),
    andImm(R1, PEERS.count - 1),
    mulImm(R1, BOUND.bytes),
    mov(R7, R8),
    addImm(R7, PEERS.first),
    add(R7, R1),
    ...keepGiven(),
    label('peer.found'),
    ...keepAsked(family),
    label('peer.kept'),
  ];
}

/** Writes the packet's destination into the call whose context is in r6; a mapped address stays one. */
function writeCall(family: Family): readonly Item[] {
  const address =
    family === 4
      ? [...packetWord(3), store(4, R6, CTX.userIp4, R1)]
      : [
          load(2, R1, R10, slot('family')),
          jumpIf('eq', R1, 4, 'led.mapped'),
          ...[0, 1, 2].flatMap((n) => [...packetWord(n), store(4, R6, CTX.userIp6 + 4 * n, R1)]),
          jump('led.word'),
          label('led.mapped'),
          movImm(R1, 0),
          store(4, R6, CTX.userIp6, R1),
          store(4, R6, CTX.userIp6 + 4, R1),
          movImm32(R1, MAPPED_WORD),
          store(4, R6, CTX.userIp6 + 8, R1),
          label('led.word'),
          ...packetWord(3),
          store(4, R6, CTX.userIp6 + 12, R1),
        ];
  return [
    ...address,
    load(2, R1, R10, slot('destinationPort')),
    toBig(R1, 16),
    store(4, R6, CTX.userPort, R1),
  ];
}

/**
 * Makes the destination of the call the packet's if a rule has rewritten that. A send without an address of its own
 * keeps its socket's peer whatever is written (udp_sendmsg), and is refused.
 */
export function applyDestination(
  chain: 'BIND' | 'CONNECT' | 'SENDTO',
  family: Family,
): readonly Item[] {
  const kept = chain === 'BIND';
  const own = [load(8, R2, R6, CTX.sk)];
  return [
    load(4, R1, R10, REWRITTEN),
    jumpIf('set', R1, REWRITES.destination, 'leads'),
    ...(kept ? forget() : [jump('led')]),
    label('leads'),
    load(8, R6, R10, CONTEXT),
    ...(chain === 'SENDTO' ? [load(4, R1, R6, CTX.userPort), jumpIf('eq', R1, 0, REFUSED)] : []),
    ...(kept
      ? [
          ...findKept('bound', own, true),
          jumpIf('eq', R0, 0, REFUSED),
          mov(R7, R0),
          ...keepAsked(family),
          ...keepGiven(),
          ...keepDrawn(),
        ]
      : keepPeer(family)),
    ...writeCall(family),
    label('led'),
  ];
}

/** Refuses a packet that is on its way already if a rule gives it another destination. */
export function refuseRewritten(refused: string): readonly Item[] {
  return [load(4, R1, R10, REWRITTEN), jumpIf('set', R1, REWRITES.destination, refused)];
}

const PIECES = [0, 1, 2, 3, 4, 5, 6, 7] as const;
const BOUND_PORT = AS_BOUND + 2 * PIECES.length;

/**
 * Turns the packet of a socket as it is bound into the bind(2) that was asked for, if that was given this
 * destination. `socket` leaves the struct bpf_sock, or the context that is one, in r2; r6 is the header. Destroys r8.
 * `name` begins its labels.
 */
export function putAskedBind(name: string, socket: readonly Item[]): readonly Item[] {
  const [asBound, portKnown] = [`${name}.asBound`, `${name}.portKnown`];
  const unlessGiven = (at: number, bytes: 2 | 4 = 4) => [
    load(bytes, R2, R8, at),
    jumpIf('ne', R1, R2, asBound),
  ];
  return [
    ...PIECES.flatMap((n) => [
      load(2, R1, R10, slot('destination', n)),
      store(2, R10, AS_BOUND + 2 * n, R1),
    ]),
    load(2, R1, R10, slot('destinationPort')),
    store(2, R10, BOUND_PORT, R1),
    ...socket,
    ...keepLeads(),
    jumpIf('eq', R1, 0, asBound),
    ...findKept('bound', [], false),
    jumpIf('eq', R0, 0, asBound),
    mov(R8, R0),
    load(2, R1, R10, slot('family')),
    ...unlessGiven(BOUND.family, 2),
    ...WORDS.flatMap((n) => [...packetWord(n), ...unlessGiven(BOUND.given + 4 * n)]),
    load(4, R2, R8, BOUND.givenPort),
    load(4, R3, R8, BOUND.askedPort),
    load(2, R1, R10, slot('destinationPort')),
    jumpIf('eq', R2, 0, portKnown),
    jumpIf('ne', R1, R2, asBound),
    mov(R1, R3),
    label(portKnown),
    ...put16('destinationPort', R1),
    ...putAddress6('destination', (n) => [load(4, R1, R8, BOUND.asked + 4 * n)]),
    ...DRAWN.flatMap(([to, from]) => [load(2, R1, R8, from), store(2, R10, to, R1)]),
    label(asBound),
  ];
}

/** Refuses what would have another destination than the socket is bound to, where BIND gives such. */
export function refuseUnlessBound(name: string, refused: string): readonly Item[] {
  return [
    load(4, R1, R10, LEADS),
    jumpIf('eq', R1, 0, `${name}.bound`),
    ...PIECES.flatMap((n) => [
      load(2, R1, R10, slot('destination', n)),
      load(2, R2, R10, AS_BOUND + 2 * n),
      jumpIf('ne', R1, R2, refused),
    ]),
    load(2, R1, R10, slot('destinationPort')),
    load(2, R2, R10, BOUND_PORT),
    jumpIf('ne', R1, R2, refused),
    label(`${name}.bound`),
  ];
}
