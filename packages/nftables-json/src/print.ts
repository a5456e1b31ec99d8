/** Statements and rules in nft's own syntax: `tcp dport { 80, 443 } accept`. */
import { isIP } from 'node:net';
import type { Expression } from './expression.js';
import type { Rule } from './object.js';
import { operationOf } from './operation.js';
import { printExpression, printLookup, quote, UnprintableError, words } from './printexpression.js';
import {
  printConnectionCount,
  printCounter,
  printLast,
  printLimit,
  printQuota,
} from './printstateful.js';
import type {
  Duplicate,
  Forward,
  Log,
  Mangle,
  MapUpdate,
  Match,
  MatchOperator,
  Meter,
  Nat,
  Queue,
  Reject,
  SetUpdate,
  Statement,
  SynProxy,
  TransparentProxy,
} from './statement.js';
import { valueTypes } from './valuetype.js';
import { isList, visitStatement } from './visit.js';

function printMatch({ op, left, right }: Match): string {
  const text = printFlagMatch({ op, left, right });
  if (text !== undefined) return text;
  const types = valueTypes(left);
  const value = printExpression(right, types);
  return words(printExpression(left), !isImplied(op, left, right) && op, value);
}

/** Of a field of bits `==` compares all of them; without it any of them is enough. */
function isImplied(op: MatchOperator, left: Expression, right: Expression): boolean {
  if (op === 'in') return true;
  if (op !== '==' || operationOf(left) !== undefined) return false;
  return valueTypes(left) !== 'flags' || typeof right === 'object';
}

/** `tcp flags syn / syn,ack`: of the bits behind the slash, those before it. */
function printFlagMatch({ op, left, right }: Match): string | undefined {
  if (op !== '==' && op !== '!=') return undefined;
  const operation = operationOf(left);
  if (operation?.operator !== '&' || operation.operands.length !== 2) return undefined;
  const [field, mask] = operation.operands;
  if (field === undefined || mask === undefined) return undefined;
  if (!isFlagsField(field) || typeof mask !== 'object' || typeof right === 'number')
    return undefined;
  const value = printFlags(right);
  return words(printExpression(field), op === '!=' && op, value, '/', printFlags(mask));
}

function isFlagsField(field: Expression): boolean {
  return (
    typeof field === 'object' &&
    !isList(field) &&
    'payload' in field &&
    'field' in field.payload &&
    field.payload.protocol === 'tcp' &&
    field.payload.field === 'flags'
  );
}

function printFlags(flags: Expression): string {
  const operation = operationOf(flags);
  const bits = operation?.operator === '|' ? operation.operands : [flags];
  return bits.map((bit) => printExpression(bit)).join(',');
}

function printMangle({ key, value }: Mangle): string {
  return words(printExpression(key), 'set', printExpression(value, valueTypes(key)));
}

/** An address with a port; IPv6 addresses are put in brackets. */
function printTarget(addr: Expression | undefined, port: Expression | undefined): string {
  const text = addr === undefined ? '' : printExpression(addr);
  if (port === undefined) return text;
  const bracketed =
    text.includes(':') && !text.includes(' ')
      ? text
          .split('-')
          .map((part) => `[${part}]`)
          .join('-')
      : text;
  return `${bracketed}:${printExpression(port)}`;
}

function printNatType({ family, type_flags = [] }: Nat): string {
  const types = [type_flags].flat();
  return words(
    family,
    types.includes('prefix') && 'prefix',
    types.includes('concat') && 'addr . port',
  );
}

function printNat(word: string, nat: Nat | null): string {
  if (nat === null) return word;
  const { addr, port, flags = [] } = nat;
  const target = printTarget(addr, port);
  return words(
    word,
    target !== '' && printNatType(nat),
    target !== '' && `to ${target}`,
    // netmap is what a map of prefixes is: it has no word.
    [flags]
      .flat()
      .filter((flag) => flag !== 'netmap')
      .join(','),
  );
}

function printReject(reject: Reject | null): string {
  const { type, expr } = reject ?? {};
  if (type === undefined) return 'reject';
  if (type === 'tcp reset') return 'reject with tcp reset';
  if (expr === undefined || (type === 'icmpx' && expr === 'port-unreachable')) return 'reject';
  return `reject with ${type} ${printExpression(expr)}`;
}

function printStatements(statements: Statement | readonly Statement[] | undefined): string {
  if (statements === undefined) return '';
  return [statements].flat().map(printStatement).join(' ');
}

function printSetUpdate({ op, elem, set, stmt }: SetUpdate): string {
  return `${op} ${set} { ${words(printExpression(elem), printStatements(stmt))} }`;
}

function printMapUpdate({ op, elem, data, map, stmt }: MapUpdate): string {
  const key = words(printExpression(elem), printStatements(stmt));
  return `${op} ${map} { ${key} : ${printExpression(data)} }`;
}

function printMeter({ key, stmt, name, size }: Meter): string {
  return words(
    'meter',
    name,
    size !== undefined && `size ${size}`,
    `{ ${printExpression(key)} ${printStatement(stmt)} }`,
  );
}

/** Flags of TCP are printed together, the others by themselves. */
function printLogFlags(flags: readonly string[]): string {
  const tcp = flags.flatMap((flag) => /^tcp (.*)/.exec(flag)?.[1] ?? []);
  const others = flags.filter((flag) => !flag.startsWith('tcp '));
  return [...(tcp.length > 0 ? [`tcp ${tcp.join(',')}`] : []), ...others]
    .map((flag) => `flags ${flag}`)
    .join(' ');
}

function printLog(log: Log | null): string {
  if (log === null) return 'log';
  const { prefix, group, snaplen, level, flags = [], 'queue-threshold': threshold } = log;
  return words(
    'log',
    prefix !== undefined && `prefix ${quote(prefix)}`,
    group !== undefined && `group ${group}`,
    snaplen !== undefined && `snaplen ${snaplen}`,
    threshold !== undefined && `queue-threshold ${threshold}`,
    level !== undefined && `level ${level}`,
    printLogFlags([flags].flat()),
  );
}

function printQueue(queue: Queue | null): string {
  const { num, flags = [] } = queue ?? {};
  const names = [flags].flat().join(',');
  return words(
    'queue',
    names !== '' && `flags ${names}`,
    num !== undefined && `to ${printExpression(num)}`,
  );
}

function printForward({ dev, family, addr }: Forward): string {
  const device = printExpression(dev, 'quoted');
  if (addr === undefined) return `fwd to ${device}`;
  return words('fwd', family, 'to', printExpression(addr), 'device', device);
}

function printDuplicate(dup: Duplicate | null): string {
  if (dup === null) return 'dup';
  const device = dup.dev === undefined ? undefined : `device ${printExpression(dup.dev, 'quoted')}`;
  // In netdev tables what the copy goes to is a device.
  const types = typeof dup.addr === 'string' && isIP(dup.addr) === 0 ? 'quoted' : 'word';
  return words('dup to', printExpression(dup.addr, types), device);
}

function printTransparentProxy({ family, addr, port }: TransparentProxy): string {
  return words('tproxy', family, 'to', printTarget(addr, port));
}

function printSynProxy({ mss, wscale, flags = [] }: SynProxy): string {
  return words(
    'synproxy',
    mss !== undefined && `mss ${mss}`,
    wscale !== undefined && `wscale ${wscale}`,
    ...[flags].flat(),
  );
}

/** A reference to an object of the table; `set` for what belongs to connections. */
function printReference(words: string, name: Expression): string {
  return `${words} ${printExpression(name, 'quoted')}`;
}

/** Whether the body is a reference, and not state of the rule's own. */
function isReference(body: object | string | number | bigint | boolean | null): body is Expression {
  return typeof body !== 'object' || (body !== null && 'map' in body);
}

/** A statement in nft's syntax. Throws UnprintableError where it has none that is known. */
export function printStatement(statement: Statement): string {
  return visitStatement<string>(statement, {
    text: (text) => text,
    match: printMatch,
    vmap: (lookup) => printLookup('vmap', lookup, 'word'),
    counter: (body) =>
      isReference(body) ? printReference('counter name', body) : printCounter(body),
    quota: (body) => (isReference(body) ? printReference('quota name', body) : printQuota(body)),
    limit: (body) => (isReference(body) ? printReference('limit name', body) : printLimit(body)),
    'ct count': printConnectionCount,
    last: printLast,
    mangle: printMangle,
    flow: ({ op, flowtable }) => `flow ${op} ${flowtable}`,
    fwd: printForward,
    notrack: () => 'notrack',
    dup: printDuplicate,
    snat: (nat) => printNat('snat', nat),
    dnat: (nat) => printNat('dnat', nat),
    masquerade: (nat) => printNat('masquerade', nat),
    redirect: (nat) => printNat('redirect', nat),
    reject: printReject,
    set: printSetUpdate,
    map: printMapUpdate,
    log: printLog,
    'ct helper': (name) => printReference('ct helper set', name),
    'ct timeout': (name) => printReference('ct timeout set', name),
    'ct expectation': (name) => printReference('ct expectation set', name),
    secmark: (name) => printReference('meta secmark set', name),
    tunnel: (name) => printReference('tunnel name', name),
    meter: printMeter,
    queue: printQueue,
    tproxy: printTransparentProxy,
    synproxy: (body) => {
      if (body === null) return 'synproxy';
      return isReference(body) ? printReference('synproxy name', body) : printSynProxy(body);
    },
    reset: (option) => `reset ${printExpression(option)}`,
    xt: (body) => {
      throw new UnprintableError(`xt ${body?.name ?? ''}`.trim());
    },
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

/**
 * A rule in nft's syntax, without its table, chain and handle. Throws UnprintableError for what has no
 * syntax: what iptables-nft has put there, and statements that a newer nft has brought.
 */
export function printRule({ expr = [], comment }: Pick<Rule, 'expr' | 'comment'>): string {
  return words(...expr.map(printStatement), comment !== undefined && `comment ${quote(comment)}`);
}
