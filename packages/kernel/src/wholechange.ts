/** A change of the whole table: all of it is compiled. */
import { EMPTY_TABLE, hasState, type Table } from '@sockfilter/table';
import { bootTime } from './bootclock.js';
import { type CompiledTable, compileTable, type Generation, makeGeneration } from './generation.js';
import { isNeeded, tellsListeners } from './hooks.js';
import { FIRST_EPOCH } from './layout.js';
import type { Draft, Placement } from './partchange.js';
import { programDigest } from './programs.js';
import type { SetOrigins } from './setmap.js';
import type { TestOrigins } from './statemap.js';
import { encodeTraits, traitsOf } from './traits.js';

export interface Change {
  readonly table: Table;
  /** The table in the save format, as `read` is to give it back; in UTF-8 where that is at hand. */
  readonly text: string | Uint8Array;
  /** Whether the text is as printSave() has it, with nothing but a revision before it; not so, if left out. */
  readonly isPrinted?: boolean;
  /** For each counter the one of the table in force that it goes on; undefined: it starts anew. */
  readonly origins: readonly (number | undefined)[];
  /** For each opaque test the one of the table in force whose state it goes on; all anew, if left out. */
  readonly testOrigins?: TestOrigins;
  /** For each named set the one of the table in force that it goes on; all anew, if left out. */
  readonly setOrigins?: SetOrigins;
  /** Seconds after which it is undone unless it is confirmed. */
  readonly confirmWithin?: number;
}

const NS_PER_SECOND = 1_000_000_000n;

function layWhole(
  change: Change,
  compiled: CompiledTable,
  cpus: number,
  placement: Placement,
): Generation {
  const { confirmWithin, isPrinted = false } = change;
  const { hasParts } = compiled;
  return makeGeneration(compiled, {
    ...placement,
    text: change.text,
    cpus,
    traits: encodeTraits(traitsOf(change.table, { isPrinted, hasParts })),
    deadline: confirmWithin === undefined ? 0n : bootTime() + BigInt(confirmWithin) * NS_PER_SECOND,
    origins: change.origins,
    follows: true,
  });
}

/**
 * What a change of the whole table comes to, on a machine with so many CPUs. What can fail for the table's sake fails here, before
 * anything is touched: throws TableError, LimitError and CapacityError.
 */
export function draftWhole(change: Change, cpus: number): Draft {
  const { table } = change;
  const compiled = compileTable(table, { tellsListeners: tellsListeners(table) });
  return {
    groups: table.groups,
    isWhole: true,
    needs: (hook) => isNeeded(hook, table),
    sets: table.sets,
    setOrigins: change.setOrigins ?? [],
    stateful: compiled.tests.map(({ test }) => hasState(test)),
    testOrigins: change.testOrigins ?? [],
    confirmWithin: change.confirmWithin,
    lay: (placement) => layWhole(change, compiled, cpus, placement),
  };
}

/** The generation that lets everything pass. Its text is empty: nobody has asked for it. */
export function openGeneration(sequence: number, cpus: number): Generation {
  return makeGeneration(compileTable(EMPTY_TABLE), {
    text: '',
    sequence,
    idSlot: 0,
    idEpoch: FIRST_EPOCH,
    cpus,
    programs: programDigest(),
    traits: 0,
    deadline: 0n,
    origins: [],
    slots: [],
    setSlots: [],
    follows: false,
  });
}
