/** `sockfilter monitor`: what the kernel reports, as it comes. */
import {
  type Batch,
  type EventFilter,
  type EventKind,
  EventReader,
  eventJson,
  eventWords,
  isWanted,
  lostJson,
  type RawEvent,
  type Resolution,
} from '@sockfilter/events';
import { parseSave, printOwner } from '@sockfilter/iptables';
import { EventSource, PinWatch } from '@sockfilter/kernel';
import { didYouMean, EXIT, escapeUnseen, writeJsonLine } from '@sockfilter/language';
import {
  BUILTIN_CHAINS,
  type CounterOwner,
  counterOwners,
  type Group,
  isBuiltinChain,
  knownGroups,
  readGroupId,
} from '@sockfilter/table';
import { CommandError } from './failure.js';
import { type Globals, requireLive } from './globals.js';
import { note, printOn } from './output.js';
import { SYSTEM_NAMES } from './systemnames.js';

export interface MonitorOptions {
  readonly json: boolean;
  /** Refusals, and what would be refused were it not audited; both false for all kinds of events. */
  readonly refused: boolean;
  readonly audited: boolean;
  readonly group?: string | undefined;
  readonly chain?: string | undefined;
  readonly rule?: string | undefined;
}

/** A table, as events of its generation name its rules. */
interface KnownTable {
  readonly owners: readonly CounterOwner[];
  /** What has been printed of them, by counter. */
  readonly texts: Map<number, string>;
  readonly groups: readonly Group[];
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

/** The rule or policy as `-S` prints it. */
function textOf({ texts }: KnownTable, owner: CounterOwner, counter: number): string {
  const known = texts.get(counter);
  if (known !== undefined) return known;
  const text = printOwner(owner);
  texts.set(counter, text);
  return text;
}

/** What a reader knows of one instance beside its events. */
class Knowledge {
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
      this.#tables.set(sequence, {
        owners: counterOwners(table),
        texts: new Map(),
        groups: table.groups,
      });
    }
  }

  get groups(): readonly Group[] {
    return this.#newest?.groups ?? [];
  }

  get chains(): readonly string[] {
    return [...new Set(this.#newest?.owners.map(({ chain }) => chain.name))];
  }

  get #newest(): KnownTable | undefined {
    return [...this.#tables.values()].at(-1);
  }

  /** @param start when the machine started, in nanoseconds since 1970 */
  resolve({ counter, sequence, cgroup, uptime }: RawEvent, start: bigint): Resolution {
    const table = this.#tables.get(sequence);
    const owner = counter === undefined ? undefined : table?.owners[counter];
    const isKnown = table && owner && counter !== undefined;
    const text = isKnown ? textOf(table, owner, counter) : undefined;
    const groups = table?.groups ?? this.groups;
    return { time: start + uptime, owner, text, groups, cgroup: this.#cgroupPath(cgroup) };
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

/** Reads the options as they stand for the table in force; what it has not is told. */
function readFilter(options: MonitorOptions, { groups, chains }: Knowledge): EventFilter {
  const { refused, audited, chain, group, rule } = options;
  if (chain !== undefined && !isBuiltinChain(chain) && !chains.includes(chain)) {
    const help = didYouMean(chain, [...BUILTIN_CHAINS, ...chains]);
    throw new CommandError(`no chain \`${chain}\``, EXIT.unfit, help);
  }
  const id = group === undefined ? undefined : readGroupId(group, groups);
  if (group !== undefined && id === undefined)
    throw new CommandError(`no group \`${group}\``, EXIT.unfit, knownGroups(groups));
  const kinds: readonly EventKind[] = [
    ...(refused ? (['refused'] as const) : []),
    ...(audited ? (['audit'] as const) : []),
  ];
  return {
    kinds: kinds.length > 0 ? kinds : undefined,
    chain,
    group: id,
    rule: rule === undefined ? undefined : Number(rule),
  };
}

/** What is wrong with the options whatever the table is. */
function checkOptions({ rule, chain }: MonitorOptions): void {
  if (rule !== undefined && !/^[1-9]\d*$/.test(rule))
    throw new CommandError(`invalid number of a rule \`${rule}\``, EXIT.usage);
  if (rule !== undefined && chain === undefined)
    throw new CommandError('`--rule` needs the `--chain` that it is in', EXIT.usage);
}

/** Reads the events of whatever is installed at a root, until it is told to end. */
class Monitor {
  readonly #globals: Globals;
  readonly #options: MonitorOptions;
  readonly #watch: PinWatch;
  #filter: EventFilter | undefined;
  #isEnded = false;
  #source: EventSource | undefined;
  #knowledge: Knowledge | undefined;
  #reader: EventReader | undefined;
  #changed: () => void = () => undefined;

  constructor(globals: Globals, options: MonitorOptions) {
    this.#globals = globals;
    this.#options = options;
    this.#watch = new PinWatch(globals.root, () => this.#look());
  }

  async run(): Promise<void> {
    try {
      for (let isFirst = true; !this.#isEnded; isFirst = false) {
        const source = EventSource.open(this.#globals.root);
        if (source) await this.#read(source);
        else await this.#waitForInstall(isFirst);
      }
    } finally {
      this.#watch.close();
    }
  }

  end(): void {
    this.#isEnded = true;
    this.#reader?.end();
    this.#changed();
  }

  /** After something was pinned or unpinned. */
  #look(): void {
    this.#changed();
    if (!this.#source) return;
    if (this.#source.isGone) this.#reader?.end();
    else this.#knowledge?.learn();
  }

  async #waitForInstall(tells: boolean): Promise<void> {
    if (tells)
      note(`this release enforces nothing below ${this.#globals.root} yet: waiting until it does`);
    await new Promise<void>((resolve) => {
      // A pin may come between the look and the wait.
      const again = setTimeout(resolve, LOOK_AGAIN_MS);
      this.#changed = () => {
        clearTimeout(again);
        resolve();
      };
    });
  }

  async #read(source: EventSource): Promise<void> {
    this.#source = source;
    const { events, slot, cpus } = source;
    const reader = new EventReader(events, slot.slot, cpus, [STDOUT]);
    this.#reader = reader;
    try {
      const knowledge = new Knowledge(source);
      this.#knowledge = knowledge;
      this.#filter = this.#filterFor(knowledge);
      slot.announce();
      if (this.#isEnded || source.isGone) return;
      for await (const batch of reader.batches()) {
        knowledge.learn();
        if (!this.#print(batch, knowledge)) this.end();
      }
      if (!source.isGone) this.#isEnded = true;
    } finally {
      this.#source = undefined;
      this.#reader = undefined;
      source.slot.close();
      reader.close();
      source.close();
    }
  }

  /** A table that comes later need not have the group or chain any more. */
  #filterFor(knowledge: Knowledge): EventFilter {
    try {
      return readFilter(this.#options, knowledge);
    } catch (error) {
      if (this.#filter) return this.#filter;
      throw error;
    }
  }

  /** False once nobody reads what is printed. */
  #print({ events, lost, start }: Batch, knowledge: Knowledge): boolean {
    const { json } = this.#options;
    const filter = this.#filter ?? {};
    const lines = events.flatMap((event) => {
      const resolution = knowledge.resolve(event, start);
      if (!isWanted(filter, event, resolution.owner)) return [];
      return json
        ? [writeJsonLine(eventJson(event, resolution))]
        : [`${escapeUnseen(eventWords(event, resolution))}\n`];
    });
    if (lost > 0) {
      const now = BigInt(Date.now()) * 1_000_000n;
      if (json) lines.push(writeJsonLine(lostJson(lost, now)));
      else note(`${lost} events came faster than they could be read, and are lost`);
    }
    return lines.length === 0 || printOn(lines.join(''));
  }
}

const STDOUT = 1;
const LOOK_AGAIN_MS = 1000;

export async function monitor(globals: Globals, options: MonitorOptions): Promise<void> {
  requireLive(globals, 'monitor');
  checkOptions(options);
  const running = new Monitor(globals, options);
  const end = () => running.end();
  const signals = ['SIGINT', 'SIGTERM'] as const;
  for (const signal of signals) process.on(signal, end);
  try {
    await running.run();
  } finally {
    for (const signal of signals) process.off(signal, end);
  }
}
