/** What opaque tests remember. A new state is all 0. */
import { type ClockOffsets, createMap, type Fd, update } from '@sockfilter/bpf';
import { CLOCK_STATE, STATE_BYTES, STATE_SLOTS } from './layout.js';

export function createStateMap(): Fd {
  return createMap({
    type: 'array',
    name: 'sf_states',
    keySize: 4,
    valueSize: STATE_BYTES,
    maxEntries: STATE_SLOTS,
  });
}

/** Which test of the table before each test goes on, `undefined` for one that starts anew. */
export type TestOrigins = readonly (number | undefined)[];

/** The slot of each test, 0 for one without a state. */
export type Slots = readonly number[];

/**
 * Gives each test with a state a slot: that of the test whose state it goes on, else one that is in no use.
 * There must be MAX_STATES at most.
 */
export function assignSlots(
  hasState: readonly boolean[],
  origins: TestOrigins,
  inUse: Slots,
): Slots {
  const taken = new Set(inUse);
  const kept = new Set<number>();
  let next = 0;
  return hasState.map((has, test) => {
    if (!has) return 0;
    const origin = origins[test];
    const old = origin === undefined ? undefined : inUse[origin];
    if (old !== undefined && old !== 0 && !kept.has(old)) {
      kept.add(old);
      return old;
    }
    do next++;
    while (taken.has(next));
    return next;
  });
}

/** Says how the clocks stand to each other. */
export function writeClock(states: Fd, { tai, minutesWest }: ClockOffsets): void {
  const state = new Uint8Array(STATE_BYTES);
  const view = new DataView(state.buffer);
  view.setBigInt64(CLOCK_STATE.utc, BigInt(-tai), true);
  view.setBigInt64(CLOCK_STATE.local, BigInt(-tai - 60 * minutesWest), true);
  writeState(states, CLOCK_STATE.slot, state);
}

function writeState(states: Fd, slot: number, state: Uint8Array): void {
  const key = new Uint8Array(4);
  new DataView(key.buffer).setUint32(0, slot, true);
  update(states, key, state);
}

/** Makes the slots that the generation in force does not use new. */
export function clearSlots(states: Fd, slots: Slots, inUse: Slots): void {
  const used = new Set(inUse);
  const zero = new Uint8Array(STATE_BYTES);
  for (const slot of slots) {
    if (slot === 0 || used.has(slot)) continue;
    writeState(states, slot, zero);
  }
}
