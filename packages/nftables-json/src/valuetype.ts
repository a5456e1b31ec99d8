/** How values print depends on what they are compared with: JSON has no types. */
import type { Expression } from './expression.js';
import { operationOf } from './operation.js';
import type { Payload } from './packet.js';
import { isList } from './visit.js';

/**
 * - `word`: as it is;
 * - `quoted`: text in quotes, numbers as they are;
 * - `mark`: 32 bits in hexadecimal, all digits;
 * - `realm`: text in quotes, but numbers, which nft gives as text, as they are;
 * - `ethertype`: hexadecimal, four digits;
 * - `flags`: names of bits, a number in hexadecimal;
 * - `hex`: hexadecimal without leading zeros;
 * - `seconds`: as a duration.
 */
export type ValueType =
  | 'word'
  | 'quoted'
  | 'realm'
  | 'mark'
  | 'ethertype'
  | 'flags'
  | 'hex'
  | 'seconds';

/** A type for each part of a concatenation. */
export type ValueTypes = ValueType | readonly ValueTypes[];

const META: Readonly<Record<string, ValueType>> = {
  mark: 'mark',
  protocol: 'ethertype',
  iif: 'quoted',
  iifname: 'quoted',
  iifkind: 'quoted',
  iifgroup: 'quoted',
  oif: 'quoted',
  oifname: 'quoted',
  oifkind: 'quoted',
  oifgroup: 'quoted',
  sdif: 'quoted',
  sdifname: 'quoted',
  ibrname: 'quoted',
  obrname: 'quoted',
  ibridgename: 'quoted',
  obridgename: 'quoted',
  rtclassid: 'realm',
  skuid: 'quoted',
  skgid: 'quoted',
  time: 'quoted',
  day: 'quoted',
  hour: 'quoted',
  secmark: 'mark',
};

const CT: Readonly<Record<string, ValueType>> = {
  state: 'flags',
  status: 'flags',
  event: 'flags',
  mark: 'mark',
  helper: 'quoted',
  label: 'quoted',
  expiration: 'seconds',
  secmark: 'mark',
};

const SOCKET: Readonly<Record<string, ValueType>> = { mark: 'mark', cgroupv2: 'quoted' };

/** By protocol and field. */
const PAYLOAD: Readonly<Record<string, ValueType>> = {
  'ether type': 'ethertype',
  'vlan type': 'ethertype',
  'arp ptype': 'ethertype',
  'comp flags': 'hex',
  'tcp flags': 'flags',
};

function payloadType(payload: Payload): ValueType {
  if ('base' in payload) return 'hex';
  return PAYLOAD[`${payload.protocol} ${payload.field}`] ?? 'word';
}

/** What the value of an expression is, and so what is compared with it. */
export function valueTypes(expression: Expression): ValueTypes {
  if (typeof expression !== 'object' || isList(expression)) return 'word';
  if ('meta' in expression) return META[expression.meta.key] ?? 'word';
  if ('ct' in expression) return CT[expression.ct.key] ?? 'word';
  if ('socket' in expression) return SOCKET[expression.socket.key] ?? 'word';
  if ('osf' in expression) return 'quoted';
  if ('rt' in expression) return expression.rt.key === 'classid' ? 'realm' : 'word';
  if ('fib' in expression) return expression.fib.result === 'type' ? 'word' : 'quoted';
  if ('payload' in expression) return payloadType(expression.payload);
  if ('concat' in expression) return expression.concat.map(valueTypes);
  if ('elem' in expression) return valueTypes(expression.elem.val);
  const [first] = operationOf(expression)?.operands ?? [];
  return first === undefined ? 'word' : valueTypes(first);
}
