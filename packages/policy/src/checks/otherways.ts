/**
 * What one chain refuses and another lets through. Each pair says which calls come to the same: those
 * that agree in what both have, perhaps one as its source and the other as its destination. Where the
 * chain itself accepts one of them, nothing is had that it does not give.
 */
import {
  type Box,
  intersect,
  isEmpty,
  mirror,
  otherEnd,
  project,
  subtract,
  witness,
} from '@sockfilter/diagram';
import {
  type BuiltinChain,
  type Field,
  fieldValue,
  type Packet,
  PROTOCOL,
} from '@sockfilter/table';
import { allAddresses } from '../address.js';
import { type Check, type CheckContext, chainSet } from '../context.js';
import type { Finding } from '../finding.js';
import { ownerNote } from '../rulefile.js';

interface Pair {
  readonly refusing: BuiltinChain;
  readonly open: BuiltinChain;
  /** What a call of the refusing chain and one of the open chain have in common, named as the first has it. */
  readonly shared: readonly Field[];
  /** Whether the open chain has the other end of each field there. */
  readonly isMirrored: boolean;
  /** Whether many policies mean to leave it. */
  readonly isOftenMeant: boolean;
  readonly message: string;
  readonly fix: string;
}

const CALLER: readonly Field[] = ['group', 'family', 'protocol', 'uid', 'gid', 'mark'];
const TO: readonly Field[] = [...CALLER, 'destination', 'destinationPort'];

/** udp to or at an address that is one: BIND has others. */
const DATAGRAMS: Box = {
  protocol: [[BigInt(PROTOCOL.udp), BigInt(PROTOCOL.udp)]],
  destination: [[1n, allAddresses(6)[1]]],
};

const PAIRS: readonly Pair[] = [
  {
    refusing: 'CONNECT',
    open: 'SENDTO',
    shared: TO,
    isMirrored: false,
    isOftenMeant: false,
    message: '`CONNECT` refuses udp here to where `SENDTO` lets datagrams go without it',
    fix: 'refuse the same in SENDTO: jump from both chains to one of your own',
  },
  {
    refusing: 'SENDTO',
    open: 'CONNECT',
    shared: TO,
    isMirrored: false,
    isOftenMeant: false,
    message: '`SENDTO` refuses here what a socket that `CONNECT` lets connect sends all the same',
    fix: 'refuse the same in CONNECT: jump from both chains to one of your own',
  },
  {
    refusing: 'RECVFROM',
    open: 'CONNECT',
    shared: ['group', 'family', 'protocol', 'uid', 'source', 'sourcePort'],
    isMirrored: true,
    isOftenMeant: true,
    message:
      '`RECVFROM` refuses datagrams here that a socket receives which `CONNECT` lets connect',
    fix: 'refuse it in CONNECT too, unless answers to who connects are wanted',
  },
  {
    refusing: 'BIND',
    open: 'SENDTO',
    shared: TO,
    isMirrored: true,
    isOftenMeant: true,
    message: '`BIND` refuses an address here that `SENDTO` lets be a source (IP_PKTINFO)',
    fix: 'refuse it as a source too: `-A SENDTO -s ADDRESS -j DROP`',
  },
];

/** The calls that agree with the packet in what the pair shares, seen from the open chain. */
function alike({ shared, isMirrored }: Pair, packet: Packet): Box {
  return Object.fromEntries(
    shared.map((field) => {
      const value = fieldValue(packet, field);
      return [isMirrored ? otherEnd(field) : field, [[value, value]]];
    }),
  );
}

function* throughAnother(context: CheckContext, pair: Pair): Generator<Finding> {
  const { file, loaded, universe, tracer } = context;
  const { refusing, open, shared, isMirrored } = pair;
  const datagrams = universe.box(DATAGRAMS);
  const here = intersect(chainSet(universe, refusing), datagrams);
  const given = project(intersect(context.accepted, here), shared);
  const refused = subtract(intersect(context.refused, here), given);
  if (isEmpty(refused)) return;
  const accepted = intersect(context.accepted, intersect(chainSet(universe, open), datagrams));
  const had = isMirrored ? mirror(accepted, shared.map(otherEnd)) : project(accepted, shared);
  const exposed = intersect(refused, had);
  for (const counter of loaded.deciders(exposed)) {
    const owner = loaded.ownerOf(counter);
    const packet = witness(intersect(exposed, loaded.decidedBy(counter)));
    const way = packet && witness(intersect(accepted, universe.box(alike(pair, packet))));
    if (!way) continue;
    const { decider } = tracer.decide(way);
    // A rule gives what a policy withholds: that is what rules are for.
    const isMeant = pair.isOftenMeant || (!owner.rule && decider.rule !== undefined);
    yield context.find(isMeant ? 'SF018' : 'SF017', {
      place: file.placeOf(owner.rule ?? owner.chain),
      message: pair.message,
      notes: [
        { message: `refused: ${context.witness(packet).call}` },
        ownerNote(file, decider, '', ` accepts ${context.witness(way).call}`),
      ],
      packet: way,
      fix: pair.fix,
    });
  }
}

export const findOtherWays: Check = function* (context) {
  for (const pair of PAIRS) yield* throughAnother(context, pair);
};
