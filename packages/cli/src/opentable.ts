/** The table that a command works on, wherever it is kept. */
import type { KeptText } from '@sockfilter/iptables';
import type { PartChange } from '@sockfilter/kernel';
import type { Document, EditCommand } from '@sockfilter/language';
import type { CounterOwner, Group, Table } from '@sockfilter/table';
import type { Globals } from './globals.js';
import type { EditedChain } from './keptdraft.js';
import type { Revision } from './revision.js';
import type { TextEdit } from './textedit.js';

/** The counter of each owner in a table. */
export type Counters = (owner: CounterOwner) => bigint;

export interface Change {
  readonly table: Table;
  /** For each counter of the table the one that it goes on, undefined if it starts anew. */
  readonly origins: readonly (number | undefined)[];
  /** Opaque tests begin anew, also those of rules that stay. */
  readonly resetsState?: boolean;
  /** What a rule file is to say, word for word; else the old file is edited line by line. */
  readonly text?: string;
  /** Those of the file that the table was read from. */
  readonly lines?: Document['ruleLines'];
  /** The label of the revision that it is; one that is edited keeps what it has. */
  readonly label?: string | undefined;
  /** Seconds after which it is undone unless it is confirmed; of the live table only. */
  readonly confirmWithin?: number | undefined;
}

/** A table that is kept as its text in the save format, of which listings read what they need. */
export interface KeptTable {
  readonly kept: KeptText;
  /** The table without its rules. */
  readonly head: Table;
  /** The counters as they were read, in the order of counterOwners(table). */
  readonly totals: readonly bigint[];
  /** The table with no other rules than the lines say, each of which ends in a newline. */
  readonly read: (lines: string) => Table;
}

/** A change of such a table, and of its text. */
export interface PlannedPart extends Omit<PartChange, 'text'> {
  /** In the order of the text. */
  readonly text: readonly TextEdit[];
}

/** A command, other rules in some chains, or other groups. */
export type KeptEdit =
  | EditCommand
  | { readonly kind: 'rules'; readonly chains: readonly EditedChain[] }
  | { readonly kind: 'groups'; readonly groups: readonly Group[] };

/** Lines of a rule file. */
export interface Lines {
  readonly text: string;
  /** The number of the first, of lines from inside the table. */
  readonly firstLine?: number | undefined;
}

export interface OpenTable {
  /**
   * Makes an edit of which the text that is kept tells all that is to be compiled. False, with nothing changed, for any
   * other. Throws TableError.
   */
  readonly editPart?: (edit: KeptEdit) => boolean;
  /**
   * The same of all that lines ask, at once; the rules keep the counters that they come with if `counters`. False also where something
   * is wrong, which who reads the whole table tells.
   */
  readonly editLines?: (lines: Lines, counters: boolean) => boolean;
  /** Read when it is first asked for. */
  readonly table: Table;
  /** Where the text that is kept says all of the table. */
  readonly kept?: KeptTable | undefined;
  /** The counters as they were read. */
  readonly counters: Counters;
  /** What the live table was restored from, if it was given a label. */
  readonly revision?: Revision | undefined;
  /**
   * Puts the table in the place of the one that was read, atomically. Returns the counters that the
   * old one had at that moment. Throws TableError and leaves everything as it is if the table as a
   * whole can't be.
   */
  readonly commit: (change: Change) => Counters;
}

/** `read` promises not to commit; `replace` reads nothing, so that a broken file is no obstacle. */
export type Access = 'read' | 'edit' | 'replace';

const loadLive = () => import('./livetable.js');
const loadFile = () => import('./filetable.js');

/** Loads the code that opens it. */
export async function loadTableCode({ file }: Globals): Promise<void> {
  await (file === undefined ? loadLive() : loadFile());
}

/** Opens the table, in the kernel or in `--file`, for `use`, which must not go on afterwards. */
export async function withTable<T>(
  globals: Globals,
  access: Access,
  use: (open: OpenTable) => T,
): Promise<T> {
  if (globals.file !== undefined) {
    const { withFileTable } = await loadFile();
    return withFileTable(globals.file, globals.wait, access, use);
  }
  const { withLiveTable } = await loadLive();
  return withLiveTable(globals, access, ({ open }) => use(open));
}
