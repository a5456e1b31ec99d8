/** Sets as lists of regions in words. */
import {
  type Box,
  boxes,
  intersect,
  isEmpty,
  LimitError,
  type PacketSet,
  type Universe,
  witness,
} from '@sockfilter/diagram';
import { chainNumber, type Group, type Packet } from '@sockfilter/table';
import { chainsOf, describeBox } from './describe.js';

/** A region of which no two of a list could be merged. */
export interface ListedBox {
  readonly box: Box;
  readonly text: string;
  /** A call in it. */
  readonly packet: Packet;
  /** Its calls. */
  readonly set: PacketSet;
}

interface BoxList {
  readonly boxes: readonly ListedBox[];
  /** True where there are more regions than could be listed, and `boxes` is empty. */
  readonly tooMany: boolean;
}

function compareBoxes(a: Box, b: Box): number {
  const first = (box: Box) => chainsOf(box).map(chainNumber)[0] ?? -1;
  const byChain = first(a) - first(b);
  if (byChain !== 0) return byChain;
  const [x, y] = [a.group?.[0]?.[0] ?? -1n, b.group?.[0]?.[0] ?? -1n];
  return x < y ? -1 : x > y ? 1 : 0;
}

/** The set as regions, by chain and group; `most` of them, if not as many as a universe allows. */
export function listBoxes(
  universe: Universe,
  set: PacketSet,
  groups: readonly Group[],
  most?: number,
): BoxList {
  try {
    const listed = boxes(set, most)
      .toSorted(compareBoxes)
      .flatMap((box): readonly ListedBox[] => {
        const own = intersect(set, universe.box(box));
        const packet = isEmpty(own) ? undefined : witness(own);
        return packet ? [{ box, text: describeBox(box, { groups }), packet, set: own }] : [];
      });
    return { boxes: listed, tooMany: false };
  } catch (error) {
    if (error instanceof LimitError) return { boxes: [], tooMany: true };
    throw error;
  }
}
