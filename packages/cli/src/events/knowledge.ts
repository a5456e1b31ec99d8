/** What a reader of events knows of one instance beside its events. */
import type { RawEvent, Resolution } from '@sockfilter/events';
import { parseSave, printOwner } from '@sockfilter/iptables';
import type { EventSource } from '@sockfilter/kernel';
import { Tracer } from '@sockfilter/policy';
import {
  type CounterOwner,
  counterOwners,
  EMPTY_TABLE,
  type Group,
  registerPaths,
  type Table,
} from '@sockfilter/table';
import { SYSTEM_NAMES } from '../systemnames.js';

/** A table, as events of its generation name its rules. */
class KnownTable {
  readonly table: Table;
  /** What it is printed as. */
  readonly text: string;
  readonly owners: readonly CounterOwner[];
  /** What has been printed of them, by counter. */
  readonly #texts = new Map<number, string>();
  #tracer: Tracer | undefined;

  constructor(table: Table, text: string) {
    this.table = table;
    this.text = text;
    this.owners = counterOwners(table);
  }

  /** The rule or policy as `-S` prints it. */
  textOf(counter: number): string | undefined {
    const known = this.#texts.get(counter);
    const owner = this.owners[counter];
    if (known !== undefined || !owner) return known;
    const text = printOwner(owner);
    this.#texts.set(counter, text);
    return text;
  }

  get tracer(): Tracer {
    this.#tracer ??= new Tracer(this.table);
    return this.#tracer;
  }
}

/** Tables and control groups that are kept in mind, the newest of each. */
const MOST_TABLES = 64;
const MOST_CGROUPS = 4096;

function forget(known: Map<unknown, unknown>, most: number): void {
  for (const key of known.keys()) {
    if (known.size < most) return;
    known.delete(key);
  }
}

/** A rule or policy, as `-S` prints it, and the calls that it has counted. */
export interface Counted {
  readonly owner: CounterOwner;
  readonly text: string;
  readonly calls: bigint;
}

export class Knowledge {
  readonly #source: EventSource;
  readonly #tables = new Map<number, KnownTable>();
  readonly #cgroups = new Map<bigint, string | undefined>();

  constructor(source: EventSource) {
    this.#source = source;
    this.learn();
  }

  /** Reads the tables that are in force now: their rules are named also when they are in force no more. */
  learn(): void {
    for (const { sequence, text } of this.#source.texts((known) => this.#tables.has(known))) {
      const { table } = parseSave(text, 'the table in force', { names: SYSTEM_NAMES });
      forget(this.#tables, MOST_TABLES);
      this.#tables.set(sequence, new KnownTable(registerPaths(table, 0), text));
    }
  }

  /** The newest that is known. */
  get table(): Table {
    return [...this.#tables.values()].at(-1)?.table ?? EMPTY_TABLE;
  }

  get groups(): readonly Group[] {
    return this.table.groups;
  }

  get chains(): readonly string[] {
    return this.table.chains.map(({ name }) => name);
  }

  /** What each rule and policy in force has counted; undefined where that can't be said at the moment. */
  counted(): readonly Counted[] | undefined {
    const found = this.#source.counters();
    const known = found && this.#tables.get(found.sequence);
    return known?.owners.map((owner, counter) => ({
      owner,
      text: known.textOf(counter) ?? '',
      calls: found?.totals[counter] ?? 0n,
    }));
  }

  /** What walks single calls through the table that judged the event; undefined once that is forgotten. */
  tracerOf({ sequence }: RawEvent): Tracer | undefined {
    return this.#tables.get(sequence)?.tracer;
  }

  /** The table that judged the event, as `save` printed it then; undefined once it is forgotten. */
  textOf({ sequence }: RawEvent): string | undefined {
    return this.#tables.get(sequence)?.text;
  }

  /** @param start when the machine started, in nanoseconds since 1970 */
  resolve(event: RawEvent, start: bigint): Resolution {
    const { counter, sequence, uptime } = event;
    const known = this.#tables.get(sequence);
    const owner = counter === undefined ? undefined : known?.owners[counter];
    const text = counter === undefined ? undefined : known?.textOf(counter);
    const groups = known?.table.groups ?? this.groups;
    const cgroup = this.#cgroupPath(event.cgroup);
    const holders = () =>
      event.task || event.socket === 0n ? [] : this.#source.socketHolders(event.socket, cgroup);
    return { time: start + uptime, owner, text, groups, cgroup, holders };
  }

  #cgroupPath(id: bigint): string | undefined {
    if (id === 0n) return undefined;
    const known = this.#cgroups.get(id);
    if (known !== undefined) return known;
    const path = this.#source.cgroupPath(id);
    forget(this.#cgroups, MOST_CGROUPS);
    this.#cgroups.set(id, path);
    return path;
  }
}
