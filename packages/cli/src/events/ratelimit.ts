/** `monitor --rate`: so many events at a time, and the number of those that were more. */
import type { ValueOf } from '@sockfilter/table';
import type { Missed, Output, Seen } from './output.js';

const MS = 1000;

/** A token bucket, full at first, that holds what one period brings. @internal */
export class Bucket {
  readonly #most: number;
  readonly #perMs: number;
  #tokens: number;
  #at: number;

  /** @param now milliseconds by any clock that never goes back */
  constructor({ count, seconds }: Pick<ValueOf<'rate'>, 'count' | 'seconds'>, now: number) {
    this.#most = count;
    this.#perMs = count / (seconds * MS);
    this.#tokens = count;
    this.#at = now;
  }

  /** How many of so many may pass. */
  take(wanted: number, now: number): number {
    this.#tokens = Math.min(this.#most, this.#tokens + (now - this.#at) * this.#perMs);
    this.#at = now;
    const taken = Math.min(wanted, Math.floor(this.#tokens));
    this.#tokens -= taken;
    return taken;
  }
}

/** How long it waits until it tells how many were skipped, if no event comes that may be told. */
const TELL_MS = 1000;

/** Gives an output no more than so many events at a time. */
export function limitRate(output: Output, rate: ValueOf<'rate'>): Output {
  const bucket = new Bucket(rate, performance.now());
  let skipped = 0;
  let telling: NodeJS.Timeout | undefined;
  const hear = (seen: readonly Seen[], missed: Missed) => {
    clearTimeout(telling);
    telling = undefined;
    const all = { ...missed, skipped };
    skipped = 0;
    return output.hear(seen, all);
  };
  return {
    hear: (seen, missed) => {
      const told = seen.slice(0, bucket.take(seen.length, performance.now()));
      // Those before the batch; of the batch, the first are told.
      const goesOn = told.length === 0 && !missed.lost ? true : hear(told, missed);
      skipped += seen.length - told.length;
      if (skipped > 0) telling ??= setTimeout(hear, TELL_MS, [], {});
      return goesOn;
    },
    close: () => {
      if (skipped > 0) hear([], {});
      clearTimeout(telling);
      output.close();
    },
  };
}
