/**
 * What the table commands do. Every function gives a new table and keeps the objects of all rules
 * that it does not touch; it throws TableError, with iptables' words, when the table forbids it.
 */
import { dequal } from 'dequal/lite';
import { isBuiltinChain } from './chains.js';
import { TableError } from './error.js';
import type { Policy } from './policy.js';
import { type Chain, emptyChain, findChain, type Rule, type Table } from './table.js';
import { calledChain } from './targets.js';

const NO_CHAIN = 'No chain/target/match by that name.';

/** The chain, or TableError. */
export function requireChain(table: Table, name: string): Chain {
  const chain = findChain(table, name);
  if (!chain) throw new TableError(NO_CHAIN, `there is no chain \`${name}\``);
  return chain;
}

function withChain(table: Table, changed: Chain): Table {
  const chains = table.chains.map((chain) => (chain.name === changed.name ? changed : chain));
  return { ...table, chains };
}

function withRules(table: Table, chain: Chain, rules: readonly Rule[]): Table {
  return withChain(table, { ...chain, rules });
}

/** Rules are numbered from 1 to `last`; TableError for another number, as iptables says it. */
function checkNumber(number: number, last: number, purpose: string): void {
  if (number < 1) throw new TableError(`Invalid rule number \`${number}'`);
  if (number > last) throw new TableError(`Index of ${purpose} too big.`);
}

/** What becomes of a chain's rules: from `at` on some go, and others come in their place. */
export interface RuleSplice {
  readonly at: number;
  readonly removed: number;
  readonly added: readonly Rule[];
}

/** Rules, as many as there are. */
type Counted = Pick<readonly Rule[], 'length'>;

/** Inserts before the rule with this number; one past the last appends. */
export function insertion({ length }: Counted, number: number, added: readonly Rule[]): RuleSplice {
  checkNumber(number, length + 1, 'insertion');
  return { at: number - 1, removed: 0, added };
}

/** Another rule in the place of the one with this number. */
export function replacement({ length }: Counted, number: number, rule: Rule): RuleSplice {
  checkNumber(number, length, 'replacement');
  return { at: number - 1, removed: 1, added: [rule] };
}

export function deletion({ length }: Counted, number: number): RuleSplice {
  checkNumber(number, length, 'deletion');
  return { at: number - 1, removed: 1, added: [] };
}

/** `splice` sees the rules of the chain. */
function splice(table: Table, name: string, of: (rules: readonly Rule[]) => RuleSplice): Table {
  const chain = requireChain(table, name);
  const { at, removed, added } = of(chain.rules);
  return withRules(table, chain, chain.rules.toSpliced(at, removed, ...added));
}

export function appendRules(table: Table, name: string, rules: readonly Rule[]): Table {
  const chain = requireChain(table, name);
  return withRules(table, chain, [...chain.rules, ...rules]);
}

/** Inserts before the rule with this number; one past the last appends. */
export function insertRules(
  table: Table,
  name: string,
  number: number,
  added: readonly Rule[],
): Table {
  return splice(table, name, (rules) => insertion(rules, number, added));
}

export function replaceRule(table: Table, name: string, number: number, rule: Rule): Table {
  return splice(table, name, (rules) => replacement(rules, number, rule));
}

export function deleteRuleNumber(table: Table, name: string, number: number): Table {
  return splice(table, name, (rules) => deletion(rules, number));
}

/** True if both say the same; counters do not matter. */
export function sameRule(a: Rule, b: Rule): boolean {
  return dequal(a.matches, b.matches) && sameTarget(a.target, b.target);
}

/** True if both do the same with a call; undefined is a rule without a target. */
export function sameTarget(a: Rule['target'], b: Rule['target']): boolean {
  return dequal(a, b);
}

/** The number of the first rule that says the same; TableError if there is none. */
export function findRule(table: Table, name: string, rule: Rule): number {
  const at = requireChain(table, name).rules.findIndex((other) => sameRule(other, rule));
  if (at < 0) throw noSuchRule();
  return at + 1;
}

export function noSuchRule(): TableError {
  return new TableError('Bad rule (does a matching rule exist in that chain?).');
}

export function deleteRule(table: Table, name: string, rule: Rule): Table {
  return deleteRuleNumber(table, name, findRule(table, name, rule));
}

/** Empties the chain, or every chain. */
export function flush(table: Table, name?: string): Table {
  if (name !== undefined) return withRules(table, requireChain(table, name), []);
  return { ...table, chains: table.chains.map((chain) => ({ ...chain, rules: [] })) };
}

/** Sets the counters of one rule, of one chain and its policy, or of all to 0, as new objects. */
export function zero(table: Table, name?: string, number?: number): Table {
  const zeroed = (rule: Rule): Rule => ({ ...rule, packets: 0n });
  if (name !== undefined && number !== undefined) {
    const chain = requireChain(table, name);
    checkNumber(number, chain.rules.length, 'counter');
    const rules = chain.rules.map((rule, at) => (at === number - 1 ? zeroed(rule) : rule));
    return withRules(table, chain, rules);
  }
  const only = name === undefined ? undefined : requireChain(table, name);
  const chains = table.chains.map((chain) =>
    only && chain !== only ? chain : { ...chain, packets: 0n, rules: chain.rules.map(zeroed) },
  );
  return { ...table, chains };
}

/** Throws TableError if there is a chain of the name. */
export function requireNoChain(table: Table, name: string): void {
  if (findChain(table, name)) throw new TableError('Chain already exists.');
}

export function newChain(table: Table, name: string): Table {
  requireNoChain(table, name);
  return { ...table, chains: [...table.chains, emptyChain(name, undefined)] };
}

/** How many rules jump or go to the chain. */
export function references(table: Table, name: string): number {
  return table.chains
    .flatMap((chain) => chain.rules)
    .filter(({ target }) => calledChain(target) === name).length;
}

/** Deletes one user chain, or all; a chain that has rules or is called refuses, and nothing goes. */
export function deleteChain(table: Table, name?: string): Table {
  if (name === undefined) {
    return table.chains
      .filter((chain) => chain.policy === undefined)
      .reduce((rest, chain) => deleteChain(rest, chain.name), table);
  }
  const chain = requireChain(table, name);
  if (chain.policy !== undefined) throw new TableError(`Can't delete built-in chain \`${name}\`.`);
  if (chain.rules.length > 0)
    throw new TableError('Directory not empty.', `empty chain \`${name}\` first: \`-F ${name}\``);
  if (references(table, name) > 0)
    throw new TableError('Too many links.', `delete the rules that jump to \`${name}\` first`);
  return { ...table, chains: table.chains.filter((other) => other !== chain) };
}

export function setPolicy(table: Table, name: string, policy: Policy): Table {
  const chain = findChain(table, name);
  if (chain?.policy === undefined)
    throw new TableError('Bad built-in chain name.', 'only built-in chains have a policy');
  return withChain(table, { ...chain, policy });
}

/** Lets sockets whose calls no hook sees be made, or not. */
export function setDenyUnseen(table: Table, denyUnseen: boolean): Table {
  return { ...table, denyUnseen };
}

/** Renames a user chain, and the targets that call it. */
export function renameChain(table: Table, from: string, to: string): Table {
  const chain = requireChain(table, from);
  if (isBuiltinChain(from)) throw new TableError(`Can't rename built-in chain \`${from}\`.`);
  if (findChain(table, to)) throw new TableError('File exists.', `chain \`${to}\` exists already`);
  const retarget = (rule: Rule): Rule =>
    rule.target && 'chain' in rule.target && rule.target.chain === from
      ? { ...rule, target: { ...rule.target, chain: to } }
      : rule;
  const chains = table.chains.map((other) => ({
    ...other,
    name: other === chain ? to : other.name,
    rules: other.rules.map(retarget),
  }));
  return { ...table, chains };
}
