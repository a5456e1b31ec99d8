/** Where events go that somebody wants to see. */
import type { RawEvent, Resolution } from '@sockfilter/events';

/** An event with what is known of it beside. */
export interface Seen {
  readonly event: RawEvent;
  readonly resolution: Resolution;
}

export interface Output {
  /** Takes a batch, and how many events were lost before it; false once nobody sees them any more. */
  readonly hear: (seen: readonly Seen[], lost: number) => boolean;
  /** After the last batch. */
  readonly close: () => void;
}
