/** The rule of a boundary as a table: it drops its calls, and the others pass. */
import type { Packet, Table } from '@sockfilter/table';
import { tableOf } from '../harness/policy.js';
import type { Boundary, Step } from './boundary.js';

interface BoundaryTable {
  readonly text: string;
  readonly table: Table;
  readonly steps: readonly Step[];
}

/** As written and, where `!` may stand, negated. */
export function boundaryTables(boundary: Boundary): readonly BoundaryTable[] {
  const { chain, options, before, steps } = boundary;
  const of = (word: string, isNegated: boolean): BoundaryTable => {
    const text = `-A ${chain} ${options.replace('~', word)} -j DROP`;
    const flip = ({ matches, ...step }: Step) => ({ ...step, matches: matches !== isNegated });
    return { text, table: tableOf(`${before}\n${text}`), steps: steps.map(flip) };
  };
  return options.includes('~') ? [of('', false), of('! ', true)] : [of('', false)];
}

export const showPacket = (packet: Packet): string =>
  JSON.stringify(packet, (_, part) => (typeof part === 'bigint' ? `0x${part.toString(16)}` : part));
