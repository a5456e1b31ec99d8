/** Named sets as nft has them: an object of the table, with its elements. */
import { printElement } from '@sockfilter/iptables';
import type { Word } from '@sockfilter/language';
import {
  type Family,
  hasAddresses,
  hasPart,
  type NamedSet,
  partsOf,
  SET_TYPE_NAMES,
  type SetElement,
  type SetPart,
  type SetType,
} from '@sockfilter/table';
import type { Json } from './json.js';
import type { JsonNode, JsonText } from './node.js';
import { EXTENSION } from './selector.js';

const address = (family: Family) => (family === 6 ? 'ipv6_addr' : 'ipv4_addr');

/** What nft calls the parts of a set's elements. */
function partTypes(part: SetPart, family: Family): readonly string[] {
  if (part === 'port') return ['inet_service'];
  return part === 'service' ? ['inet_proto', 'inet_service'] : [address(family)];
}

const INTERVAL = 'interval';
const TIMEOUT = 'timeout';
const COUNTERS = 'counters';
const COMMENT = 'comment';

function typeJson({ type, family }: NamedSet): Json {
  const types = partsOf(type).flatMap((part) => partTypes(part, family));
  return types.length === 1 ? (types[0] ?? '') : types;
}

function elementJson(set: NamedSet, element: SetElement): Json {
  const values = printElement(set, element)
    .split(',')
    .flatMap((text, n): readonly Json[] => {
      const part = partsOf(set.type)[n];
      if (part === 'port') return [element.port];
      if (part === 'service') return [text.slice(0, text.indexOf(':')), element.port];
      const [addr = '', length] = text.split('/');
      return [length === undefined ? addr : { prefix: { addr, len: Number(length) } }];
    });
  const value: Json = values.length === 1 ? (values[0] ?? '') : { concat: values };
  const { timeout = 0, nomatch, packets, comment } = element;
  const said = {
    ...(set.timeout !== undefined && { timeout }),
    ...(packets && { counter: { packets: Number(packets), bytes: 0 } }),
    ...(comment !== undefined && { comment }),
  };
  // nft has no exceptions: it refuses them.
  const val: Json = nomatch ? { [EXTENSION]: { nomatch: value } } : value;
  return Object.keys(said).length === 0 ? val : { elem: { val, ...said } };
}

export function setJson(set: NamedSet, own: { readonly [key: string]: Json }): Json {
  const flags = [
    ...(hasPart(set.type, 'network') ? [INTERVAL] : []),
    ...(set.timeout === undefined ? [] : [TIMEOUT]),
  ];
  return {
    set: {
      ...own,
      name: set.name,
      type: typeJson(set),
      ...(flags.length > 0 && { flags }),
      ...(set.timeout !== undefined && { timeout: set.timeout }),
      size: set.maxelem,
      ...((set.counters || set.comments) && {
        [EXTENSION]: {
          ...(set.counters && { [COUNTERS]: true }),
          ...(set.comments && { [COMMENT]: true }),
        },
      }),
      ...(set.elements.length > 0 && {
        elem: set.elements.map((element) => elementJson(set, element)),
      }),
    },
  };
}

/** The keys of a set that are its own. */
export const SET_KEYS = [
  'name',
  'handle',
  'type',
  'flags',
  'timeout',
  'size',
  'elem',
  EXTENSION,
] as const;

function texts(json: JsonText, node: JsonNode | undefined): readonly string[] {
  if (!node) return [];
  return (node.type === 'array' ? (node.children ?? []) : [node]).map(
    (each) => json.text(each) ?? '',
  );
}

/** The type and family whose parts are called so. */
function typeOf(names: readonly string[], isInterval: boolean): [SetType, Family] | undefined {
  for (const family of [4, 6] as const)
    for (const type of SET_TYPE_NAMES) {
      const own = partsOf(type).flatMap((part) => partTypes(part, family));
      if (own.join() === names.join() && hasPart(type, 'network') === isInterval)
        return [type, family];
    }
  return undefined;
}

/** An element's values as one word; undefined where something is wrong, which is told. */
function elementText(json: JsonText, node: JsonNode, type: SetType): string | undefined {
  if (node.type !== 'object') {
    const text = json.text(node);
    if (text === undefined) json.report(node, 'an element is a number, a string or an object');
    return text;
  }
  const parts = json.members(node, ['prefix', 'concat'], 'an element');
  const prefix = parts?.get('prefix');
  if (prefix) {
    const given = json.members(prefix, ['addr', 'len'], '`prefix`');
    const [addr, len] = [given?.get('addr'), given?.get('len')].map(
      (each) => each && json.text(each),
    );
    if (addr !== undefined && len !== undefined) return `${addr}/${len}`;
    if (given) json.report(node, '`prefix` needs `addr` and `len`');
    return undefined;
  }
  const concat = parts?.get('concat');
  if (concat?.type !== 'array') {
    if (parts) json.report(node, 'an element of several parts is `{"concat": [...]}`');
    return undefined;
  }
  const words = (concat.children ?? []).map((each) => elementText(json, each, type));
  if (words.includes(undefined)) return undefined;
  // A service is two of them; what is too much or too little the reader of elements tells.
  const texts = partsOf(type).map((part) => words.splice(0, part === 'service' ? 2 : 1).join(':'));
  return [...texts, ...words].join(',');
}

/** The lines of words that say the set; none where something is wrong, which is told. */
export function setWords(
  json: JsonText,
  body: JsonNode,
  parts: ReadonlyMap<string, JsonNode>,
): readonly (readonly Word[])[] {
  const say = (node: JsonNode, text: string, quoted = true): Word => ({
    text,
    span: json.spanOf(node),
    quoted,
  });
  const nameNode = parts.get('name');
  const name = nameNode && json.text(nameNode);
  if (!nameNode || name === undefined) {
    json.report(nameNode ?? body, 'a set needs a name');
    return [];
  }
  const flags = texts(json, parts.get('flags'));
  const typeNode = parts.get('type');
  const found = typeOf(texts(json, typeNode), flags.includes(INTERVAL));
  if (!typeNode || !found) {
    json.report(typeNode ?? body, 'sockfilter has no sets of this type');
    return [];
  }
  const [type, family] = found;
  const create = [say(body, 'create', false), say(nameNode, name), say(typeNode, type)];
  if (hasAddresses(type)) create.push(say(typeNode, family === 6 ? 'inet6' : 'inet'));
  const timeout = parts.get('timeout');
  if (timeout) create.push(say(timeout, 'timeout'), say(timeout, json.text(timeout) ?? ''));
  else if (flags.includes(TIMEOUT)) create.push(say(body, 'timeout'), say(body, '0'));
  const size = parts.get('size');
  if (size) create.push(say(size, 'maxelem'), say(size, json.text(size) ?? ''));
  const own = parts.get(EXTENSION);
  const options = own && json.members(own, [COUNTERS, COMMENT], `\`${EXTENSION}\` of a set`);
  for (const [option, node] of options ?? [])
    if (node.value === true) create.push(say(node, option));
    else if (node.value !== false) json.report(node, `\`${option}\` is true or false`);
  const elements = (parts.get('elem')?.children ?? []).flatMap((node) => {
    const words = elementWords(json, node, type);
    return words ? [[say(node, 'add', false), say(nameNode, name), ...words]] : [];
  });
  return [create, ...elements];
}

function elementWords(json: JsonText, node: JsonNode, type: SetType): readonly Word[] | undefined {
  const elem =
    node.type === 'object' && node.children?.[0]?.children?.[0]?.value === 'elem'
      ? node.children[0].children[1]
      : undefined;
  const keys = ['val', 'timeout', 'expires', 'counter', 'comment'] as const;
  const parts = elem && json.members(elem, keys, 'an element');
  if (elem && !parts) return undefined;
  const given = parts ? parts.get('val') : node;
  const exception = given && exceptionIn(json, given);
  const value = exception ?? given;
  const text = value && elementText(json, value, type);
  if (!value || text === undefined) return undefined;
  const span = json.spanOf(value);
  const say = (option: string, of: JsonNode | undefined): readonly Word[] =>
    of
      ? [option, json.text(of) ?? ''].map((each) => ({
          text: each,
          span: json.spanOf(of),
          quoted: true,
        }))
      : [];
  const counter = parts?.get('counter');
  const counts = counter && json.members(counter, ['packets', 'bytes'], '`counter`');
  return [
    { text, span, quoted: true },
    ...say('timeout', parts?.get('expires') ?? parts?.get('timeout')),
    ...(exception ? [{ text: 'nomatch', span, quoted: true }] : []),
    ...say('packets', counts?.get('packets')),
    ...say('bytes', counts?.get('bytes')),
    ...say('comment', parts?.get('comment')),
  ];
}

/** What the element is an exception of; undefined for one that is none. */
function exceptionIn(json: JsonText, node: JsonNode): JsonNode | undefined {
  if (node.children?.[0]?.children?.[0]?.value !== EXTENSION) return undefined;
  const own = json.members(node, [EXTENSION], 'an element')?.get(EXTENSION);
  return own && json.members(own, ['nomatch'], 'an exception')?.get('nomatch');
}
