/**
 * A commit, which never leaves a moment without a table. It
 *
 *     1. attaches what is missing, under a generation that lets pass what the hook would judge
 *     2. fills in the ids of control groups for the slot that the new generation will read
 *     3. loads and pins the new generation
 *     4. swaps: one system call, which returns when no program walks the old generation any more
 *     5. folds the old counters into the new generation's base, and unpins the old generation; its map is kept for
 *        the next one (spare.ts)
 *     6. detaches what is not needed any more
 *
 * Whatever is interrupted up to 4 leaves the old table; what is interrupted later leaves the new one,
 * and the next command does what is left of 5. What an older release has put in force is taken over
 * first (upgrade.ts); programs of the same format but another release are replaced between 1 and 2.
 *
 * With a deadline the old generation keeps its pin and stands in the table's other slot: past the
 * deadline programs walk it again, whatever has become of those who set it. Only `confirm` and `undo`
 * change anything until then.
 */
import { clockOffsets } from '@sockfilter/bpf';
import { detach } from './attachment.js';
import { clearBuckets } from './bucketmap.js';
import { readSlots, type Totals } from './generationmap.js';
import { setSlotsOf } from './heldsets.js';
import { JUDGING_HOOKS } from './hooks.js';
import {
  clearFallback,
  fold,
  type LoadedGeneration,
  loadPinned,
  putInForce,
  setFallback,
  unpinOthers,
} from './inforce.js';
import type { Maps } from './maps.js';
import type { Draft } from './partchange.js';
import type { Registered } from './pathmap.js';
import type { Pins } from './pins.js';
import { prepareRoot } from './preparation.js';
import { programDigest } from './programs.js';
import { dropSets, placeSets, type SetSlots } from './setmap.js';
import { keepSpare } from './spare.js';
import { assignSlots, clearSlots, type Slots, writeClock } from './statemap.js';
import type { Place } from './upgrade.js';

/** What is to be in force, and what is. */
export interface Swap {
  readonly draft: Draft;
  /** The groups of the draft. */
  readonly wanted: Registered | undefined;
  readonly last: LoadedGeneration;
}

/** A draft that is in force. */
export interface Swapped {
  readonly next: LoadedGeneration;
  /** The final counters of the generation before. */
  readonly before: Totals;
  /** The slots of its sets. */
  readonly setSlots: SetSlots;
}

/** Steps 1 to 5. */
export function swap(
  { pins, environment }: Place,
  maps: Maps,
  { draft, wanted, last }: Swap,
): Swapped {
  const { tree } = environment;
  const ids = prepareRoot(pins, tree, maps, {
    last: last.header,
    wanted,
    needs: draft.needs,
    mendsIds: draft.isWhole,
  });
  const slots = placeTests(maps, draft, last);
  const setSlots = placeSets(maps, draft.sets, draft.setOrigins, setSlotsOf(last));
  const laid = draft.lay({
    sequence: last.header.sequence + 1,
    idSlot: ids.slot,
    idEpoch: ids.epoch,
    programs: programDigest(),
    slots,
    setSlots,
  });
  const next = loadPinned(pins, maps.table, laid);
  const isTrial = draft.confirmWithin !== undefined;
  if (isTrial) setFallback(maps.table, last);
  putInForce(maps.table, next);
  const before = fold(last, next);
  if (!isTrial) keepSpare(pins, last, laid.pageCount);
  unpinOthers(pins, next, ...(isTrial ? [last] : []));
  return { next, before, setSlots };
}

/** Step 6: lets go of the slots of sets of what is not in force any more, and of hooks. */
export function letGo(
  pins: Pins,
  maps: Maps,
  { needs }: Draft,
  { gone, kept }: { readonly gone: SetSlots; readonly kept: SetSlots },
): void {
  clearFallback(maps.table);
  dropSets(maps, gone, kept);
  for (const hook of JUDGING_HOOKS) if (!needs(hook)) detach(pins, hook);
}

/** Gives the opaque tests of the draft slots: new ones are cleared before anything asks them. */
function placeTests(
  { states, buckets }: Maps,
  { stateful, testOrigins }: Draft,
  last: LoadedGeneration,
): Slots {
  const inUse = readSlots(last.fd, last.header);
  const slots = assignSlots(stateful, testOrigins, inUse);
  clearSlots(states, slots, inUse);
  clearBuckets(buckets, inUse);
  writeClock(states, clockOffsets());
  return slots;
}
