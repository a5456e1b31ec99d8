/** Every way on which a walk can go, as opaque tests say. */
import type { Packet } from '@sockfilter/table';
import type { Answers } from './diagram.js';

export interface Way<T> {
  /** What the tests said that could say either, in the order in which they were asked. */
  readonly said: ReadonlyMap<number, boolean>;
  readonly result: T;
}

/** More ways than anybody reads: of a call that has so many there may be others. */
export const MOST_WALKS = 256;

/**
 * Walks once for each way, first those where tests hold, but no more than 256 times. `known` says what a
 * test says of the call for sure, as that stands when it is asked; one that is asked twice on a way says the same.
 */
export function everyWay<T>(
  walk: (answers: Answers) => T,
  known: (test: number, packet: Packet) => boolean | undefined = () => undefined,
): readonly Way<T>[] {
  const ways: Way<T>[] = [];
  let script: readonly (readonly [test: number, holds: boolean])[] = [];
  while (ways.length < MOST_WALKS) {
    const said = new Map(script);
    const result = walk((test, packet) => {
      const answer = known(test, packet);
      if (answer !== undefined) return answer;
      const holds = said.get(test) ?? true;
      said.set(test, holds);
      return holds;
    });
    ways.push({ said, result });
    const open = [...said];
    const last = open.findLastIndex(([, holds]) => holds);
    const turned = open[last];
    if (!turned) break;
    script = [...open.slice(0, last), [turned[0], false]];
  }
  return ways;
}
