/** The kernel's table as the table. */

import { join } from 'node:path';
import { excerpt, keptText, parseSave, printSave, readHead } from '@sockfilter/iptables';
import { Firewall, instanceName, LockedError } from '@sockfilter/kernel';
import { EXIT } from '@sockfilter/language';
import { counterOwners, EMPTY_TABLE, type Rule, requireValid, type Table } from '@sockfilter/table';
import { closing } from './closing.js';
import { CommandError } from './failure.js';
import type { Globals } from './globals.js';
import { hashText } from './hashtext.js';
import { recordIds } from './highmark.js';
import {
  entryOf,
  entryWithSets,
  type HashedText,
  hashed,
  readEntry,
  readHistory,
  recordCommit,
} from './history.js';
import { editLines } from './keptbatch.js';
import { planEdit } from './keptedit.js';
import type { Access, Change, Counters, KeptEdit, KeptTable, OpenTable } from './opentable.js';
import { followSets, followTests, followTexts } from './origins.js';
import { holdOutput, note } from './output.js';
import { notePaths } from './pathnotes.js';
import { type Revision, revisionOf, withRevision } from './revision.js';
import { SYSTEM_NAMES } from './systemnames.js';
import { decode, editBytes, type TextEdit, textBytes } from './textedit.js';
import { waitTurn } from './turn.js';

/** Which table in force, and who hears what a person should know beside the outcome. */
export interface LiveOptions extends Pick<Globals, 'root' | 'wait'> {
  readonly tell?: (text: string) => void;
}

export interface LiveTable {
  readonly open: OpenTable;
  readonly firewall: Firewall;
}

/** Numbers in the order of counterOwners(table), as a function of the owner. */
function countersOf(table: Table, totals: ArrayLike<bigint>): Counters {
  const counts = new Map<Rule | string, bigint>();
  counterOwners(table).forEach(({ rule, chain }, at) => {
    counts.set(rule ?? chain.name, totals[at] ?? 0n);
  });
  return ({ rule, chain }) => counts.get(rule ?? chain.name) ?? 0n;
}

function parseInForce(text: string, base?: Table): Table {
  const context = { names: SYSTEM_NAMES, ...(base && { base }) };
  const { table, diagnostics } = parseSave(text, 'the table in force', context);
  const [fault] = diagnostics;
  if (fault) throw new Error(`the table in force can't be read back: ${fault.message}`);
  return table;
}

/** A text in force, which says only which sets there are, with what they hold. */
function wholeText(text: string, table: Table): string {
  return table.sets.length === 0 ? text : withRevision(printSave(table), revisionOf(text));
}

/** Whether a text in force may say that there are sets: each has a line of its own. */
const maySaySets = (bytes: Buffer) => bytes.includes('\ncreate ');

/** The text in force with what its sets hold; it is read where it has some. */
function textInForce(firewall: Firewall): Buffer | undefined {
  const { textBytes } = firewall;
  if (!textBytes || !maySaySets(textBytes)) return textBytes;
  const text = decode(textBytes);
  return Buffer.from(wholeText(text, firewall.fill(parseInForce(text))));
}

/** The revision that a change makes of the one in force. */
function nextRevision(
  { label }: Change,
  body: string,
  access: Access,
  inForce: string | undefined,
): Revision | undefined {
  if (label !== undefined) return { label, hash: hashText(body) };
  return access === 'replace' || inForce === undefined ? undefined : revisionOf(inForce);
}

/** The table in force, if opaque tests of it have a state; else one without. */
function stateful(firewall: Firewall): Table {
  const text = firewall.hasTests ? firewall.read()?.text : undefined;
  return text === undefined ? EMPTY_TABLE : parseInForce(text);
}

/** The text in force and what is in it, each read when it is first asked for. */
class LiveText {
  /** In UTF-8; undefined where nothing is installed, or nothing is to be read. */
  readonly bytes: Buffer | undefined;
  readonly #firewall: Firewall;
  #isTaken = false;
  #text: string | undefined;
  #table: Table | undefined;
  #kept: KeptTable | undefined;
  #totals: readonly bigint[] | undefined;
  #counters: Counters | undefined;

  constructor(firewall: Firewall, access: Access) {
    this.#firewall = firewall;
    this.bytes = access === 'replace' ? undefined : firewall.textBytes;
  }

  get text(): string | undefined {
    if (this.#isTaken) throw new TypeError('the text has been edited');
    this.#text ??= this.bytes && decode(this.bytes);
    return this.#text;
  }

  /** The hash of the text, and in UTF-8 what edits make of it: in the memory that it was read to, so once at most. */
  edited(edits: readonly TextEdit[]): { readonly before: HashedText; readonly text: Buffer } {
    if (!this.bytes || this.#isTaken) throw new TypeError('there is no text to be edited');
    const { hash } = hashed(this.bytes);
    this.#isTaken = true;
    const { text, before } = editBytes(this.bytes, edits);
    return { before: { hash, text: before }, text };
  }

  get table(): Table {
    this.#table ??=
      this.text === undefined ? EMPTY_TABLE : this.#firewall.fill(parseInForce(this.text));
    return this.#table;
  }

  get totals(): readonly bigint[] {
    this.#totals ??= (this.text === undefined ? undefined : this.#firewall.counters) ?? [];
    return this.#totals;
  }

  get counters(): Counters {
    this.#counters ??= countersOf(this.table, this.totals);
    return this.#counters;
  }

  get kept(): KeptTable | undefined {
    if (this.#kept) return this.#kept;
    if (!this.bytes || !this.#firewall.isPrinted) return undefined;
    const kept = keptText({ ...textBytes(this.bytes), rules: this.#firewall.rules });
    const totals = () => this.totals;
    const head = readHead(kept.head, parseInForce);
    this.#kept = {
      kept,
      head,
      read: (lines) => parseInForce(excerpt(lines), head),
      get totals() {
        return totals();
      },
    };
    return this.#kept;
  }
}

function openLive(
  firewall: Firewall,
  access: Access,
  { wait, tell = note }: LiveOptions,
): OpenTable {
  const live = new LiveText(firewall, access);
  const editPart = (edit: KeptEdit): boolean => {
    const { kept } = live;
    const plan = kept && planEdit(kept, edit);
    if (!plan) return false;
    let recorded: ReturnType<LiveText['edited']> | undefined;
    const text = () => {
      recorded ??= live.edited(plan.text);
      return recorded.text;
    };
    if (!firewall.commitPart({ ...plan, text })) return false;
    if (recorded) recordCommit(firewall.name, recorded, tell);
    if (plan.groups) notePaths(kept.head, { groups: plan.groups }, tell);
    return true;
  };
  return {
    get table() {
      return live.table;
    },
    get kept() {
      return live.kept;
    },
    counters: (owner) => live.counters(owner),
    revision: live.bytes && revisionOf(live.bytes),
    editPart,
    editLines: (lines, counters) => editLines({ kept: live.kept, editPart }, lines, counters),
    commit: (change) => {
      const { table, text: inForce } = live;
      const next = recordIds(requireValid(change.table), wait);
      const { origins, confirmWithin, resetsState = false } = change;
      const body = printSave(next, { lines: change.lines });
      const revision = nextRevision(change, body, access, inForce);
      const whole = Buffer.from(withRevision(body, revision));
      // In force it says only which sets there are.
      const text =
        next.sets.length === 0
          ? whole
          : withRevision(printSave(next, { elements: false }), revision);
      const trial = confirmWithin === undefined ? {} : { confirmWithin };
      const old = inForce === undefined ? textInForce(firewall) : wholeText(inForce, table);
      const last = access === 'replace' && !resetsState ? stateful(firewall) : table;
      const testOrigins = resetsState ? [] : followTests(last, next);
      const setOrigins = followSets(table, next);
      const { before } = firewall.commit({
        table: next,
        text,
        isPrinted: true,
        origins,
        testOrigins,
        setOrigins,
        ...trial,
      });
      // What is on trial is recorded when it is confirmed.
      if (confirmWithin === undefined)
        recordCommit(
          firewall.name,
          { before: old === undefined ? undefined : hashed(old), text: whole },
          tell,
        );
      notePaths(table, next, tell);
      return countersOf(table, before ?? []);
    },
  };
}

/** The rules in force, for commands that have no use for what sets hold. */
export function withRules<T>(
  globals: Globals,
  access: Access,
  use: (live: { readonly table: Table; readonly firewall: Firewall }) => T,
): T {
  return withFirewall(globals, access, (firewall) => {
    const { text } = firewall;
    return use({ table: text === undefined ? EMPTY_TABLE : parseInForce(text), firewall });
  });
}

/** Keeps the table that is on trial. */
export function confirmTrial(options: LiveOptions): void {
  withFirewall(options, 'edit', (firewall) => {
    const { fallback } = firewall;
    const before = fallback && wholeText(fallback, firewall.fillFallback(parseInForce(fallback)));
    firewall.confirm();
    const text = textInForce(firewall);
    const was = before === undefined ? undefined : hashed(before);
    if (text !== undefined) recordCommit(firewall.name, { before: was, text }, options.tell);
  });
}

/** Puts the table before back: of one on trial at once, else that of the history. Gives what it was. */
export function goBack(options: LiveOptions): string {
  return withFirewall(options, 'edit', (firewall) => {
    if (firewall.trial) {
      firewall.abort();
      return 'the table on trial is undone';
    }
    const bytes = textInForce(firewall);
    if (bytes === undefined)
      throw new CommandError('nothing is in force that could be undone', EXIT.unfit);
    const text = decode(bytes);
    const entries = readHistory(firewall.name);
    const current = entryOf(entries, text) ?? entryWithSets(entries, text);
    const target = entries.find(({ number }) => number === current?.previous);
    if (!target) {
      const help = 'restore a rule file';
      throw new CommandError('the history has no table before this one', EXIT.unfit, help);
    }
    const wanted = readEntry(target);
    const table = parseInForce(wanted);
    const last = parseInForce(text);
    const origins = followTexts(last, table);
    const testOrigins = followTests(last, table);
    const committed =
      table.sets.length === 0
        ? wanted
        : withRevision(printSave(table, { elements: false }), revisionOf(wanted));
    firewall.commit({ table, text: committed, origins, testOrigins });
    recordCommit(
      firewall.name,
      { before: hashed(text), text: wanted, previous: target.previous },
      options.tell,
    );
    const label = revisionOf(wanted)?.label;
    return `back to ${target.path}${label === undefined ? '' : `, revision ${label}`}`;
  });
}

/** Where commands on one root wait for each other. */
const QUEUES = '/run/sockfilter';

/** Seconds that a change waits for commands that only read, also if it was not told to wait. */
const READERS_END = 5;

/** Opens the instance; commands that wait for its lock get it in the order in which they came. */
function openInTurn(root: string, wait: number, readOnly: boolean): Firewall {
  let firewall: Firewall | undefined;
  let refused: LockedError | undefined;
  const open = () => {
    try {
      firewall = Firewall.open({ root, wait: 0, readOnly, parse: parseInForce });
      return true;
    } catch (error) {
      if (!(error instanceof LockedError)) throw error;
      refused = error;
      return false;
    }
  };
  const queue = join(QUEUES, `${instanceName(root)}.queue`);
  if (!waitTurn(queue, wait, open) && refused?.byReaders)
    waitTurn(queue, Math.max(0, READERS_END - wait), open);
  if (firewall === undefined) throw refused;
  return firewall;
}

/** Opens the instance for `use` and holds its lock as long; who reads shares it with others that do. */
export function withFirewall<T>(
  { root, wait, tell = note }: LiveOptions,
  access: Access,
  use: (firewall: Firewall) => T,
): T {
  return holdOutput(() => {
    return closing(openInTurn(root, wait, access === 'read'), (firewall) => {
      for (const warning of firewall.warnings) tell(warning);
      return use(firewall);
    });
  });
}

export function withLiveTable<T>(
  options: LiveOptions,
  access: Access,
  use: (live: LiveTable) => T,
): T {
  return withFirewall(options, access, (firewall) =>
    use({ firewall, open: openLive(firewall, access, options) }),
  );
}
