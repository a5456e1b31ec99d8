/** What describes to the programs how a detail of a call is read. */
import type { Item } from '@sockfilter/bpf';
import type { Offsets } from './offsets.js';

/** Where the instructions of a detail find what they need; they may destroy r0 to r5. */
interface DetailPlace {
  readonly offsets: Offsets;
  /** Begins the names of labels of its own. */
  readonly name: string;
  /** Where to go if it can't be read. */
  readonly failed: string;
  /** Where its slots begin in the packet. */
  readonly slots: number;
}

/**
 * r6 = the packet, all else in it known and these slots 0; r7 = the socket's address; r8 = the index of the device that the call or the
 * socket names, or 0; r9 = the address of the device that the packet comes or goes by, or 0.
 */
export interface DetailReader {
  /** True if it is the calling task's: a hook of packets has none. */
  readonly ofCaller: boolean;
  readonly read: (place: DetailPlace) => readonly Item[];
}
