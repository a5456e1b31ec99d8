/** Which events a reader wants to see. */
import type { BuiltinChain, CounterOwner } from '@sockfilter/table';
import type { RawEvent } from './event.js';
import type { EventKind } from './layout.js';

export interface EventFilter {
  /** Events of these kinds alone. */
  readonly kinds?: readonly EventKind[] | undefined;
  /** Calls of the network_id. */
  readonly group?: number | undefined;
  /** Calls of the chain, or events of rules in a user chain of the name. */
  readonly chain?: BuiltinChain | string | undefined;
  /** Events of the rule of that number in its chain. */
  readonly rule?: number | undefined;
}

/** @param owner whose event it is, where that is known */
export function isWanted(
  { kinds, group, chain, rule }: EventFilter,
  event: RawEvent,
  owner: CounterOwner | undefined,
): boolean {
  if (kinds && !kinds.includes(event.kind)) return false;
  if (group !== undefined && event.group !== group) return false;
  if (chain !== undefined && event.chain !== chain && owner?.chain.name !== chain) return false;
  if (rule === undefined) return true;
  const isOf = chain === undefined || owner?.chain.name === chain;
  return owner?.rule !== undefined && owner.number === rule && isOf;
}
