/** What a user meant who names a chain or target that is not there. */
import { didYouMean } from '@sockfilter/language';
import {
  BUILTIN_CHAINS,
  type BuiltinChain,
  CHAINS,
  calledChain,
  findChain,
  isBuiltinChain,
  type Rule,
  TARGETS,
  type Table,
} from '@sockfilter/table';
import { TARGET_NAMES } from './chainname.js';

/** The chains that see what a chain of iptables sees. */
const IPTABLES_CHAINS: Readonly<Record<string, readonly BuiltinChain[]>> = {
  INPUT: ['ACCEPT', 'RECVFROM', 'BIND'],
  OUTPUT: ['CONNECT', 'SENDTO'],
  POSTROUTING: ['CONNECT', 'SENDTO'],
  PREROUTING: ['ACCEPT', 'RECVFROM'],
  FORWARD: [],
};

function anyOf(names: readonly string[]): string | undefined {
  const [first, ...more] = names.map((name) => `\`${name}\``);
  if (first === undefined) return undefined;
  const last = more.pop();
  return `did you mean ${last === undefined ? first : `${[first, ...more].join(', ')} or ${last}`}?`;
}

/** Help for a chain of iptables; `fits` says which of ours can have what is to be put there. */
export function iptablesChainHelp(
  name: string,
  fits: (chain: BuiltinChain) => boolean = () => true,
): string | undefined {
  const upper = name.toUpperCase();
  const chains = Object.hasOwn(IPTABLES_CHAINS, upper) ? IPTABLES_CHAINS[upper] : undefined;
  if (!chains) return undefined;
  if (chains.length === 0) return 'a packet that is forwarded is no socket call: no chain sees it';
  return anyOf(chains.filter(fits));
}

/** What a command wants with the chain: to put a rule there, to make it known, or only to find it. */
export type Purpose = 'command' | 'file' | 'find';

function firstMake(name: string, purpose: Purpose): string {
  if (purpose === 'file') return `declare it first: \`:${name} - [0:0]\``;
  if (purpose === 'command') return `create the chain first: \`-N ${name}\``;
  return `the chains are ${BUILTIN_CHAINS.join(', ')} and what \`-S\` lists`;
}

export function missingChainHelp(
  table: Table,
  name: string,
  purpose: Purpose,
  fits?: (chain: BuiltinChain) => boolean,
): string {
  const chains = table.chains.map((chain) => chain.name);
  return iptablesChainHelp(name, fits) ?? didYouMean(name, chains) ?? firstMake(name, purpose);
}

/** The chains that calls of ACCEPT or RECVFROM reach, where a refusal is silent. */
function reachedInSilence(table: Table): ReadonlySet<string> {
  const reached = new Set<string>(
    BUILTIN_CHAINS.filter((name) => CHAINS[name].refusal === 'silence'),
  );
  for (const name of reached)
    for (const { target } of findChain(table, name)?.rules ?? []) {
      const called = calledChain(target);
      if (called !== undefined) reached.add(called);
    }
  return reached;
}

export function isSilent(table: Table, chain: string): boolean {
  return reachedInSilence(table).has(chain);
}

/** Help for the word after `-j` or `-g` of a rule of the chain. */
export function missingTargetHelp(
  table: Table,
  chain: string,
  target: Rule['target'],
  purpose: Purpose,
): string | undefined {
  const called = calledChain(target);
  if (called === undefined) return undefined;
  const chains = table.chains
    .map(({ name }) => name)
    .filter((name) => !isBuiltinChain(name) && name !== chain);
  const targets =
    target?.kind === 'goto'
      ? []
      : TARGET_NAMES.filter((name) => name !== TARGETS.reject.word || !isSilent(table, chain));
  return didYouMean(called, [...chains, ...targets]) ?? firstMake(called, purpose);
}
