/** The buckets of tests that keep many, see BUCKETS_KEY. Programs make the entries; the tool removes them. */
import { BPF_F_NO_PREALLOC, createLockedMap, entryKeys, type Fd, remove } from '@sockfilter/bpf';
import type { OpaqueTest } from '@sockfilter/table';
import { BUCKETS_ENTRIES, BUCKETS_KEY, BUCKETS_TOGETHER, BUCKETS_VALUE } from './layout.js';
import type { Slots } from './statemap.js';

export function createBucketMap(): Fd {
  return createLockedMap({
    type: 'hash',
    name: 'sf_buckets',
    keySize: BUCKETS_KEY.bytes,
    valueSize: BUCKETS_VALUE.bytes,
    maxEntries: BUCKETS_ENTRIES,
    flags: BPF_F_NO_PREALLOC,
  });
}

/**
 * The entries over which so many buckets are spread, a power of two: half of what these can hold is meant to be in
 * use, so that hardly ever one of them is full before all are.
 */
export function entriesFor(room: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(1, (2 * room) / BUCKETS_TOGETHER)));
}

/** The entries that the tests can have for each group. */
export function entriesOf(tests: readonly OpaqueTest[]): number {
  return tests.reduce(
    (sum, { question }) => sum + (question.kind === 'buckets' ? entriesFor(question.room) : 0),
    0,
  );
}

/** Removes the buckets of tests that are in no use. */
export function clearBuckets(buckets: Fd, inUse: Slots): void {
  const used = new Set(inUse);
  for (const key of entryKeys(buckets, BUCKETS_KEY.bytes)) {
    const slot = new DataView(key.buffer).getUint32(BUCKETS_KEY.slot, true);
    if (!used.has(slot)) remove(buckets, key);
  }
}
