/** Names of 16 bytes as slots. */
import { type Item, load, R1, R6, R10, store, toBig } from '@sockfilter/bpf';

/** In the function's own stack. */
export const NAME = -32;
export const NAME_BYTES = 16;

/** Stores the bytes at NAME as the slots. */
export function putName(slots: number): readonly Item[] {
  return Array.from({ length: NAME_BYTES / 2 }, (_, n) => [
    load(2, R1, R10, NAME + 2 * n),
    toBig(R1, 16),
    store(2, R6, slots + 2 * n, R1),
  ]).flat();
}
