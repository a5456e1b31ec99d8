/** A packet that stands for a set, as ordinary as the set allows. */
import {
  BUILTIN_CHAINS,
  type BuiltinChain,
  CHAINS,
  chainNumber,
  detailRecord,
  elementAt,
  type Family,
  FIELD_BITS,
  type Field,
  type Packet,
  PROTOCOL,
  packetDetails,
} from '@sockfilter/table';
import { fieldBits, firstPiece, pieceAt } from '../piece.js';
import type { Ref } from '../store.js';
import { Meeting } from './meeting.js';
import type { PacketSet } from './packetset.js';
import { OUT, type SetStore } from './setstore.js';

/** What is known of the packet when a later field is chosen. */
interface Chosen {
  readonly chain: BuiltinChain;
  readonly family: Family;
  readonly protocol: number;
}

const CHAIN_ORDER = BUILTIN_CHAINS.toSorted(
  (a, b) => CHAINS[a].exampleRank - CHAINS[b].exampleRank,
);

/** Addresses of ours and of others that documentation may use (RFC 5737, RFC 3849). */
const LOCAL: Readonly<Record<Family, readonly bigint[]>> = {
  4: [0xc0000201n],
  6: [0x20010db8_00000000_00000000_00000001n],
};
const REMOTE: Readonly<Record<Family, readonly bigint[]>> = {
  4: [0xc6336401n],
  6: [0x20010db8_00000001_00000000_00000001n],
};

const SERVER_PORTS = [443n, 80n, 53n, 8080n];
const CLIENT_PORTS = [40000n];
const OWNERS = [1000n, 0n];

const unbound = (chain: BuiltinChain) => (CHAINS[chain].usuallyUnbound ? [0n] : []);

/** Values to try, best first, before the lowest that the set has. */
const ORDINARY: Readonly<Record<Field, (chosen: Chosen) => readonly bigint[]>> = {
  chain: () => CHAIN_ORDER.map((chain) => BigInt(chainNumber(chain))),
  group: () => [],
  family: () => [4n, 6n],
  protocol: () => [BigInt(PROTOCOL.tcp), BigInt(PROTOCOL.udp)],
  source: ({ chain, family }) =>
    CHAINS[chain].ours === 'source' ? [...unbound(chain), ...LOCAL[family]] : REMOTE[family],
  destination: ({ chain, family }) =>
    CHAINS[chain].ours === 'destination' ? LOCAL[family] : REMOTE[family],
  destinationPort: () => SERVER_PORTS,
  sourcePort: ({ chain }) => [...unbound(chain), ...CLIENT_PORTS],
  flags: () => [],
  uid: () => OWNERS,
  gid: () => OWNERS,
  mark: () => [0n],
  ...detailRecord(() => () => [0n]),
  chance: () => [],
  persistence: () => [],
};

interface Choice<R> {
  readonly value: bigint;
  readonly rest: R;
}

/** A set of packets as it is walked piece by piece: what is left of it is an `R`. */
interface Walkable<R> {
  /** What is left where the piece has the value; undefined if that is nothing. */
  readonly follow: (rest: R, piece: number, value: number) => R | undefined;
  /** The same of the lowest value of the piece of which something is left. */
  readonly lowest: (rest: R, piece: number) => { readonly value: number; readonly rest: R };
}

/** Walks a set field by field, and never into the part that is empty. */
class Chooser<R> {
  readonly #set: Walkable<R>;
  #rest: R;

  constructor(set: Walkable<R>, whole: R) {
    this.#set = set;
    this.#rest = whole;
  }

  choose(field: Field, chosen: Chosen): bigint {
    const bits = fieldBits(field, chosen.family);
    const first = firstPiece(field) + (FIELD_BITS[field] - bits) / Math.min(bits, 16);
    const choice = this.#best(field, first, ORDINARY[field](chosen));
    this.#rest = choice.rest;
    return choice.value;
  }

  #best(field: Field, first: number, candidates: readonly bigint[]): Choice<R> {
    for (const value of candidates) {
      const rest = this.#follow(first, value);
      if (rest !== undefined) return { value, rest };
    }
    const lowest = this.#lowest(first);
    // A network's first address is seldom a host's.
    const isNetwork = (field === 'source' || field === 'destination') && !(lowest.value & 0xffn);
    const value = lowest.value + 1n;
    const rest = isNetwork ? this.#follow(first, value) : undefined;
    return rest === undefined ? lowest : { value, rest };
  }

  #follow(first: number, value: bigint): R | undefined {
    let rest = this.#rest;
    for (let piece = first; ; piece++) {
      const { shift, bits } = pieceAt(piece);
      const part = Number((value >> BigInt(shift)) & BigInt((1 << bits) - 1));
      const left = this.#set.follow(rest, piece, part);
      if (left === undefined) return undefined;
      rest = left;
      if (shift === 0) return rest;
    }
  }

  #lowest(first: number): Choice<R> {
    let rest = this.#rest;
    let value = 0n;
    for (let piece = first; ; piece++) {
      const { shift } = pieceAt(piece);
      const lowest = this.#set.lowest(rest, piece);
      value |= BigInt(lowest.value) << BigInt(shift);
      rest = lowest.rest;
      if (shift === 0) return { value, rest };
    }
  }
}

/** A set that is a diagram. */
function walkSet({ diagrams }: SetStore): Walkable<Ref> {
  const asks = (ref: Ref, piece: number) => diagrams.pieceOf(ref) === piece;
  return {
    follow: (ref, piece, value) => {
      const rest = asks(ref, piece) ? diagrams.follow(ref, value) : ref;
      return rest === OUT ? undefined : rest;
    },
    lowest: (ref, piece) => {
      if (!asks(ref, piece)) return { value: 0, rest: ref };
      let edge = diagrams.firstEdge(ref);
      while (diagrams.edgeTarget(edge) === OUT) edge++;
      return { value: diagrams.edgeStart(edge), rest: diagrams.edgeTarget(edge) };
    },
  };
}

/** A packet of the set, with usual values where the set leaves the choice; undefined if it is empty. */
export function witness(set: PacketSet): Packet | undefined {
  return set.ref === OUT ? undefined : choosePacket(new Chooser(walkSet(set.store), set.ref));
}

/** As witness(), of the packets of the set that the diagram leads to the terminal; no set is made of them. */
export function witnessWithin(set: PacketSet, diagram: Ref, terminal: Ref): Packet | undefined {
  const meeting = new Meeting(set.store.diagrams, terminal);
  const whole = [set.ref, diagram] as const;
  return meeting.exists(...whole) ? choosePacket(new Chooser(meeting, whole)) : undefined;
}

function choosePacket<R>(chooser: Chooser<R>): Packet | undefined {
  const [firstExample] = CHAIN_ORDER;
  if (!firstExample) return undefined;
  let chosen: Chosen = { chain: firstExample, family: 4, protocol: PROTOCOL.tcp };
  const number = (field: Field) => Number(chooser.choose(field, chosen));
  chosen = { ...chosen, chain: elementAt(BUILTIN_CHAINS, number('chain')) };
  const group = number('group');
  chosen = { ...chosen, family: number('family') === 4 ? 4 : 6 };
  chosen = { ...chosen, protocol: number('protocol') };
  return {
    ...chosen,
    group,
    source: chooser.choose('source', chosen),
    destination: chooser.choose('destination', chosen),
    destinationPort: number('destinationPort'),
    sourcePort: number('sourcePort'),
    flags: number('flags'),
    uid: number('uid'),
    gid: number('gid'),
    mark: number('mark'),
    ...packetDetails((detail) => chooser.choose(detail, chosen)),
  };
}
