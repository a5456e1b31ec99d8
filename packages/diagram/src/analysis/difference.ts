/** Two tables compared packet by packet. */
import { defineOperation } from '../operation.js';
import { isTerminal } from '../store.js';
import type { LoadedTable } from './loadedtable.js';
import { type PacketSet, packetSet } from './packetset.js';
import { markRef, OUT } from './setstore.js';

/** Where the verdicts of two tables differ; all three are empty if and only if the tables mean the same. */
export interface Difference {
  readonly newlyAccepted: PacketSet;
  readonly newlyRefused: PacketSet;
  /** Refused by both, with different errnos. */
  readonly otherErrno: PacketSet;
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
  const where = (mark: number) =>
    packetSet(
      store,
      store.select(compared, (terminal) => terminal === mark),
    );
  return {
    newlyAccepted: where(NEWLY_ACCEPTED),
    newlyRefused: where(NEWLY_REFUSED),
    otherErrno: where(OTHER_ERRNO),
  };
}
