/** What a page shows, before it is HTML. All of it is read off sets: no call is sampled. */
import type { BuiltinChain } from '@sockfilter/table';
import type { ChangeKind } from '../change.js';

/** `open`: opaque tests have a say. */
export type Outcome = 'accepted' | 'refused' | 'open';

/** What becomes of all calls of a cell; `void` where no such call can happen. */
export type CellState = Outcome | 'mixed' | 'void';

/** How a cell differs from the old file: `both` for calls newly accepted beside others newly refused. */
export type CellChange = ChangeKind | 'both';

/** A rule or policy that decides calls of some cell. */
export interface PageRule {
  /** `rule 3 of BIND`. */
  readonly name: string;
  readonly target: string;
  /** `web.rules:12`. */
  readonly where: string;
  /** The line as it is written. */
  readonly text: string;
  /** The comment lines above it. */
  readonly comments: readonly string[];
}

/** Calls of a cell that have something in common. Rules are numbers in the page's list. */
export interface CellPart {
  readonly kind: Outcome | ChangeKind;
  /** In words; none where the part is the whole cell. */
  readonly regions: readonly string[];
  /** True where there are more regions than are listed. */
  readonly isCut: boolean;
  /** What decides them now; the first decides the call below. */
  readonly rules: readonly number[];
  /** What decided them in the old file. */
  readonly before?: readonly number[];
  /** How many deciding rules are not listed. */
  readonly moreRules: number;
  readonly call: string;
  readonly command: string;
}

export interface Cell {
  readonly state: CellState;
  readonly change?: CellChange | undefined;
  readonly parts: readonly CellPart[];
}

interface PageRow {
  readonly label: string;
  /** The groups of which this is the row, where they are several. */
  readonly names: readonly string[];
  readonly cells: readonly Cell[];
}

export interface ChainMatrix {
  readonly chain: BuiltinChain;
  /** Destinations in words; what an earlier one has is not in a later one that says so by `rest`. */
  readonly columns: readonly string[];
  readonly rows: readonly PageRow[];
  /** Destinations that rules name and that have no column of their own. */
  readonly cutColumns: number;
  /** Where every call of the chain gets the same verdict from the same rule: that cell. */
  readonly whole?: Cell | undefined;
}

interface ChangeLine {
  readonly kind: ChangeKind;
  readonly text: string;
  readonly call: string;
}

export interface Page {
  readonly title: string;
  readonly version: string;
  /** The files, what was asked, and other facts in pairs. */
  readonly facts: readonly (readonly [string, string])[];
  readonly matrices: readonly ChainMatrix[];
  readonly rules: readonly PageRule[];
  /** Groups that share the last row but one, since there are too many. */
  readonly cutRows: number;
  /** With a diff: what changed, in words. */
  readonly changes?: readonly ChangeLine[];
  /** With a diff: changed groups, and what was cut. */
  readonly remarks: readonly string[];
}
