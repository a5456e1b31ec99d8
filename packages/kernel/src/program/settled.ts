/** Calls that nothing is asked of: the generation's header says of a chain that all of them pass. */
import {
  exit,
  type Item,
  jumpIf,
  load,
  loadMapValue,
  mov,
  movImm,
  R0,
  R1,
  R6,
  R8,
  subImm,
} from '@sockfilter/bpf';
import { BUILTIN_CHAINS, type BuiltinChain } from '@sockfilter/table';
import { HEADER } from '../layout.js';
import { MAPS } from '../mapnames.js';
import { count, findStripe } from './counting.js';
import { FAILED } from './generation.js';

/**
 * Lets a call of a chain pass, and counts it, where all of them do by one verdict and nobody reads events; else on to `judge`. r6 is
 * the header.
 */
export function settle(chain: BuiltinChain, judge: string): readonly Item[] {
  return [
    load(4, R8, R6, HEADER.settled + 4 * BUILTIN_CHAINS.indexOf(chain)),
    jumpIf('eq', R8, 0, judge),
    loadMapValue(R1, MAPS.readers, 0),
    load(8, R1, R1, 0),
    jumpIf('ne', R1, 0, judge),
    ...findStripe(),
    mov(R0, R8),
    subImm(R0, 1),
    // The address of the header.
    movImm(R8, 0),
    ...count('settled', FAILED),
    movImm(R0, 1),
    exit(),
  ];
}
