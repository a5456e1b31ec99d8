/** Expressions in nft's own syntax. */

import { printDuration } from './duration.js';
import type { Conntrack, Fib, Ipsec, Meta, OsFingerprint, Route } from './environment.js';
import type { Element, Expression, Immediate, MapLookup } from './expression.js';
import { type Operation, operationOf } from './operation.js';
import type { Payload, TcpOption } from './packet.js';
import { printStateful } from './printstateful.js';
import type { Integer64 } from './schema.js';
import { type ValueType, type ValueTypes, valueTypes } from './valuetype.js';
import { isList, visitExpression } from './visit.js';

/** Keys that nft prints without the word meta. */
const UNQUALIFIED = new Set(['iif', 'oif', 'iifname', 'oifname', 'iifgroup', 'oifgroup']);

function printMeta({ key }: Meta): string {
  return UNQUALIFIED.has(key) ? key : `meta ${key}`;
}

function printConntrack({ key, dir, family }: Conntrack): string {
  return words('ct', dir, family, key);
}

/** Joins what is there. */
export function words(...parts: readonly (string | number | undefined | false)[]): string {
  return parts.filter((part) => part !== undefined && part !== false && part !== '').join(' ');
}

/** A string as nft reads it: it has no escapes. */
export function quote(text: string): string {
  return `"${text}"`;
}

function printPayload(payload: Payload): string {
  if ('base' in payload) return `@${payload.base},${payload.offset},${payload.len}`;
  return words(payload.tunnel, payload.protocol, payload.field);
}

function printTcpOption(option: TcpOption): string {
  if (!('base' in option)) return words('tcp option', option.name, option.field);
  const { base, offset, len } = option;
  return offset === 0 && len === 8 ? `tcp option ${base}` : `tcp option @${base},${offset},${len}`;
}

function printRoute({ key, family }: Route): string {
  return words('rt', family, key);
}

function printFib({ result, flags = [] }: Fib): string {
  return words('fib', [flags].flat().join(' . '), result);
}

function printIpsec({ key, dir, spnum = 0, family }: Ipsec): string {
  return words('ipsec', dir, spnum > 0 && `spnum ${spnum}`, family, key);
}

function printOsFingerprint({ key, ttl }: OsFingerprint): string {
  return words('osf', ttl && `ttl ${ttl}`, key);
}

/** The types of the keys, and those of what they lead to. */
interface MapTypes {
  readonly keys: ValueTypes;
  readonly values: ValueTypes;
}

function printHex(value: Integer64, digits = 0): string {
  return `0x${value.toString(16).padStart(digits, '0')}`;
}

function printImmediate(value: Immediate, type: ValueType): string {
  if (typeof value === 'boolean') return value ? 'exists' : 'missing';
  if (typeof value === 'string')
    return value === '*' || value.startsWith('@') || !isQuoted(value, type) ? value : quote(value);
  if (type === 'mark') return printHex(value, 8);
  if (type === 'ethertype') return printHex(value, 4);
  if (type === 'hex' || type === 'flags') return printHex(value);
  return type === 'seconds' ? printDuration(Number(value)) : String(value);
}

function isQuoted(value: string, type: ValueType): boolean {
  return type === 'quoted' || (type === 'realm' && !/^\d/.test(value));
}

/** In ranges nft gives durations in seconds alone. */
function printBound(value: Expression, types: ValueTypes): string {
  return types === 'seconds' && typeof value === 'number'
    ? `${value}s`
    : printExpression(value, types);
}

function partTypes(types: ValueTypes, index: number): ValueTypes {
  return typeof types === 'string' ? types : (types[index] ?? 'word');
}

function single(types: ValueTypes): ValueType {
  return typeof types === 'string' ? types : 'word';
}

function printList(parts: readonly Expression[], types: ValueTypes, separator: string): string {
  return parts.map((part) => printExpression(part, types)).join(separator);
}

/** Operators that bind more tightly have a lower number. */
const PRECEDENCE = { '<<': 1, '>>': 1, '&': 2, '^': 3, '|': 4 };

/** An operand: lists, and operations that bind less tightly, are put in parentheses. */
function printOperand(
  expression: Expression,
  types: ValueTypes,
  around: Operation['operator'],
): string {
  if (typeof expression === 'object' && isList(expression))
    return `(${printList(expression, types, ' | ')})`;
  const operator = operationOf(expression)?.operator;
  const text = printExpression(expression, types);
  if (operator === undefined) return text;
  return PRECEDENCE[around] < PRECEDENCE[operator] ? `(${text})` : text;
}

function printOperation(
  operator: Operation['operator'],
  operands: readonly Expression[],
  types: ValueTypes,
): string {
  const own = operands[0] === undefined ? 'word' : valueTypes(operands[0]);
  const used = own === 'word' ? types : own;
  const shifts = operator === '<<' || operator === '>>';
  return operands
    .map((operand, at) => printOperand(operand, shifts && at > 0 ? 'word' : used, operator))
    .join(` ${operator} `);
}

function isPair(expression: Expression): expression is readonly [Expression, Expression] {
  return typeof expression === 'object' && isList(expression) && expression.length === 2;
}

/** The elements of a set, or of a map where its values have types. */
function printElements(content: Expression, keys: ValueTypes, values?: ValueTypes): string {
  const parts = typeof content === 'object' && isList(content) ? content : [content];
  const texts = parts.map((part) => {
    if (values === undefined || !isPair(part)) return printExpression(part, keys);
    const [key, value] = part;
    return `${printExpression(key, keys)} : ${printExpression(value, values)}`;
  });
  return `{ ${texts.join(', ')} }`;
}

/** A map: its name, or its pairs. */
function printMapData(data: Expression, { keys, values }: MapTypes): string {
  if (typeof data === 'object' && !isList(data) && 'set' in data)
    return printElements(data.set, keys, values);
  return printExpression(data, values);
}

/** A lookup; `values` is what the value is used for. */
export function printLookup(
  word: 'map' | 'vmap',
  { key, data }: MapLookup,
  values: ValueTypes,
): string {
  const text = printMapData(data, { keys: valueTypes(key), values });
  return `${printExpression(key)} ${word} ${text}`;
}

function printElement(element: Element, types: ValueTypes): string {
  const { val, timeout, expires, comment } = element;
  return words(
    printExpression(val, types),
    ...printStateful(element),
    timeout !== undefined && `timeout ${printDuration(Number(timeout))}`,
    expires !== undefined && `expires ${printDuration(Number(expires))}`,
    comment !== undefined && `comment ${quote(comment)}`,
  );
}

/** An expression in nft's syntax; `types` says how to print what has no type of its own. */
export function printExpression(expression: Expression, types: ValueTypes = 'word'): string {
  return visitExpression<string>(expression, {
    immediate: (value) => printImmediate(value, single(types)),
    list: (parts) => printList(parts, types, ','),
    payload: printPayload,
    exthdr: ({ name, field, offset }) =>
      field === undefined
        ? `exthdr ${name}`
        : `${name} ${field}${offset === undefined ? '' : `[${offset}]`}`,
    'tcp option': printTcpOption,
    'ip option': ({ name, field }) => words('ip option', name, field),
    'sctp chunk': ({ name, field }) => words('sctp chunk', name, field),
    'dccp option': ({ type }) => `dccp option ${type}`,
    meta: printMeta,
    rt: printRoute,
    ct: printConntrack,
    socket: ({ key, level }) => words('socket', key, level !== undefined && `level ${level}`),
    osf: printOsFingerprint,
    fib: printFib,
    ipsec: printIpsec,
    tunnel: ({ key }) => `tunnel ${key}`,
    numgen: ({ mode, mod, offset = 0 }) =>
      words('numgen', mode, `mod ${mod}`, offset > 0 && `offset ${offset}`),
    symhash: ({ mod, offset = 0 }) =>
      words('symhash', `mod ${mod}`, offset > 0 && `offset ${offset}`),
    jhash: ({ expr, mod, seed, offset = 0 }) =>
      words(
        'jhash',
        printExpression(expr),
        `mod ${mod}`,
        seed !== undefined && `seed ${printHex(seed)}`,
        offset > 0 && `offset ${offset}`,
      ),
    concat: (parts) =>
      parts.map((part, index) => printExpression(part, partTypes(types, index))).join(' . '),
    set: (content) => printElements(content, types),
    map: (lookup) => printLookup('map', lookup, types),
    vmap: (lookup) => printLookup('vmap', lookup, 'word'),
    prefix: ({ addr, len }) => `${printExpression(addr, types)}/${len}`,
    range: ([low, high]) => `${printBound(low, types)}-${printBound(high, types)}`,
    elem: (element) => printElement(element, types),
    '|': (operands) => printOperation('|', operands, types),
    '^': (operands) => printOperation('^', operands, types),
    '&': (operands) => printOperation('&', operands, types),
    '<<': (operands) => printOperation('<<', operands, types),
    '>>': (operands) => printOperation('>>', operands, types),
    accept: () => 'accept',
    drop: () => 'drop',
    continue: () => 'continue',
    break: () => 'break',
    return: () => 'return',
    jump: ({ target }) => `jump ${target}`,
    goto: ({ target }) => `goto ${target}`,
    unknown: (kind) => {
      throw new UnprintableError(kind);
    },
  });
}

/** Something that has no syntax that this library knows. */
export class UnprintableError extends Error {
  override readonly name = 'UnprintableError';
  readonly kind: string;

  constructor(kind: string) {
    super(`${kind} is not known: it can't be printed in nft's syntax`);
    this.kind = kind;
  }
}
