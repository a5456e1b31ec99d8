/** Two tables compared packet by packet. */
import { agreement, type Rewriting } from '@sockfilter/table';
import { defineOperation } from '../operation.js';
import { isTerminal } from '../store.js';
import { isFreePiece } from './freepieces.js';
import type { LoadedTable } from './loadedtable.js';
import { intersect, type PacketSet, packetSet, subtract } from './packetset.js';
import { IN, markOf, markRef, OUT } from './setstore.js';

/**
 * Where the verdicts of two tables differ, or may differ: opaque tests have a say. All five are empty if and
 * only if the tables mean the same.
 */
export interface Difference {
  readonly newlyAccepted: PacketSet;
  readonly newlyRefused: PacketSet;
  /** Accepted or refused by both, as opaque tests say that are not the same. */
  readonly otherTest: PacketSet;
  /** Refused by both, with different errnos. */
  readonly otherErrno: PacketSet;
  /** Accepted by both, and may go on as other calls. */
  readonly otherRewriting: PacketSet;
}

const ACCEPTED = markRef(0);
const NEWLY_ACCEPTED = markRef(0);
const NEWLY_REFUSED = markRef(1);
const OTHER_ERRNO = markRef(2);

/** Both tables must be of one universe. */
export function difference(before: LoadedTable, after: LoadedTable): Difference {
  const { store } = before;
  if (store !== after.store) throw new TypeError('the tables belong to different universes');
  const compare = defineOperation(store.diagrams, (a, b) => {
    if (a === b) return OUT;
    if (!isTerminal(a) || !isTerminal(b)) return undefined;
    if (b === ACCEPTED) return NEWLY_ACCEPTED;
    return a === ACCEPTED ? NEWLY_REFUSED : OTHER_ERRNO;
  });
  const compared = compare(before.errnos, after.errnos);
  const { hasAny } = store.freePieces;
  const where = (mark: number) => {
    const found = store.select(compared, (terminal) => terminal === mark);
    return packetSet(store, hasAny ? store.forget(found, isFreePiece) : found);
  };
  const accepted = where(NEWLY_ACCEPTED);
  const refused = where(NEWLY_REFUSED);
  const otherTest = hasAny ? intersect(accepted, refused) : packetSet(store, OUT);
  return {
    newlyAccepted: subtract(accepted, otherTest),
    newlyRefused: subtract(refused, otherTest),
    otherTest,
    otherErrno: where(OTHER_ERRNO),
    otherRewriting: otherwiseRewritten(before, after),
  };
}

/** The packets that both may accept and that are others then. */
function otherwiseRewritten(before: LoadedTable, after: LoadedTable): PacketSet {
  const { store } = before;
  if (!before.rewrites && !after.rewrites) return packetSet(store, OUT);
  const pairs: (readonly [before: Rewriting, after: Rewriting])[] = [];
  const numbers = new Map<string, number>();
  const compare = defineOperation(store.diagrams, (a, b) => {
    if (a === b || a === OUT || b === OUT) return OUT;
    if (!isTerminal(a) || !isTerminal(b)) return undefined;
    const key = `${a} ${b}`;
    const number = numbers.get(key) ?? pairs.length;
    if (number === pairs.length) {
      numbers.set(key, number);
      pairs.push([store.rewritings.at(markOf(a)), store.rewritings.at(markOf(b))]);
    }
    return markRef(number);
  });
  const compared = compare(before.rewritings, after.rewritings);
  const parts = pairs.map(([first, second], number) => {
    const where = store.select(compared, (terminal) => terminal === markRef(number));
    const agreed = agreement(first, second);
    if (!agreed) return where;
    return store.subtract(where, store.conditions.compile(agreed, IN));
  });
  const found = store.overlayAll(parts, store.union);
  return packetSet(store, store.freePieces.hasAny ? store.forget(found, isFreePiece) : found);
}
