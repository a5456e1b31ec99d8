/** A rule file that is there already. */
import { includes, Universe } from '@sockfilter/diagram';
import type { Document } from '@sockfilter/language';
import { enforced, type Packet, type Table } from '@sockfilter/table';

export interface RuleText {
  readonly table: Table;
  readonly document: Document;
}

/** Whether the rules let the call pass whatever limits and clocks say, and not because they are audited. */
export function allows(table: Table): (packet: Packet) => boolean {
  const { mayRefuse } = new Universe().load(enforced(table));
  return (packet) => !includes(mayRefuse, packet);
}
