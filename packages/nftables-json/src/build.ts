/** Short forms of what people write by hand. All give plain data: what `nft -j` reads. */
import type { Command } from './command.js';
import type { Document, Item } from './document.js';
import type { Conntrack, Meta } from './environment.js';
import type { Expression, Verdict } from './expression.js';
import type { ObjectBodies, Rule } from './object.js';
import type { PayloadField } from './packet.js';
import type { Keyed } from './schema.js';
import type { LimitState } from './stateful.js';
import type { Log, MatchOperator, Reject, Statement } from './statement.js';

/** A document of commands and objects, for `apply`. */
export function ruleset(...items: readonly Item[]): Document {
  return { nftables: items };
}

/** A command that adds, for `ruleset`: `add({ table: { family: 'inet', name: 'web' } })`. */
export function add(object: Keyed<ObjectBodies>): Command {
  return { add: object };
}

/** Removes everything: with what follows in the same document a ruleset is replaced as a whole. */
export const flushRuleset: Command = { flush: { ruleset: null } };

/** A command that appends a rule of these statements. */
export function addRule(
  place: Pick<Rule, 'family' | 'table' | 'chain' | 'comment'>,
  ...expr: readonly Statement[]
): Command {
  return { add: { rule: { ...place, expr } } };
}

/** A field of a header: `payload('tcp', 'dport')`. */
export function payload(protocol: PayloadField['protocol'], field: string): Expression {
  return { payload: { protocol, field } };
}

/** What the kernel notes about a packet: `meta('iifname')`. */
export function meta(key: Meta['key']): Expression {
  return { meta: { key } };
}

/** The connection that a packet belongs to: `ct('state')`. */
export function ct(key: Conntrack['key'], dir?: 'original' | 'reply'): Expression {
  return { ct: { key, ...(dir && { dir }) } };
}

/** A set without a name: `setOf(80, 443)`. */
export function setOf(...elements: readonly Expression[]): Expression {
  return { set: elements };
}

/** A map without a name: `mapOf([22, { accept: null }], [80, { drop: null }])`. */
export function mapOf(...pairs: readonly (readonly [Expression, Expression])[]): Expression {
  return { set: pairs };
}

/** The set of this name. */
export function named(name: string): Expression {
  return `@${name}`;
}

export function range(low: Expression, high: Expression): Expression {
  return { range: [low, high] };
}

/** Addresses that share their first bits; `length` in bits. */
export function prefix(addr: Expression, length: number): Expression {
  return { prefix: { addr, len: length } };
}

/** Several values side by side: `concat(payload('ip', 'saddr'), payload('tcp', 'dport'))`. */
export function concat(...parts: readonly Expression[]): Expression {
  return { concat: parts };
}

/** Compares; with `==` if no operator is given. */
export function match(left: Expression, right: Expression, op: MatchOperator = '=='): Statement {
  return { match: { op, left, right } };
}

/** Tests for any of the bits: `matchAny(ct('state'), 'established', 'related')`. */
export function matchAny(left: Expression, ...bits: readonly string[]): Statement {
  return { match: { op: 'in', left, right: bits } };
}

/** Looks the key up in a map of verdicts. */
export function vmap(key: Expression, data: Expression): Statement {
  return { vmap: { key, data } };
}

export function mangle(key: Expression, value: Expression): Statement {
  return { mangle: { key, value } };
}

export const accept: Verdict = { accept: null };
export const drop: Verdict = { drop: null };
export const returns: Verdict = { return: null };
export const continues: Verdict = { continue: null };

export function jump(target: string): Verdict {
  return { jump: { target } };
}

export function goto(target: string): Verdict {
  return { goto: { target } };
}

/** Counts, from zero; with a name, in the object of the table. */
export function counter(name?: string): Statement {
  return { counter: name ?? null };
}

export function limit(state: LimitState): Statement {
  return { limit: state };
}

export function log(properties?: Log): Statement {
  return { log: properties ?? null };
}

export function reject(properties?: Reject): Statement {
  return { reject: properties ?? null };
}
