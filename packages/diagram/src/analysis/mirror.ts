/** Sets with the two ends of every packet exchanged. */
import { elementAt, type Field } from '@sockfilter/table';
import { firstPiece, PIECES } from '../piece.js';
import { isTerminal, type Ref } from '../store.js';
import { type PacketSet, packetSet } from './packetset.js';
import { shadow } from './projection.js';
import { IN, OUT, type SetStore } from './setstore.js';

const OTHER_END: Partial<Readonly<Record<Field, Field>>> = {
  source: 'destination',
  destination: 'source',
  sourcePort: 'destinationPort',
  destinationPort: 'sourcePort',
};

/** The field that has at the other end what this one has here; itself if there is no other end. */
export function otherEnd(field: Field): Field {
  return OTHER_END[field] ?? field;
}

/** For each piece the one that has its value in the mirror. */
const MIRRORED = PIECES.map(({ field, index }) => firstPiece(otherEnd(field)) + index);

const LAST_MIRRORED = MIRRORED.findLastIndex((other, piece) => other !== piece);

/** The node's edges by what they lead to, without those that lead to OUT. */
function edgesByTarget({ diagrams }: SetStore, node: Ref): ReadonlyMap<Ref, readonly number[]> {
  const edges = new Map<Ref, number[]>();
  const end = diagrams.endEdge(node);
  for (let edge = diagrams.firstEdge(node); edge < end; edge++) {
    const target = diagrams.edgeTarget(edge);
    const known = edges.get(target);
    if (known) known.push(edge);
    else if (target !== OUT) edges.set(target, [edge]);
  }
  return edges;
}

/** The packets whose piece has a value of one of the node's edges. */
function valuesOf({ diagrams }: SetStore, node: Ref, edges: readonly number[], piece: number): Ref {
  const row = diagrams.row(piece);
  row.push(0, OUT);
  for (const edge of edges) {
    const start = diagrams.edgeStart(edge);
    if (start === 0) row.length = 0;
    row.push(start, IN);
    if (edge + 1 < diagrams.endEdge(node)) row.push(diagrams.edgeStart(edge + 1), OUT);
  }
  return diagrams.intern(piece);
}

/** The set with the values of each piece in its mirrored piece. */
function turn(store: SetStore, set: Ref): Ref {
  const { diagrams } = store;
  const known = new Map<Ref, Ref>();
  const visit = (node: Ref): Ref => {
    if (isTerminal(node) || diagrams.pieceOf(node) > LAST_MIRRORED) return node;
    let result = known.get(node);
    if (result === undefined) {
      result = store.overlayAll(partsOf(node));
      known.set(node, result);
    }
    return result;
  };
  /** What each target comes to, where the mirrored piece has the values that lead there. */
  const partsOf = (node: Ref): readonly Ref[] => {
    const piece = elementAt(MIRRORED, diagrams.pieceOf(node));
    return [...edgesByTarget(store, node)].map(([target, edges]) => {
      const inside = visit(target);
      return store.guard(valuesOf(store, node, edges, piece), inside);
    });
  };
  return visit(set);
}

/**
 * The possible packets that have, in the other end, what some packet of the set has in the fields of
 * `keep`: as their destination its source, as their source port its destination port. Fields without
 * another end are as they are; those that are not kept become free.
 */
export function mirror(set: PacketSet, keep: readonly Field[]): PacketSet {
  const { store } = set;
  return packetSet(store, store.intersect(store.possible, turn(store, shadow(set, keep))));
}
