/** Every built-in chain there is. A new one is a file in chains/ and a row here, after the others. */
import type { ChainDescriptor } from './chain.js';
import { accept } from './chains/accept.js';
import { bind } from './chains/bind.js';
import { connect } from './chains/connect.js';
import { recvfrom } from './chains/recvfrom.js';
import { sendto } from './chains/sendto.js';

export const CHAINS = {
  BIND: bind,
  ACCEPT: accept,
  CONNECT: connect,
  SENDTO: sendto,
  RECVFROM: recvfrom,
} as const satisfies Readonly<Record<string, ChainDescriptor>>;

export type BuiltinChain = keyof typeof CHAINS;

export function isBuiltinChain(name: string): name is BuiltinChain {
  return Object.hasOwn(CHAINS, name);
}

/** The built-in chains, in the order in which they are numbered, listed and saved. */
export const BUILTIN_CHAINS: readonly BuiltinChain[] = Object.keys(CHAINS).filter(isBuiltinChain);

/** A value for each of them. */
export function chainRecord<T>(value: (chain: BuiltinChain) => T): Record<BuiltinChain, T> {
  return {
    BIND: value('BIND'),
    ACCEPT: value('ACCEPT'),
    CONNECT: value('CONNECT'),
    SENDTO: value('SENDTO'),
    RECVFROM: value('RECVFROM'),
  };
}

const NUMBERS = new Map(BUILTIN_CHAINS.map((chain, number) => [chain, number]));

/** The chain's value as a field of the packet: its position among the chains. */
export function chainNumber(chain: BuiltinChain): number {
  const number = NUMBERS.get(chain);
  if (number === undefined) throw new TypeError(`no built-in chain ${chain}`);
  return number;
}

/** The chains that have what the row is asked for, with the reason why, or what, it says. */
export function chainsThat(
  says: (row: ChainDescriptor) => string | undefined,
): Partial<Readonly<Record<BuiltinChain, string>>> {
  const found: Partial<Record<BuiltinChain, string>> = {};
  for (const chain of BUILTIN_CHAINS) {
    const text = says(CHAINS[chain]);
    if (text !== undefined) found[chain] = text;
  }
  return found;
}
