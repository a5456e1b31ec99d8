/** What describes a detail of a call: the row that every stage reads instead of naming details. */
import type { BuiltinChain } from './chains.js';
import type { Range, ValueSet } from './valueset.js';

interface Dodge {
  readonly chains: readonly BuiltinChain[];
  /** By having none of it; else by having another. */
  readonly byNone: boolean;
  /** How, as in `a socket ...`. */
  readonly text: string;
}

export interface DetailDescriptor {
  /** Width in bits: 32, or a multiple of 16. */
  readonly bits: number;
  /** The chains whose calls have none, each with the reason: there it is 0. */
  readonly absent: Partial<Readonly<Record<BuiltinChain, string>>>;
  /** The values that it can have; undefined for any. */
  readonly values?: { readonly set: ValueSet; readonly reason: string };
  /** Where callers choose it, so that they get round what refuses them for it alone. */
  readonly dodge?: Dodge;
  /** What it is, as in `filesystem uid of the caller`. */
  readonly text: string;
  /** Values that lie together as one word, and from it; undefined for what is none. */
  readonly print: (range: Range) => string;
  readonly read: (text: string) => Range | undefined;
  /** What is to be written. */
  readonly help: string;
}
