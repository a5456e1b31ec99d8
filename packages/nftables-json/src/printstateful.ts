/** Statements with state in nft's own syntax. */
import type { Integer64 } from './schema.js';
import type {
  ConnectionCount,
  CounterState,
  LastState,
  LimitState,
  QuotaState,
  StatefulBodies,
} from './stateful.js';

export function printCounter(counter: CounterState | null): string {
  if (counter?.packets === undefined && counter?.bytes === undefined) return 'counter';
  return `counter packets ${counter.packets ?? 0} bytes ${counter.bytes ?? 0}`;
}

export function printQuota({
  val,
  val_unit = 'bytes',
  used = 0,
  used_unit,
  inv,
}: QuotaState): string {
  const text = `quota ${inv ? 'over ' : ''}${val} ${val_unit}`;
  return Number(used) > 0 ? `${text} used ${used} ${used_unit ?? 'bytes'}` : text;
}

/** What nft takes for granted where no burst is given. */
const PACKET_BURST = 5;

export function printLimit(limit: LimitState): string {
  const { rate, rate_unit = 'packets', per = 'second', inv } = limit;
  const amount = rate_unit === 'packets' ? `${rate}/${per}` : `${rate} ${rate_unit}/${per}`;
  return `limit rate ${inv ? 'over ' : ''}${amount}${printBurst(rate_unit, limit)}`;
}

function printBurst(
  rateUnit: string,
  { burst, burst_unit }: { readonly burst?: Integer64; readonly burst_unit?: string },
): string {
  if (burst === undefined) return '';
  if (rateUnit === 'packets')
    return Number(burst) === PACKET_BURST ? '' : ` burst ${burst} packets`;
  return Number(burst) === 0 ? '' : ` burst ${burst} ${burst_unit ?? 'bytes'}`;
}

export function printConnectionCount({ val, inv }: ConnectionCount): string {
  return `ct count ${inv ? 'over ' : ''}${val}`;
}

export function printLast(last: LastState | null): string {
  return last?.used === undefined ? 'last' : `last used ${last.used}ms`;
}

/** The statements with state of an element. */
export function printStateful(states: Partial<StatefulBodies>): readonly string[] {
  const { counter, quota, limit, last, 'ct count': count } = states;
  return [
    ...(counter === undefined ? [] : [printCounter(counter)]),
    ...(quota === undefined ? [] : [printQuota(quota)]),
    ...(limit === undefined ? [] : [printLimit(limit)]),
    ...(count === undefined ? [] : [printConnectionCount(count)]),
    ...(last === undefined ? [] : [printLast(last)]),
  ];
}
