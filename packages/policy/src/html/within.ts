/** Regions in words where chain and group are plain from the context. */
import type { Box } from '@sockfilter/diagram';
import { type BuiltinChain, chainNumber } from '@sockfilter/table';
import { describeBox } from '../describe.js';

/** `tcp, to 10.0.0.5 port 80`; `everything` for a box that names no other field. */
export function describeWithin(box: Box, chain: BuiltinChain): string {
  const at = BigInt(chainNumber(chain));
  const { group: _, ...rest } = box;
  const text = describeBox({ ...rest, chain: [[at, at]] }, { groups: [] });
  return text === chain ? 'everything' : text.slice(chain.length + 2);
}
