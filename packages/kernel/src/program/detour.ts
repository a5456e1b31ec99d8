/**
 * What leads a call elsewhere than to the address that it names.
 *
 * The address that a hook is shown is a prediction: routing options, an output device and another
 * thread can make it false. What would is refused while the chain can refuse, or overwritten with what
 * was judged. docs/security.md has the whole table, with the kernel's functions.
 */
import {
  type Item,
  jump,
  jumpIf,
  label,
  load,
  mov,
  movImm32,
  R1,
  R3,
  R8,
  R9,
  R10,
  store,
  toBig,
} from '@sockfilter/bpf';
import type { Family } from '@sockfilter/table';
import type { Ipv6Offsets, Offsets } from '../offsets.js';
import { CTX } from './callcontext.js';
import { REFUSED, UNREADABLE, unlessRefusing } from './generation.js';
import { follow, numberOf, peek, SPILL } from './stack.js';

/** The chains whose calls name a destination. */
export type SendingChain = 'CONNECT' | 'SENDTO';

/** Flow labels that a socket may hold: past them the call is refused. */
const MAX_LABELS = 8;

/** r3 = the kernel's address of the socket. */
export function socketNumber(): readonly Item[] {
  return [load(8, R1, R9, CTX.sk), ...numberOf(R1)];
}

/** r3 = where the ipcm_cookie of an IPv4 send has the source: its device and options lie behind. */
function cookieNumber(offsets: Offsets): readonly Item[] {
  return [...numberOf(R9), ...follow([offsets.callDetail], UNREADABLE)];
}

/**
 * Refuses IPv4 options with a source route (LSRR, SSRR): the kernel sends to the first host on it. A
 * send has its control message's options, else the socket's, in its cookie before the hook runs.
 */
function refuseSourceRoute(chain: SendingChain, offsets: Offsets): readonly Item[] {
  const options =
    chain === 'SENDTO'
      ? [...cookieNumber(offsets), ...follow([offsets.cookieOptions], UNREADABLE)]
      : [...socketNumber(), ...follow([offsets.inetOptions], UNREADABLE)];
  return [
    ...options,
    jumpIf('eq', R3, 0, 'noSourceRoute'),
    ...peek(offsets.optionsRoute, 1, UNREADABLE),
    jumpIf('ne', R3, 0, REFUSED),
    label('noSourceRoute'),
  ];
}

/** Refuses if the IPv6 options in r3, unless that is 0, have a routing header. */
function refuseRoutingHeader(ipv6: Ipv6Offsets, none: string): readonly Item[] {
  return [
    jumpIf('eq', R3, 0, none),
    ...follow([ipv6.optionsRoute], UNREADABLE),
    jumpIf('ne', R3, 0, REFUSED),
    label(none),
  ];
}

/** Refuses an IPv6 socket with a routing header: its own, or one of a flow label that it holds. */
function refuseRouting(ipv6: Ipv6Offsets): readonly Item[] {
  const labels = Array.from({ length: MAX_LABELS }, (_, n) => [
    jumpIf('eq', R3, 0, 'noLabel'),
    store(8, R10, SPILL, R3),
    ...follow([ipv6.label, ipv6.labelOptions], UNREADABLE),
    ...refuseRoutingHeader(ipv6, `label${n}`),
    load(8, R3, R10, SPILL),
    ...follow([ipv6.labelNext], UNREADABLE),
  ]).flat();
  return [
    ...socketNumber(),
    ...follow([ipv6.info, ipv6.options], UNREADABLE),
    ...refuseRoutingHeader(ipv6, 'noRouting'),
    ...socketNumber(),
    ...follow(ipv6.labels, UNREADABLE),
    ...labels,
    jumpIf('ne', R3, 0, REFUSED),
    label('noLabel'),
  ];
}

/** Refuses, while the chain can, a call whose packets go to another address first. */
export function refuseDetours(
  chain: SendingChain,
  family: Family,
  offsets: Offsets,
): readonly Item[] {
  // An IPv6 socket connects to a mapped address with its IPv4 options.
  const usesIpv4 = family === 4 || chain === 'CONNECT';
  return [
    ...unlessRefusing(chain, 'direct'),
    ...(usesIpv4 ? refuseSourceRoute(chain, offsets) : []),
    ...(family === 6 && offsets.ipv6 ? refuseRouting(offsets.ipv6) : []),
    label('direct'),
  ];
}

/**
 * Writes into the call, while the chain can refuse, the IPv4 address in r8, in host order, that an
 * unspecified one has been judged as: no other thread can change what it comes to.
 */
export function pinIpv4(chain: SendingChain, family: Family): readonly Item[] {
  return [
    ...unlessRefusing(chain, 'specified'),
    mov(R1, R8),
    toBig(R1, 32),
    store(4, R9, family === 4 ? CTX.userIp4 : CTX.userIp6 + 12, R1),
  ];
}

/** Writes four words, in network order, into the call as its IPv6 address; then goes to `target`. */
export function pinIpv6(
  chain: SendingChain,
  words: readonly number[],
  target: string,
): readonly Item[] {
  return [
    ...unlessRefusing(chain, target),
    ...words.flatMap((word, n) => [movImm32(R1, word), store(4, R9, CTX.userIp6 + 4 * n, R1)]),
    jump(target),
  ];
}
