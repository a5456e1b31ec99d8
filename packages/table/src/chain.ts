/** What describes a built-in chain: the row that every stage reads instead of naming chains. */
import type { Field } from './packet.js';
import type { ValueSet } from './valueset.js';

/** The values that a field can have. */
export interface Bound {
  readonly set: ValueSet;
  /** Why it has no other, for messages. */
  readonly reason: string;
}

export interface ChainDescriptor {
  /** The socket call as words have it: `connect(tcp, 10.0.0.5:80)`. */
  readonly call: string;
  /** What tells its calls apart, in words. */
  readonly apart: string;
  /** Which end of the packet is that of our socket; the other one is the peer's. */
  readonly ours: 'source' | 'destination';
  /** Why there is no peer; undefined where there is one. */
  readonly noPeer?: string;
  /** Whose ids the packet has: the calling task's, or those that the socket got from its maker. */
  readonly ids: 'caller' | 'socket';
  /** What comes of a refusal: the call fails with an errno, or a packet is lost and nobody is told. */
  readonly refusal: 'errno' | 'silence';
  /** Why the socket's mark can't be set there so that this call has it. */
  readonly unmarkable?: string;
  /** Why the address that is asked for can't be made another one there. */
  readonly unwritable?: string;
  /** Why a call that rules have rewritten may be judged once more as it is by then, by what they have rewritten. */
  readonly judgedAgain?: Partial<Readonly<Record<Field, string>>>;
  /** The fields that the chain restricts by itself. */
  readonly bounds: Partial<Readonly<Record<Field, Bound>>>;
  /** The TCP flags byte by protocol, where it is not 0. */
  readonly flags: Readonly<Record<number, number>>;
  /** Its place among the chains when a call of any would do as an example; the lowest is taken. */
  readonly exampleRank: number;
  /** An ordinary socket has no address of its own when it makes the call. */
  readonly usuallyUnbound: boolean;
}
