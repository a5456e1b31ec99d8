/**
 * What rules count that decide nothing themselves, in a table that rewrites calls.
 *
 * There the packets that come to a rule are not those that it describes, and the way on depends on what has been
 * made of them: so what is counted is read off diagrams that record it, as the kernel's do.
 */
import {
  BUILTIN_CHAINS,
  calledChain,
  counterOwners,
  ownErrno,
  type Table,
} from '@sockfilter/table';
import type { OutcomeTable } from '../outcome.js';
import { buildRecorded } from '../recorded.js';
import { type Ref, terminalRef } from '../store.js';
import type { FreeTests } from './freetests.js';
import type { Reached } from './reach.js';
import { OUT, type SetStore } from './setstore.js';

/** The packets that each rule counts which decides nothing itself, and the answers of tests, by counter. */
function countedPackets(store: SetStore, table: Table, tests: FreeTests): ReadonlyMap<number, Ref> {
  const counted = new Map<number, Ref>();
  counterOwners(table).forEach((owner, counter) => {
    if (ownErrno(owner) === undefined) counted.set(counter, OUT);
  });
  for (const { compiler, root } of buildRecorded(table, { asksSets: false }, store.limits)) {
    const { outcomes } = compiler;
    for (const counter of countersOf(outcomes)) {
      const before = counted.get(counter);
      if (before === undefined) continue;
      const known = new Map<Ref, Ref>();
      const found = store.diagrams.copyOne(compiler.store, root, (terminal) =>
        tests.counting(outcomes, terminal, counter, known),
      );
      counted.set(counter, store.union(before, store.intersect(store.possible, found)));
    }
  }
  return counted;
}

function countersOf(outcomes: OutcomeTable): ReadonlySet<number> {
  const found = new Set<number>();
  for (let n = 0; n < outcomes.length; n++)
    for (const counter of outcomes.of(terminalRef(n)).counted) found.add(counter);
  return found;
}

export function reachRewritten(store: SetStore, table: Table, tests: FreeTests): Reached {
  const counted = countedPackets(store, table, tests);
  const arriving = new Map<string, Ref>();
  for (const name of BUILTIN_CHAINS)
    arriving.set(name, store.intersect(store.possible, store.chain(name)));
  counterOwners(table).forEach(({ rule }, counter) => {
    const called = calledChain(rule?.target);
    if (called === undefined) return;
    const here = counted.get(counter) ?? OUT;
    arriving.set(called, store.union(arriving.get(called) ?? OUT, here));
  });
  return { counted, arriving };
}
