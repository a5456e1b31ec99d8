/**
 * The rules of a packet filter as data, whichever it is: what readers of iptables and nft make, and what is translated.
 * A chain has a key, since nft has chains of the same name in several tables.
 */
import type { BuiltinChain, Family } from '@sockfilter/table';
import type { Remark } from './draft.js';

/** A test in the words of iptables, `! --dport 80` for example. */
export interface Option {
  readonly name: string;
  readonly negated: boolean;
  readonly words: readonly string[];
}

/** A test that no socket call has, with the reason. */
interface LostTest {
  readonly lost: string;
}

/** A test that holds for no socket call, with the reason. */
interface NeverTest {
  readonly never: string;
}

export type Test = Option | LostTest | NeverTest;

export interface ForeignTarget {
  /** As it is called there. */
  readonly name: string;
  readonly goto: boolean;
  /** The key of the chain that it calls. */
  readonly chain?: string | undefined;
}

/** Where something of the original stands, and its text. */
export type Origin = Pick<Remark, 'line' | 'place' | 'text'>;

export interface ForeignRule extends Origin {
  /** undefined: of both families. */
  readonly family: Family | undefined;
  readonly tests: readonly Test[];
  readonly target: ForeignTarget | undefined;
  readonly targetOptions: readonly Option[];
  /**
   * It only says what the rule behind it is not about, as all of a set that is negated do: a socket without a
   * source is none of them.
   */
  readonly exempts?: boolean;
}

export interface ForeignChain {
  readonly table: string;
  readonly name: string;
  /** Of a base chain. */
  readonly policy: 'ACCEPT' | 'DROP' | undefined;
  readonly family: Family | undefined;
  readonly rules: readonly ForeignRule[];
}

export interface PacketFilter {
  readonly file: string;
  readonly chains: ReadonlyMap<string, ForeignChain>;
  /**
   * The base chains that a packet passes one after the other, by what a chain map calls them: a call is accepted if
   * all of them accept it.
   */
  readonly stages: ReadonlyMap<string, readonly string[]>;
  /** Whether some packets are not tracked, and so in no state of a connection. */
  readonly untracked: boolean;
  /** Whether its tests of sockets find the listener that a packet reaches. */
  readonly findsSockets: boolean;
  /** What is not in the chains. */
  readonly remarks: readonly Remark[];
}

/** The chains of ours that stand for one of theirs. */
export type ChainMap = ReadonlyMap<string, readonly BuiltinChain[]>;

/** The chains of the file that have the name: one of iptables, in nft one for each table. */
export function chainsCalled({ chains }: PacketFilter, name: string): readonly string[] {
  if (chains.has(name)) return [name];
  return [...chains].filter(([, chain]) => chain.name === name).map(([key]) => key);
}

/** The base chains that the name of a chain map stands for, or the one chain that is called so. */
export function stagesOf(filter: PacketFilter, theirs: string): readonly string[] | undefined {
  const called = chainsCalled(filter, theirs);
  return filter.stages.get(theirs) ?? (called.length === 1 ? called : undefined);
}

/** The chains that the chain reaches, and itself. */
export function reachedFrom({ chains }: PacketFilter, start: string): ReadonlySet<string> {
  const reached = new Set([start]);
  for (const key of reached)
    for (const { target } of chains.get(key)?.rules ?? [])
      if (target?.chain !== undefined) reached.add(target.chain);
  return reached;
}

/** Targets that decide nothing. */
export const PASSING =
  /^(LOG|NFLOG|ULOG|MARK|CONNMARK|CONNSECMARK|SECMARK|AUDIT|TRACE|TOS|DSCP|TTL|HL|CLASSIFY|NOTRACK|CT|CHECKSUM|SET|RATEEST|TEE|IDLETIMER|LED|TCPMSS)$/;

/** Whether a packet may be refused by the chain or those that it calls. */
export function mayRefuse(filter: PacketFilter, start: string): boolean {
  if (filter.chains.get(start)?.policy === 'DROP') return true;
  return [...reachedFrom(filter, start)].some((key) =>
    filter.chains.get(key)?.rules.some(({ target }) => {
      if (!target || target.chain !== undefined) return false;
      return !/^(ACCEPT|RETURN)$/.test(target.name) && !PASSING.test(target.name);
    }),
  );
}
