/** A rule set in force on a testbed's own control groups, put there without the command line. */
import { parseSave, printSave } from '@sockfilter/iptables';
import { Firewall, type Status } from '@sockfilter/kernel';
import { NO_NAMES } from '@sockfilter/language';
import { type CounterOwner, counterOwners, EMPTY_TABLE, type Table } from '@sockfilter/table';

/** Reads rules; throws with all that is wrong with them. */
export function tableOf(rules: string, base: Table = EMPTY_TABLE): Table {
  const text = rules.includes('*socket') ? rules : `*socket\n${rules}\nCOMMIT\n`;
  const { table, diagnostics } = parseSave(text, 'rules', { names: NO_NAMES, base });
  if (diagnostics.length > 0) throw new Error(diagnostics.map((d) => d.message).join('\n'));
  return table;
}

export class Policy {
  readonly root: string;

  /** @param root path of the control group to police, below the cgroup2 mount */
  constructor(root: string) {
    this.root = root;
  }

  /** Runs the body with the instance open. */
  use<T>(body: (firewall: Firewall) => T): T {
    const firewall = Firewall.open({ root: this.root, wait: 60, parse: tableOf });
    try {
      return body(firewall);
    } finally {
      firewall.close();
    }
  }

  /** Puts a table in force with all counters at what its rules say. */
  enforce(rules: string | Table): Table {
    const table = typeof rules === 'string' ? tableOf(rules) : rules;
    this.use((firewall) => firewall.commit({ table, text: printSave(table), origins: [] }));
    return table;
  }

  /** What is attached for the table in force; undefined where there is none. */
  status(): Status | undefined {
    return this.use((firewall) => {
      const inForce = firewall.read();
      return inForce && firewall.status(() => tableOf(inForce.text));
    });
  }

  /** What the counters have come to, with whose they are. */
  counters(): readonly { readonly owner: CounterOwner; readonly packets: bigint }[] {
    const inForce = this.use((firewall) => firewall.read());
    if (!inForce) return [];
    const owners = counterOwners(tableOf(inForce.text));
    return owners.map((owner, n) => ({ owner, packets: inForce.counters[n] ?? 0n }));
  }

  /** The counters that are not 0, as `CHAIN 2: 5` for a rule and `CHAIN policy: 1`. */
  counted(): readonly string[] {
    return this.counters()
      .filter(({ packets }) => packets > 0n)
      .map(({ owner: { chain, rule, number }, packets }) => {
        return `${chain.name} ${rule ? number : 'policy'}: ${packets}`;
      });
  }

  teardown(): void {
    this.use((firewall) => firewall.teardown());
  }
}
