/** Where events go that somebody wants to see. */
import { type Missing, missingJson, type RawEvent, type Resolution } from '@sockfilter/events';
import { writeJsonLine } from '@sockfilter/language';
import { note } from '../output.js';

const MISSING: readonly Missing[] = ['lost', 'skipped'];

/** An event with what is known of it beside. */
export interface Seen {
  readonly event: RawEvent;
  readonly resolution: Resolution;
}

/** How many events were missed before those of a batch. */
export type Missed = Readonly<Partial<Record<Missing, number>>>;

export interface Output {
  /** Takes a batch; false once nobody sees it any more. */
  readonly hear: (seen: readonly Seen[], missed: Missed) => boolean;
  /** After the last batch. */
  readonly close: () => void;
}

const WORDS: Readonly<Record<Missing, string>> = {
  lost: 'events came faster than they could be read, and are lost',
  skipped: 'events are not told: they came faster than `--rate` allows',
};

/** Events that are missed in words, those that are. */
export function missedWords(missed: Missed): readonly string[] {
  return MISSING.flatMap((kind) => (missed[kind] ? [`${missed[kind]} ${WORDS[kind]}`] : []));
}

/** Tells of events that are missed: as lines of JSON, or beside the output. */
export function tellMissed(missed: Missed, json: boolean): readonly string[] {
  if (!json) {
    for (const words of missedWords(missed)) note(words);
    return [];
  }
  return MISSING.flatMap((kind) => {
    const count = missed[kind] ?? 0;
    return count > 0 ? [writeJsonLine(missingJson(kind, count))] : [];
  });
}
