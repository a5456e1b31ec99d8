/** A save file as lines, each with what it declares, so that an edit leaves the other lines alone. */
import type { Chain, Group, NamedSet, Rule, SetElement } from '@sockfilter/table';
import type { Names } from './names.js';
import type { Source, Span, Word } from './source.js';

/** What a line of a file says. */
export type DocumentKind =
  | { readonly kind: 'other' | 'comment' | 'table' | 'commit' }
  /** Another command, and the built-in chains whose policy it counts anew. */
  | { readonly kind: 'edit'; readonly zeroed: readonly string[] }
  /** `:BIND ACCEPT [0:0]` or `-N web`. */
  | {
      readonly kind: 'chain';
      readonly name: string;
      readonly policy: Chain['policy'];
      readonly packets: bigint;
    }
  | { readonly kind: 'group'; readonly group: Group }
  | { readonly kind: 'set'; readonly set: NamedSet }
  /** `add NAME ELEMENT`: a range is several. */
  | { readonly kind: 'elements'; readonly set: string; readonly elements: readonly SetElement[] }
  | { readonly kind: 'deny-unseen'; readonly on: boolean }
  | { readonly kind: 'rules'; readonly chain: string; readonly rules: readonly Rule[] };

/** A line of a file as it was written, and what it says. */
export type DocumentLine = { readonly text: string } & DocumentKind;

/** What of rules the lines say, each by its number from 0: a file's lines need not be made for that. */
export interface RuleLines {
  readonly length: number;
  /** The chain of the line's rules; undefined if it says none. */
  readonly chainAt: (line: number) => string | undefined;
  readonly rulesAt: (line: number) => readonly Rule[];
  /** What a line says that says no rules. */
  readonly otherAt: (line: number) => DocumentKind | undefined;
  /** The one rule as it is printed, where that is known to be so. */
  readonly printedAt: (line: number) => string | undefined;
}

/** Where a rule was written. */
export interface RulePlace {
  readonly rule: Span;
  /** The word after -j or -g. */
  readonly target: Span | undefined;
  /** `-j REJECT` with its errno, where they stand together. */
  readonly reject: Span | undefined;
  /** Its words, where they are not the text at its place. */
  readonly words?: readonly Word[] | undefined;
}

export interface Document {
  readonly source: Source;
  readonly lines: readonly DocumentLine[];
  /** The same lines, as far as they say rules. */
  readonly ruleLines: RuleLines;
  /** By identity of the rule. */
  readonly places: { readonly get: (rule: Rule) => RulePlace | undefined };
  /** Where each chain is declared, if it is. */
  readonly chains: ReadonlyMap<string, Span>;
  /** Where each group is declared, if it is. */
  readonly groups: ReadonlyMap<string, Span>;
  readonly names: Names;
}
