/** The kernel's table as the table. */
import { parseSave, printSave } from '@sockfilter/iptables';
import { Firewall } from '@sockfilter/kernel';
import { counterOwners, EMPTY_TABLE, type Rule, requireValid, type Table } from '@sockfilter/table';
import type { Globals } from './globals.js';
import { recordIds } from './highmark.js';
import type { Access, Counters, OpenTable } from './opentable.js';
import { note } from './output.js';
import { SYSTEM_NAMES } from './systemnames.js';

export interface LiveTable {
  readonly open: OpenTable;
  readonly firewall: Firewall;
}

/** Numbers in the order of counterOwners(table), as a function of the owner. */
function countersOf(table: Table, totals: readonly bigint[]): Counters {
  const counts = new Map<Rule | string, bigint>();
  counterOwners(table).forEach(({ rule, chain }, at) => {
    counts.set(rule ?? chain.name, totals[at] ?? 0n);
  });
  return ({ rule, chain }) => counts.get(rule ?? chain.name) ?? 0n;
}

function parseInForce(text: string): Table {
  const { table, diagnostics } = parseSave(text, 'the table in force', { names: SYSTEM_NAMES });
  const [fault] = diagnostics;
  if (fault) throw new Error(`the table in force can't be read back: ${fault.message}`);
  return table;
}

function openLive(firewall: Firewall, access: Access, wait: number): OpenTable {
  const inForce = access === 'replace' ? undefined : firewall.read();
  const table = inForce ? parseInForce(inForce.text) : EMPTY_TABLE;
  return {
    table,
    counters: countersOf(table, inForce?.counters ?? []),
    commit: (change) => {
      const next = recordIds(requireValid(change.table), wait);
      const { origins } = change;
      const { before } = firewall.commit({ table: next, text: printSave(next), origins });
      return countersOf(table, before ?? []);
    },
  };
}

/** Opens the instance for `use` and holds its lock as long. */
export function withFirewall<T>({ root, wait }: Globals, use: (firewall: Firewall) => T): T {
  const firewall = Firewall.open({ root, wait, parse: parseInForce });
  try {
    for (const warning of firewall.warnings) note(warning);
    return use(firewall);
  } finally {
    firewall.close();
  }
}

export function withLiveTable<T>(globals: Globals, access: Access, use: (live: LiveTable) => T): T {
  return withFirewall(globals, (firewall) =>
    use({ firewall, open: openLive(firewall, access, globals.wait) }),
  );
}
