/**
 * What nft makes of a document: the form in which it prints what was given. Documents that mean the same
 * and were written differently are the same in this form.
 */
import { isIPv6 } from 'node:net';
import { mapExpression, mapStatement, mapStatements } from './children.js';
import type { Document, Item, ItemBodies } from './document.js';
import type { Expression } from './expression.js';
import type { Chain, Rule } from './object.js';
import type { Integer64, OneOrMore } from './schema.js';
import type { CounterState, DataUnit, LimitState, QuotaState } from './stateful.js';
import type { Log, Nat, Queue, Statement, SynProxy } from './statement.js';
import { isList } from './visit.js';

const KIBI = 1024n;
const UNITS: readonly DataUnit[] = ['bytes', 'kbytes', 'mbytes'];

interface Amount {
  readonly value: Integer64;
  readonly unit: DataUnit;
}

function smallest(value: bigint): Integer64 {
  return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value;
}

/** The amount in the largest unit that divides it. */
function normaliseAmount(value: Integer64, unit: DataUnit = 'bytes'): Amount {
  let left = BigInt(value);
  let at = UNITS.indexOf(unit);
  if (at < 0) return { value, unit };
  while (left > 0n && at + 1 < UNITS.length && left % KIBI === 0n) {
    left /= KIBI;
    at += 1;
  }
  return { value: smallest(left), unit: UNITS[at] ?? unit };
}

function normaliseQuota({ val, val_unit, used = 0, used_unit, inv }: QuotaState): QuotaState {
  const amount = normaliseAmount(val, val_unit);
  const spent = normaliseAmount(used, used_unit);
  return {
    val: amount.value,
    val_unit: amount.unit,
    ...(Number(used) > 0 && { used: spent.value, used_unit: spent.unit }),
    ...(inv && { inv }),
  };
}

/** What nft takes for granted where packets have no burst. */
const PACKET_BURST = 5;

function normaliseLimit(limit: LimitState): LimitState {
  const { rate, rate_unit = 'packets', per = 'second', burst = 0, burst_unit, inv } = limit;
  const common = { per, ...(inv && { inv }) };
  if (rate_unit === 'packets')
    return { ...common, rate, burst: Number(burst) === 0 ? PACKET_BURST : burst };
  const amount = normaliseAmount(rate, rate_unit);
  const extra = normaliseAmount(burst, burst_unit);
  return {
    ...common,
    rate: amount.value,
    rate_unit: amount.unit,
    burst: extra.value,
    burst_unit: extra.unit,
  };
}

function normaliseCounter(counter: CounterState | null): CounterState {
  return { packets: counter?.packets ?? 0, bytes: counter?.bytes ?? 0 };
}

/** Flags in the order of the list; those that it doesn't have stay behind. */
function normaliseFlags(flags: OneOrMore<string>, order: readonly string[]): readonly string[] {
  const given = new Set([flags].flat());
  return [
    ...order.filter((flag) => given.has(flag)),
    ...[...given].filter((flag) => !order.includes(flag)),
  ];
}

const NAT_FLAGS = ['random', 'fully-random', 'persistent', 'netmap'];
const LOG_FLAGS = ['tcp sequence', 'tcp options', 'ip options', 'skuid', 'ether'];

function isEmpty(body: object): boolean {
  return Object.keys(body).length === 0;
}

function normaliseNat(nat: Nat | null): Nat | null {
  if (nat === null || isEmpty(nat)) return null;
  const { flags = [], type_flags = [], ...rest } = nat;
  const names = normaliseFlags(flags, NAT_FLAGS);
  const types = [type_flags].flat();
  return {
    ...rest,
    ...(names.length > 0 && { flags: names }),
    ...(types.length > 0 && { type_flags: types }),
  };
}

function normaliseLog(log: Log | null): Log | null {
  if (log === null) return null;
  const { level = 'warn', flags = [], ...rest } = log;
  const names = normaliseFlags(flags, LOG_FLAGS);
  const all = LOG_FLAGS.every((flag) => names.includes(flag));
  const normal = {
    ...rest,
    ...(level !== 'warn' && { level }),
    ...(names.length > 0 && { flags: all ? ['all'] : names }),
  };
  return isEmpty(normal) ? null : normal;
}

function normaliseOptions<T extends SynProxy | Queue>(body: T, order: readonly string[]): T {
  return body.flags === undefined ? body : { ...body, flags: normaliseFlags(body.flags, order) };
}

/** An IPv6 address in its one short form; other text as it is. */
function normaliseText(text: string): string {
  if (!isIPv6(text) || text.includes('.')) return text;
  return new URL(`http://[${text}]`).hostname.slice(1, -1);
}

const FULL_LENGTH = { 4: 32, 6: 128 };

function compareParts(a: Expression, b: Expression): number {
  const [one, two] = [JSON.stringify(a), JSON.stringify(b)];
  return one < two ? -1 : Number(one > two);
}

/** Sets have no order: their elements are put in one. */
function sortElements(content: Expression): Expression {
  if (typeof content !== 'object' || !isList(content)) return [content];
  return content.toSorted(compareParts);
}

export function normaliseExpression(expression: Expression): Expression {
  const normal = mapExpression(expression, normaliseExpression);
  if (typeof normal === 'string') return normaliseText(normal);
  if (typeof normal !== 'object' || isList(normal)) return normal;
  if ('set' in normal) return { set: sortElements(normal.set) };
  if ('prefix' in normal && typeof normal.prefix.addr === 'string') {
    const { addr, len } = normal.prefix;
    return len === FULL_LENGTH[addr.includes(':') ? 6 : 4] ? addr : normal;
  }
  if ('elem' in normal && Object.keys(normal.elem).length === 1) return normal.elem.val;
  return normal;
}

/** Bits have no order. */
function sortBits(bits: Expression): Expression {
  return typeof bits === 'object' && isList(bits) ? bits.toSorted(compareParts) : bits;
}

/** Whether the body is the name of an object, and not state of the rule's own. */
function isName(body: object | string | number | bigint | boolean | null): body is Expression {
  return typeof body !== 'object' || (body !== null && 'map' in body);
}

export function normaliseStatement(statement: Statement): Statement {
  const normal = mapStatement(statement, normaliseExpression);
  if (typeof normal === 'string') return normal;
  if ('match' in normal) return { match: { ...normal.match, right: sortBits(normal.match.right) } };
  if ('mangle' in normal)
    return { mangle: { ...normal.mangle, value: sortBits(normal.mangle.value) } };
  if ('counter' in normal)
    return isName(normal.counter) ? normal : { counter: normaliseCounter(normal.counter) };
  if ('quota' in normal)
    return isName(normal.quota) ? normal : { quota: normaliseQuota(normal.quota) };
  if ('limit' in normal)
    return isName(normal.limit) ? normal : { limit: normaliseLimit(normal.limit) };
  if ('ct count' in normal) {
    const { val, inv } = normal['ct count'];
    return { 'ct count': { val, ...(inv && { inv }) } };
  }
  if ('log' in normal) return { log: normaliseLog(normal.log) };
  if ('snat' in normal) return { snat: normaliseNat(normal.snat) };
  if ('dnat' in normal) return { dnat: normaliseNat(normal.dnat) };
  if ('masquerade' in normal) return { masquerade: normaliseNat(normal.masquerade) };
  if ('redirect' in normal) return { redirect: normaliseNat(normal.redirect) };
  if ('queue' in normal && normal.queue)
    return {
      queue: isEmpty(normal.queue) ? null : normaliseOptions(normal.queue, ['bypass', 'fanout']),
    };
  if ('synproxy' in normal && normal.synproxy !== null && !isName(normal.synproxy))
    return { synproxy: normaliseOptions(normal.synproxy, ['timestamp', 'sack-perm']) };
  return normal;
}

export function normaliseRule({ expr, ...rest }: Rule): Rule {
  return { ...rest, ...(expr && { expr: expr.map(normaliseStatement) }) };
}

function normaliseChain(chain: Chain): Chain {
  const { dev, ...rest } = chain;
  const devices = [dev ?? []].flat();
  const [first] = devices;
  return {
    ...rest,
    ...(chain.hook !== undefined && { policy: chain.policy ?? 'accept' }),
    ...(first !== undefined && { dev: devices.length === 1 ? first : devices }),
  };
}

type Collection = ItemBodies['set' | 'map' | 'meter'];

function normaliseCollection<T extends Collection>(set: T): T {
  const { elem, flags, stmt } = set;
  return {
    ...set,
    ...(elem !== undefined && { elem: sortElements(normaliseExpression(elem)) }),
    ...(flags !== undefined && {
      flags: normaliseFlags(flags, ['constant', 'interval', 'timeout', 'dynamic']),
    }),
    ...(stmt !== undefined && { stmt: mapStatements(stmt, normaliseExpression) }),
  };
}

/** An object that a command adds is that object: a listing has no commands. */
export function normaliseItem(item: Item): Item {
  if ('add' in item) return normaliseItem(item.add);
  if ('create' in item) return normaliseItem(item.create);
  if ('rule' in item) return { rule: normaliseRule(item.rule) };
  if ('chain' in item) return { chain: normaliseChain(item.chain) };
  if ('set' in item) return { set: normaliseCollection(item.set) };
  if ('map' in item) return { map: normaliseCollection(item.map) };
  if ('meter' in item) return { meter: normaliseCollection(item.meter) };
  if ('element' in item)
    return {
      element: { ...item.element, elem: sortElements(normaliseExpression(item.element.elem)) },
    };
  return item;
}

/**
 * The document in nft's own form: one unit for amounts, lists for flags, defaults written out or left out
 * as nft does, addresses in one form, elements of sets and bits sorted. What depends on the kernel's tables, or on
 * the types that JSON doesn't have, is left: names of services, and what `reject` stands for.
 */
export function normalise(document: Document): Document {
  return { ...document, nftables: document.nftables.map(normaliseItem) };
}
