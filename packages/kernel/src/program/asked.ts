/**
 * The address and port that a send asks for, at ASKED_ADDRESS and ASKED_PORT in network order.
 *
 * A connected socket's send that names no address comes by the hook all the same if it has a control
 * message: the context then has port 0, which a send that names an address never has (EINVAL before
 * the hook). CONNECT has judged where it goes, so it passes, unless the message names a source of its
 * own (IP_PKTINFO): that goes to SENDTO with the peer.
 */
import {
  addImm,
  type Item,
  jump,
  jumpIf,
  label,
  load,
  R1,
  R2,
  R3,
  R9,
  R10,
  store,
} from '@sockfilter/bpf';
import type { Family } from '@sockfilter/table';
import type { Offsets } from '../offsets.js';
import { WORDS } from './address.js';
import { CTX, SK } from './callcontext.js';
import { socketNumber } from './detour.js';
import { UNREADABLE } from './generation.js';
import { ASKED_ADDRESS, ASKED_PORT, follow, peek, probe, SPILL } from './stack.js';

const TCP_ESTABLISHED = 1;

/** Jumps to `passes` if the source of the message is the socket's, or is left to the kernel. */
function unlessOwnSource(family: Family, offsets: Offsets, passes: string): readonly Item[] {
  if (family === 4)
    return [
      load(4, R1, R9, CTX.msgSrcIp4),
      jumpIf('eq', R1, 0, passes),
      ...socketNumber(),
      ...peek(offsets.inetSaddr, 4, UNREADABLE),
      load(4, R1, R9, CTX.msgSrcIp4),
      jumpIf('eq', R1, R3, passes),
    ];
  if (offsets.ipv6 === undefined) return [];
  return [
    ...socketNumber(),
    ...follow([offsets.ipv6.info], UNREADABLE),
    addImm(R3, offsets.ipv6.source),
    ...probe(SPILL, 16, UNREADABLE),
    ...WORDS.flatMap((n) => [
      load(4, R1, R9, CTX.msgSrcIp6 + 4 * n),
      load(4, R2, R10, SPILL + 4 * n),
      jumpIf('ne', R1, R2, 'ownSource'),
    ]),
    jump(passes),
    label('ownSource'),
  ];
}

/** Puts what the send asks for, or jumps to `passes`. A socket that is being disconnected is refused. */
export function putAsked(family: Family, offsets: Offsets, passes: string): readonly Item[] {
  const words = family === 4 ? [0] : WORDS;
  const named = family === 4 ? CTX.userIp4 : CTX.userIp6;
  const peer = family === 4 ? SK.dstIp4 : SK.dstIp6;
  return [
    load(4, R1, R9, CTX.userPort),
    jumpIf('ne', R1, 0, 'named'),
    load(8, R2, R9, CTX.sk),
    load(4, R1, R2, SK.state),
    jumpIf('ne', R1, TCP_ESTABLISHED, UNREADABLE),
    ...unlessOwnSource(family, offsets, passes),
    load(8, R2, R9, CTX.sk),
    ...words.flatMap((n) => [
      load(4, R1, R2, peer + 4 * n),
      store(4, R10, ASKED_ADDRESS + 4 * n, R1),
    ]),
    load(2, R1, R2, SK.dstPort),
    jump('asked'),
    label('named'),
    ...words.flatMap((n) => [
      load(4, R2, R9, named + 4 * n),
      store(4, R10, ASKED_ADDRESS + 4 * n, R2),
    ]),
    label('asked'),
    store(4, R10, ASKED_PORT, R1),
  ];
}
