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
import { isTerminal, type Ref } from '../store.js';
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
};

interface Choice {
  readonly value: bigint;
  readonly rest: Ref;
}

/** Walks a set field by field, and never into the part that is empty. */
class Chooser {
  readonly #store: SetStore;
  #ref: Ref;

  constructor({ store, ref }: PacketSet) {
    this.#store = store;
    this.#ref = ref;
  }

  choose(field: Field, chosen: Chosen): bigint {
    const bits = fieldBits(field, chosen.family);
    const first = firstPiece(field) + (FIELD_BITS[field] - bits) / Math.min(bits, 16);
    const choice = this.#best(field, first, ORDINARY[field](chosen));
    this.#ref = choice.rest;
    return choice.value;
  }

  #best(field: Field, first: number, candidates: readonly bigint[]): Choice {
    for (const value of candidates) {
      const rest = this.#follow(first, value);
      if (rest !== OUT) return { value, rest };
    }
    const lowest = this.#lowest(first);
    // A network's first address is seldom a host's.
    const isNetwork = (field === 'source' || field === 'destination') && !(lowest.value & 0xffn);
    const value = lowest.value + 1n;
    const rest = isNetwork ? this.#follow(first, value) : OUT;
    return rest === OUT ? lowest : { value, rest };
  }

  #asks(ref: Ref, piece: number): boolean {
    return !isTerminal(ref) && this.#store.diagrams.pieceOf(ref) === piece;
  }

  #follow(first: number, value: bigint): Ref {
    let ref = this.#ref;
    for (let piece = first; ; piece++) {
      const { shift, bits } = pieceAt(piece);
      const part = Number((value >> BigInt(shift)) & BigInt((1 << bits) - 1));
      if (this.#asks(ref, piece)) ref = this.#store.diagrams.follow(ref, part);
      if (shift === 0) return ref;
    }
  }

  #lowest(first: number): Choice {
    const { diagrams } = this.#store;
    let rest = this.#ref;
    let value = 0n;
    for (let piece = first; ; piece++) {
      const { shift } = pieceAt(piece);
      if (this.#asks(rest, piece)) {
        let edge = diagrams.firstEdge(rest);
        while (diagrams.edgeTarget(edge) === OUT) edge++;
        value |= BigInt(diagrams.edgeStart(edge)) << BigInt(shift);
        rest = diagrams.edgeTarget(edge);
      }
      if (shift === 0) return { value, rest };
    }
  }
}

/** A packet of the set, with usual values where the set leaves the choice; undefined if it is empty. */
export function witness(set: PacketSet): Packet | undefined {
  const [firstExample] = CHAIN_ORDER;
  if (set.ref === OUT || !firstExample) return undefined;
  const chooser = new Chooser(set);
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
