/** The option of the table in two rule files. */
import type { Table } from '@sockfilter/table';

/** What became of `--deny-unseen`. */
export interface OptionChange {
  readonly message: string;
  /** Whether sockets can be made that could not. */
  readonly givesAccess: boolean;
}

export function optionChange(before: Table, after: Table): OptionChange | undefined {
  if (before.denyUnseen === after.denyUnseen) return undefined;
  const message = after.denyUnseen
    ? '`--deny-unseen` is new: raw, SCTP, DCCP and UDP-Lite sockets can no longer be made'
    : '`--deny-unseen` is gone: raw, SCTP, DCCP and UDP-Lite sockets can be made';
  return { message, givesAccess: before.denyUnseen };
}
