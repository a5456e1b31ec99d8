/** How the values of each kind stand in JSON, and back to the words that the notation of rules has for them. */

import { printValue } from '@sockfilter/iptables';
import {
  MAX_MARK,
  printAddress,
  protocolName,
  type Value,
  type ValueKind,
  type ValueOf,
} from '@sockfilter/table';
import type { Json } from './json.js';
import { type JsonNode, type JsonText, nodeNoun } from './node.js';

/** What the right side of a match can be; `mask` is a value compared with some bits of the left side. */
export type Shape = 'value' | 'range' | 'prefix' | 'set' | 'mask';

interface Written {
  readonly right: Json;
  /** The bits that are looked at, where not all are. */
  readonly mask?: Json;
}

/** The right side as it is read. */
export interface Right {
  readonly shape: Shape;
  readonly node: JsonNode;
  readonly mask: JsonNode | undefined;
}

export interface ValueForm {
  readonly shapes: readonly Shape[];
  readonly write: (value: Value) => Written;
  /** The words of the value; undefined where something is wrong, which is told. */
  readonly read: (right: Right, json: JsonText) => readonly string[] | undefined;
}

function define<K extends ValueKind>(
  kind: K,
  shapes: readonly Shape[],
  write: (value: ValueOf<K>) => Written,
  read: ValueForm['read'],
): ValueForm {
  const isOurs = (value: Value): value is ValueOf<K> => value.kind === kind;
  return {
    shapes,
    write: (value) => {
      if (!isOurs(value)) throw new TypeError(`expected a ${kind}, not a ${value.kind}`);
      return write(value);
    },
    read,
  };
}

function scalar(json: JsonText, node: JsonNode): string | undefined {
  const text = json.text(node);
  if (text === undefined)
    json.report(node, `a value is a number or a string, not ${nodeNoun(node)}`);
  return text;
}

/** The two ends of `{ range: [from, to] }`. */
function ends(json: JsonText, node: JsonNode): readonly [string, string] | undefined {
  const list = json.members(node, ['range'], 'a range')?.get('range');
  const [from, to, more] = list?.children ?? [];
  if (list?.type !== 'array' || !from || !to || more) {
    json.report(list ?? node, 'a range is an array of its two ends');
    return undefined;
  }
  const [first, last] = [scalar(json, from), scalar(json, to)];
  return first === undefined || last === undefined ? undefined : [first, last];
}

/** The kind of value that the node is. */
export function shapeOf(node: JsonNode): Shape {
  const key = node.type === 'object' ? node.children?.[0]?.children?.[0]?.value : undefined;
  return key === 'range' || key === 'prefix' || key === 'set' ? key : 'value';
}

function readOne(json: JsonText, node: JsonNode, separator: string): string | undefined {
  if (shapeOf(node) !== 'range') return scalar(json, node);
  return ends(json, node)?.join(separator);
}

/** A number, or two that are the ends of a range. */
function numbers<K extends 'portRange' | 'groupRange' | 'ownerRange'>(kind: K, separator: string) {
  return define(
    kind,
    ['value', 'range'],
    (value: ValueOf<'portRange'> | ValueOf<'groupRange'> | ValueOf<'ownerRange'>) => ({
      right: rangeJson(value),
    }),
    ({ node }, json) => {
      const text = readOne(json, node, separator);
      return text === undefined ? undefined : [text];
    },
  );
}

function rangeJson({ from, to }: { readonly from: number; readonly to: number }): Json {
  return from === to ? from : { range: [from, to] };
}

/** Text as it is, without the quotes that a rule would need. */
function asText<K extends ValueKind>(
  kind: K,
  write: (value: ValueOf<K>) => string = printValue,
): ValueForm {
  return define(
    kind,
    ['value'],
    (value) => ({ right: write(value) }),
    ({ node }, json) => {
      const text = scalar(json, node);
      return text === undefined ? undefined : [text];
    },
  );
}

/** The flags of a list, or of one; the word that says that there are none. */
function flagNames(json: JsonText, node: JsonNode): string | undefined {
  if (node.type === 'number' && node.value === 0) return 'NONE';
  const nodes = node.type === 'array' ? (node.children ?? []) : [node];
  const names = nodes.map((each) => (each.type === 'string' ? String(each.value) : undefined));
  if (names.includes(undefined) || names.length === 0) {
    json.report(node, `TCP flags are a name or an array of names, not ${nodeNoun(node)}`);
    return undefined;
  }
  return names.join(',').toUpperCase();
}

function flagsJson(words: string): Json {
  if (words === 'NONE') return 0;
  const names = words.toLowerCase().split(',');
  return names.length > 1 ? names : (names[0] ?? 0);
}

export const FORMS: Readonly<Record<ValueKind, ValueForm>> = {
  none: define(
    'none',
    ['value'],
    () => ({ right: null }),
    () => [],
  ),
  protocol: define(
    'protocol',
    ['value'],
    ({ protocol }) => {
      const name = protocol === 0 ? 'all' : protocolName(protocol);
      return { right: /^\d+$/.test(name) ? protocol : name };
    },
    ({ node }, json) => {
      const text = scalar(json, node);
      return text === undefined ? undefined : [text];
    },
  ),
  network: define(
    'network',
    ['value', 'prefix', 'mask'],
    (value) => {
      const [address = '', length = ''] = printValue(value).split('/');
      if (!/^\d+$/.test(length)) return { right: address, mask: length };
      const full = value.family === 4 ? '32' : '128';
      return {
        right: length === full ? address : { prefix: { addr: address, len: Number(length) } },
      };
    },
    ({ shape, node, mask }, json) => {
      if (shape !== 'prefix') {
        const address = scalar(json, node);
        const bits = mask && scalar(json, mask);
        if (address === undefined || (mask && bits === undefined)) return undefined;
        return [bits === undefined ? address : `${address}/${bits}`];
      }
      const body = json.members(node, ['prefix'], 'a network')?.get('prefix');
      const parts = body && json.members(body, ['addr', 'len'], '`prefix`');
      const [addr, len] = [parts?.get('addr'), parts?.get('len')];
      if (!parts) return undefined;
      if (!addr || !len) {
        json.report(node, '`prefix` needs `addr` and `len`');
        return undefined;
      }
      const [address, length] = [scalar(json, addr), scalar(json, len)];
      return address === undefined || length === undefined ? undefined : [`${address}/${length}`];
    },
  ),
  addressRange: define(
    'addressRange',
    ['range'],
    ({ family, from, to }) => ({
      right: { range: [printAddress(family, from), printAddress(family, to)] },
    }),
    ({ node }, json) => {
      const text = readOne(json, node, '-');
      return text === undefined ? undefined : [text];
    },
  ),
  portRange: numbers('portRange', ':'),
  portList: define(
    'portList',
    ['set'],
    ({ ranges }) => ({ right: { set: ranges.map(rangeJson) } }),
    ({ node }, json) => {
      const list = json.members(node, ['set'], 'a set')?.get('set');
      if (list?.type !== 'array' || !list.children?.length) {
        json.report(list ?? node, 'a set is an array of values');
        return undefined;
      }
      const texts = list.children.map((each) => readOne(json, each, ':'));
      return texts.includes(undefined) ? undefined : [texts.join(',')];
    },
  ),
  addressTypes: asText('addressTypes'),
  groupRange: numbers('groupRange', ':'),
  groupPath: asText('groupPath', ({ path }) => path),
  ownerRange: numbers('ownerRange', '-'),
  tcpFlags: define(
    'tcpFlags',
    ['mask'],
    (value) => {
      const [mask = '', set = ''] = printValue(value).split(' ');
      return { mask: flagsJson(mask), right: flagsJson(set) };
    },
    ({ node, mask }, json) => {
      const [looked, wanted] = [mask && flagNames(json, mask), flagNames(json, node)];
      return looked === undefined || wanted === undefined ? undefined : [looked, wanted];
    },
  ),
  text: asText('text', ({ text }) => text),
  prefix: asText('prefix', ({ prefix }) => prefix),
  logLevel: asText('logLevel'),
  errno: asText('errno'),
  count: asText('count'),
  word: asText('word'),
  probability: asText('probability'),
  rate: asText('rate'),
  keyFields: asText('keyFields'),
  label: asText('label'),
  timeOfDay: asText('timeOfDay'),
  date: asText('date'),
  weekdays: asText('weekdays'),
  monthdays: asText('monthdays'),
  mark: define(
    'mark',
    ['value', 'mask'],
    ({ value, mask }) => ({ right: value, ...(mask !== MAX_MARK && { mask }) }),
    ({ node, mask }, json) => {
      const [value, bits] = [scalar(json, node), mask && scalar(json, mask)];
      if (value === undefined || (mask && bits === undefined)) return undefined;
      return [bits === undefined ? value : `${value}/${bits}`];
    },
  ),
  xmark: asText('xmark'),
  bits: asText('bits'),
  endpoint: asText('endpoint'),
  toPort: asText('toPort'),
  detail: asText('detail', ({ word }) => word),
  setRef: define(
    'setRef',
    ['value'],
    ({ set, sides }) => ({ right: `${set} ${sides.join(',')}` }),
    ({ node }, json) => scalar(json, node)?.split(' '),
  ),
};
