/** An event with the rules that were asked before it, found again from its packet and the rule that decided. */
import { eventJson, eventWords, type RawEvent, type Resolution } from '@sockfilter/events';
import { escapeUnseen, writeJsonLine } from '@sockfilter/language';
import type { Trace, Tracer } from '@sockfilter/policy';
import { assumeIn } from '@sockfilter/table';
import { askedOf, printWalk } from '../ci/walk.js';

/** A call, and the ways that may have led to what became of it. */
export interface Traced {
  readonly event: RawEvent;
  readonly resolution: Resolution;
  readonly ways: readonly Trace[];
}

const NS_PER_S = 1_000_000_000n;

/** The ways whose end is the rule or policy that the kernel has named. */
export function waysOf(
  event: RawEvent,
  { time, owner }: Resolution,
  tracer: Tracer,
): readonly Trace[] {
  const { packet } = event;
  if (!packet || !owner) return [];
  const assume = assumeIn({ time: Number(time / NS_PER_S) });
  // The event has the mark that MARK has made of it.
  const packets = packet.mark === 0 ? [packet] : [packet, { ...packet, mark: 0 }];
  return packets
    .flatMap((each) => tracer.ways(each, assume))
    .filter(({ decider }) =>
      owner.rule
        ? decider.rule === owner.rule
        : decider.rule === undefined && decider.chain.name === owner.chain.name,
    );
}

const AMBIGUOUS = '  other ways lead there too, by what limits, sets, chance or marks said';
const UNKNOWN = '  the rules that judged it are not known';

export function tracedWords({ event, resolution, ways }: Traced): string {
  const [way, other] = ways;
  const head = `${escapeUnseen(eventWords(event, resolution))}\n`;
  if (!way) return event.counter === undefined ? head : `${head}${UNKNOWN}\n`;
  return `${head}${printWalk(way.steps.map(askedOf))}${other ? `${AMBIGUOUS}\n` : ''}`;
}

export function tracedJson({ event, resolution, ways }: Traced): string {
  const [way] = ways;
  return writeJsonLine({
    ...eventJson(event, resolution),
    asked: way ? way.steps.map(askedOf) : null,
    ways: ways.length,
  });
}
