/** The socket table as plain frozen data. */

import { BUILTIN_CHAINS, type BuiltinChain } from './chains.js';
import type { MatchOption } from './match.js';
import type { MatchName } from './matches.js';
import { findNamed } from './named.js';
import type { Policy } from './policy.js';
import type { NamedSet } from './sets/namedset.js';
import type { Target } from './targets.js';

/** One match of a rule with its options in canonical order, those of `-m tcp` for example. */
export interface Match {
  readonly name: MatchName;
  readonly options: readonly MatchOption[];
}

/**
 * A rule. `ip`, if present, is the first match and there is one at most; the others stand in the
 * order written. A rule is known by its identity: edits keep the objects of the rules that they
 * leave alone, and that is how counters and comments follow their rule.
 */
export interface Rule {
  readonly matches: readonly Match[];
  /** Without a target the rule only counts. */
  readonly target: Target | undefined;
  /** What the counter starts at. */
  readonly packets: bigint;
}

export interface Chain {
  readonly name: string;
  /** Built-in chains alone have one. */
  readonly policy: Policy | undefined;
  /** What the policy's counter starts at; 0 in user chains. */
  readonly packets: bigint;
  readonly rules: readonly Rule[];
}

/** A name and a network_id, and the control group that has it, if any. */
export interface Group {
  readonly name: string;
  /** 1 to 2^32-1. */
  readonly id: number;
  /** Absolute, below the cgroup2 mount, without a trailing slash; `/` for the root. Can be a pattern. */
  readonly path: string | undefined;
}

/** The built-in chains come first, in their order. */
export interface Table {
  /** Whether sockets whose calls no hook sees can't be made (`--deny-unseen`). */
  readonly denyUnseen: boolean;
  readonly groups: readonly Group[];
  readonly sets: readonly NamedSet[];
  readonly chains: readonly Chain[];
}

export const MAX_GROUP_ID = 2 ** 32 - 1;

/** A chain as `-P ACCEPT` on a fresh table or `-N` leaves it. */
export function emptyChain(name: string, policy: Policy | undefined): Chain {
  return { name, policy, packets: 0n, rules: [] };
}

export const EMPTY_TABLE: Table = {
  denyUnseen: false,
  groups: [],
  sets: [],
  chains: BUILTIN_CHAINS.map((name) => emptyChain(name, 'ACCEPT')),
};

export function findChain(table: Table, name: string): Chain | undefined {
  return findNamed(table.chains, name);
}

/** The built-in chain; it is there in every table. */
export function builtinChain(table: Table, name: BuiltinChain): Chain {
  const chain = findChain(table, name);
  if (!chain) throw new TypeError(`the table has no chain ${name}`);
  return chain;
}
