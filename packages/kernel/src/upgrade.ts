/**
 * Taking over from an older release, whose maps and generations have another format, with no call unjudged.
 *
 * The table stays what it is; what changes is who walks it. All that can be made beforehand is made in the
 * folder `next`, where no call meets it:
 *
 *     1. maps, with the table in force in this release's format, and tracepoints that keep its groups
 *     2. the old generation is marked as this release's: the older one leaves it alone from here on
 *     3. each hook's program is replaced in its link: a call is judged by one of them, by the same rules
 *     4. when no old program runs any more, the old counts are folded in
 *     5. pins of maps and tracepoints take the place of the old ones, the table's last
 *
 * What is interrupted before 2 is thrown away; later, the next command that changes something goes on. Each
 * step can be done again.
 */
import { clockOffsets } from '@sockfilter/bpf';
import { escapePath, hasState, type Table } from '@sockfilter/table';
import { assignGroups } from './assignment.js';
import { replacePrograms } from './attaching.js';
import { detach } from './attachment.js';
import { adoptCgroups } from './cgrouptree.js';
import type { Environment } from './environment.js';
import { compileTable, makeGeneration } from './generation.js';
import { isFolded, markFormat, readText } from './generationmap.js';
import {
  ANSWER_HOOKS,
  CALL_HOOKS,
  isNeeded,
  JUDGING_HOOKS,
  TRACEPOINTS,
  tellsListeners,
} from './hooks.js';
import { fold, type LoadedGeneration, loadPinned, putInForce } from './inforce.js';
import { FIRST_EPOCH } from './layout.js';
import { closeMaps, createMaps, MAP_NAMES, type Maps, openMaps } from './maps.js';
import { attachMissing, attachPossible } from './missinghooks.js';
import { registrationOf } from './pathmap.js';
import { GENERATION_PIN, type Pins, using } from './pins.js';
import { programDigest } from './programs.js';
import { placeSets } from './setmap.js';
import { assignSlots, writeClock } from './statemap.js';

/** Where it is to be done. */
export interface Place {
  readonly pins: Pins;
  readonly environment: Environment;
}

/** Removes what an interrupted upgrade, or one that has ended, has left in its folder. */
export function discardNext(pins: Pins): void {
  const next = pins.next();
  for (const name of next.list()) next.unpin(name);
  next.removeFolder();
}

/** Makes this release's maps with the table of the old generation in force in them, unmet by any call. */
function stage({ pins, environment }: Place, old: LoadedGeneration, table: Table): void {
  const compiled = compileTable(table, { tellsListeners: tellsListeners(table) });
  if (compiled.owners.length !== old.header.counters)
    throw new Error(
      `the table in force has ${old.header.counters} counters, not as many as its text`,
    );
  discardNext(pins);
  const next = pins.next();
  const maps = createMaps(next);
  // States begin anew: what those of an older release mean is its own.
  const states = compiled.tests.map(({ test }) => hasState(test));
  const slots = assignSlots(states, [], []);
  writeClock(maps.states, clockOffsets());
  try {
    const generation = loadPinned(
      next,
      maps.table,
      makeGeneration(compiled, {
        text: readText(old.fd, old.header),
        sequence: old.header.sequence + 1,
        idSlot: 0,
        idEpoch: FIRST_EPOCH,
        cpus: environment.cpus,
        programs: programDigest(),
        traits: 0,
        deadline: 0n,
        origins: compiled.owners.map((_, n) => n),
        slots,
        setSlots: placeSets(maps, table.sets, [], []),
        follows: true,
      }),
    );
    using(generation.fd, () => putInForce(maps.table, generation));
  } finally {
    closeMaps(maps);
  }
}

/** Has every control group's id in the maps that are to be, and kept there. */
function staff({ pins, environment: { tree } }: Place, maps: Maps, table: Table): void {
  const registered = registrationOf(table.groups, escapePath(tree.root));
  attachMissing(pins.next(), tree, maps, TRACEPOINTS);
  adoptCgroups(maps, tree);
  assignGroups(maps, tree, { slot: 0, epoch: FIRST_EPOCH }, registered);
}

function switchPrograms({ pins, environment: { tree } }: Place, maps: Maps, table: Table): void {
  const needed = CALL_HOOKS.filter((hook) => isNeeded(hook, table));
  replacePrograms(pins, tree, maps, needed);
  for (const hook of JUDGING_HOOKS) if (!needed.includes(hook)) detach(pins, hook);
  attachPossible(
    pins,
    tree,
    maps,
    ANSWER_HOOKS.filter((hook) => isNeeded(hook, table)),
  );
}

/** Moves the pins to where they are looked for; the table's goes last and says that all are there. */
function movePins(pins: Pins): void {
  const next = pins.next();
  const order = [
    ...TRACEPOINTS.map(({ name }) => name),
    ...next.list().filter((name) => GENERATION_PIN.test(name)),
    ...MAP_NAMES,
  ];
  for (const name of order) if (next.has(name)) next.rename(name, pins);
  discardNext(pins);
}

/** Puts this release's programs and maps in the place of an older one's. */
export function beginUpgrade(place: Place, old: LoadedGeneration, table: Table): void {
  const { pins } = place;
  stage(place, old, table);
  const maps = openMaps(pins.next());
  try {
    staff(place, maps, table);
  } finally {
    closeMaps(maps);
  }
  markFormat(old);
}

/**
 * Does what is left of an upgrade that has begun; `old` is the generation whose counts are not folded in,
 * if they are not.
 */
export function endUpgrade(
  place: Place,
  generation: LoadedGeneration,
  old: LoadedGeneration | undefined,
  table: Table,
): void {
  const { pins } = place;
  if (old && !isFolded(generation.fd, generation.header)) {
    const maps = openMaps(pins.next());
    try {
      // After a crash both may have been away for a while.
      staff(place, maps, table);
      switchPrograms(place, maps, table);
      // Returns when no old program runs any more.
      putInForce(maps.table, generation);
    } finally {
      closeMaps(maps);
    }
    fold(old, generation);
  }
  movePins(pins);
}
