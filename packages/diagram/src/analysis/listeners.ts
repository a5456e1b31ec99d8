/**
 * Which listening sockets no peer may reach. What ACCEPT makes of a SYN depends on who sends it; with the
 * peer forgotten, it says whether there is anybody.
 */
import { chainNumber, DETAIL_NAMES, type Field } from '@sockfilter/table';
import { type Diagram, verdictRoot } from '../diagram.js';
import { DEFAULT_LIMITS, LimitError } from '../limit.js';
import { firstPiece, pieceAt } from '../piece.js';
import { DiagramStore, type Ref } from '../store.js';
import { IN, OUT, SetStore } from './setstore.js';

/** What of ACCEPT's packet is the listener's: its group and owner, and its address and port as far as it is bound. */
export interface Listeners {
  readonly store: DiagramStore;
  /** Of listeners at an address, at the wildcard of one family, and at `::` for both; CLOSED where nobody may come. */
  readonly roots: readonly [bound: Ref, wildcard: Ref, dual: Ref];
}

/** The terminal of listeners that no peer may reach. */
export const CLOSED: Ref = OUT;

/** Room and time: a table that asks for more goes without. */
const LIMITS = { ...DEFAULT_LIMITS, poolEdges: 1_000_000, steps: 3_000_000 };

/** accept(2) is judged without the details of a SYN: any will do. */
const PEER: readonly Field[] = ['source', 'sourcePort', ...DETAIL_NAMES];
const FORGOTTEN: readonly (readonly Field[])[] = [
  PEER,
  [...PEER, 'destination'],
  [...PEER, 'destination', 'family'],
];

/** Tells of a terminal whether packets are accepted there, if opaque tests only say the right thing. */
function acceptance({ outcomes }: Diagram): (terminal: Ref) => boolean {
  const known = new Map<Ref, boolean>();
  const mayAccept = (terminal: Ref): boolean => {
    const before = known.get(terminal);
    if (before !== undefined) return before;
    const { verdict, ask } = outcomes.of(terminal);
    const may = ask ? mayAccept(ask.holds) || mayAccept(ask.fails) : verdict?.errno === 0;
    known.set(terminal, may);
    return may;
  };
  return mayAccept;
}

function forgetPeers(diagram: Diagram): Listeners {
  const mayAccept = acceptance(diagram);
  const sets = new SetStore(LIMITS, () => IN);
  const root = verdictRoot(diagram);
  const isApart = diagram.store.pieceOf(root) === firstPiece('chain');
  const accept = isApart ? diagram.store.follow(root, chainNumber('ACCEPT')) : root;
  const reached = sets.diagrams.copyOne(diagram.store, accept, (terminal) =>
    mayAccept(terminal) ? IN : OUT,
  );
  const forget = (fields: readonly Field[]) =>
    sets.forget(reached, (piece) => fields.includes(pieceAt(piece).field));
  // The copy holds no garbage.
  const store = new DiagramStore(LIMITS);
  const [bound, wildcard, dual] = store.copy(sets.diagrams, FORGOTTEN.map(forget), (ref) => ref);
  if (bound === undefined || wildcard === undefined || dual === undefined)
    throw new TypeError('a copy of three diagrams has three roots');
  return { store, roots: [bound, wildcard, dual] };
}

/** What the diagram of a table says of listeners; undefined where that costs too much to find out. */
export function listeners(diagram: Diagram): Listeners | undefined {
  if (diagram.layered.has('ACCEPT')) return undefined;
  try {
    return forgetPeers(diagram);
  } catch (error) {
    if (error instanceof LimitError) return undefined;
    throw error;
  }
}
