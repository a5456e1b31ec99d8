/**
 * The statements that end a rule, a row for each target that is written and for each key that is read: nft's own
 * where nft has one, else `sockfilter`.
 */
import { LOG_LEVELS } from '@sockfilter/iptables';
import { didYouMean, type Span, type Word } from '@sockfilter/language';
import { MAX_MARK, printAddress, type Target, type TargetKind } from '@sockfilter/table';
import type { Json } from './json.js';
import { type JsonNode, type JsonText, nodeNoun } from './node.js';
import { EXTENSION } from './selector.js';

type TargetOf<K extends TargetKind> = {
  readonly [P in K]: { readonly kind: P } & Extract<Target, { kind: P }>;
}[K];

/** nft's names of log levels, the most urgent first. */
export const NFT_LEVELS: readonly string[] = [
  'emerg',
  'alert',
  'crit',
  'err',
  'warn',
  'notice',
  'info',
  'debug',
];

/** The level of a statement that does not say one. */
const DEFAULT_LEVEL = NFT_LEVELS.indexOf('warn');

/** What sets the mark of packets whose way is shown. */
const NFTRACE = { meta: { key: 'nftrace' } } as const;
export const TRACE_STATEMENT: Json = { mangle: { key: NFTRACE, value: 1 } };

const NAT_FLAGS = ['random', 'persistent'] as const;

export const MARK = { meta: { key: 'mark' } } as const;

/** What the mark becomes, in nft's words: the least that says it. */
function markJson(value: number, mask: number): Json {
  if (mask === MAX_MARK) return value;
  if (mask === 0) return { '^': [MARK, value] };
  if (mask === value) return { '|': [MARK, value] };
  const kept = { '&': [MARK, MAX_MARK - mask] };
  return value === 0 ? kept : { '^': [kept, value] };
}

/** The flags of a rewriting of addresses, one or several as nft has them. */
function flagsJson(flags: { readonly random?: true; readonly persistent?: true }): {
  readonly [key: string]: Json;
} {
  const names = NAT_FLAGS.filter((flag) => flags[flag]);
  const [first, second] = names;
  return first === undefined ? {} : { flags: second === undefined ? first : names };
}

const orNull = (parts: { readonly [key: string]: Json }): Json =>
  Object.keys(parts).length === 0 ? null : parts;

/** One value, or a range of which one is chosen. */
function spanJson<T extends number | bigint>(
  { first, last }: { readonly first: T; readonly last: T },
  json: (value: T) => Json,
): Json {
  return first === last ? json(first) : { range: [json(first), json(last)] };
}

const WRITTEN: { readonly [K in TargetKind]: (target: TargetOf<K>) => Json } = {
  accept: () => ({ accept: null }),
  drop: ({ audited }) => (audited ? { [EXTENSION]: { audit: { drop: null } } } : { drop: null }),
  return: () => ({ return: null }),
  jump: ({ chain }) => ({ jump: { target: chain } }),
  goto: ({ chain }) => ({ goto: { target: chain } }),
  reject: ({ errno, audited }) => ({
    [EXTENSION]: audited ? { audit: { reject: errno } } : { reject: errno },
  }),
  log: ({ prefix, level, uid }) => ({
    log: orNull({
      ...(prefix !== '' && { prefix }),
      ...(level !== DEFAULT_LEVEL && { level: NFT_LEVELS[level] ?? level }),
      ...(uid && { flags: 'skuid' }),
    }),
  }),
  nflog: ({ prefix, group }) => ({ log: { ...(prefix !== '' && { prefix }), group } }),
  trace: () => TRACE_STATEMENT,
  dnat: ({ address, port, ...flags }) => ({
    dnat: {
      ...(address && {
        family: address.family === 4 ? 'ip' : 'ip6',
        addr: spanJson(address, (value: bigint) => printAddress(address.family, value)),
      }),
      ...(port && { port: spanJson(port, (value: number) => value) }),
      ...flagsJson(flags),
    },
  }),
  redirect: ({ port, ...flags }) => ({
    redirect: orNull({
      ...(port && { port: spanJson(port, (value: number) => value) }),
      ...flagsJson(flags),
    }),
  }),
  mark: ({ value, mask }) => ({ mangle: { key: MARK, value: markJson(value, mask) } }),
};

function written<K extends TargetKind>(target: TargetOf<K>): Json {
  return WRITTEN[target.kind](target);
}

/** The target as a statement. */
export function targetStatement(target: Target): Json {
  return written(target);
}

const plain = (text: string, span: Span): Word => ({ text, span, quoted: false });
const value = (text: string, span: Span): Word => ({ text, span, quoted: true });

/** The words of a statement with this body; undefined where something is wrong, which is told. */
type Read = (json: JsonText, body: JsonNode, span: Span) => readonly Word[] | undefined;

const readPlain =
  (name: string, word: string): Read =>
  (json, body, span) => {
    if (body.type === 'null') return [plain('-j', span), value(word, span)];
    json.report(body, `\`${name}\` takes null, not ${nodeNoun(body)}`);
    return undefined;
  };

const readCall =
  (name: string, flag: '-j' | '-g'): Read =>
  (json, body, span) => {
    const target = json.members(body, ['target'], `\`${name}\``)?.get('target');
    if (target?.type === 'string')
      return [plain(flag, span), value(String(target.value), json.spanOf(target))];
    json.report(target ?? body, `\`${name}\` needs the name of a chain as its \`target\``);
    return undefined;
  };

/** What refuses and nft has no word for: `{"reject": ERRNO}`, and in `audit` that or `{"drop": null}`. */
const readRefusal: Read = (json, body, span) => {
  const audit = json.members(body, ['reject', 'audit'], `\`${EXTENSION}\``)?.get('audit');
  if (!audit) return readReject(json, body, span);
  const drop = json.members(audit, ['drop', 'reject'], '`audit`')?.get('drop');
  const words = drop ? readPlain('drop', 'DROP')(json, drop, span) : readReject(json, audit, span);
  return words && [...words, plain('--audit', json.spanOf(audit))];
};

const readReject: Read = (json, body, span) => {
  const errno = json.members(body, ['reject', 'audit', 'drop'], `\`${EXTENSION}\``)?.get('reject');
  if (errno?.type !== 'string') {
    json.report(errno ?? body, `\`${EXTENSION}\` is \`{"reject": ERRNO}\` in a rule`);
    return undefined;
  }
  return [
    plain('-j', span),
    value('REJECT', span),
    plain('--reject-with', span),
    value(String(errno.value), json.spanOf(errno)),
  ];
};

/** The word of a level of nft's. */
function levelWord(json: JsonText, node: JsonNode): string | undefined {
  const text = json.text(node) ?? '';
  const level = NFT_LEVELS.indexOf(text);
  if (level >= 0) return LOG_LEVELS[level];
  const help = didYouMean(text, NFT_LEVELS);
  json.report(node, `a level is one of ${NFT_LEVELS.join(', ')}`, help);
  return undefined;
}

const readLog: Read = (json, body, span) => {
  if (body.type === 'null') return [plain('-j', span), value('LOG', span)];
  const parts = json.members(body, ['prefix', 'level', 'flags', 'group'], '`log`');
  if (!parts) return undefined;
  const group = parts.get('group');
  const word = group ? 'nflog' : 'log';
  const words = [plain('-j', span), value(word.toUpperCase(), span)];
  for (const [key, node] of parts) {
    if (group && (key === 'level' || key === 'flags')) {
      json.report(node, `\`${key}\` does not go with \`group\``);
      return undefined;
    }
    const place = json.spanOf(node);
    if (key === 'flags') {
      if (node.value !== 'skuid') {
        json.report(node, 'a socket call has `skuid` alone as flags of a log');
        return undefined;
      }
      words.push(plain('--log-uid', place));
      continue;
    }
    const text = key === 'level' ? levelWord(json, node) : json.text(node);
    if (text === undefined) {
      if (key !== 'level')
        json.report(node, `\`${key}\` is a number or a string, not ${nodeNoun(node)}`);
      return undefined;
    }
    words.push(plain(`--${word}-${key}`, place), value(text, place));
  }
  return words;
};

/** The flags as options; undefined where one is none of those, which is told. */
function flagWords(
  json: JsonText,
  node: JsonNode,
  known: readonly string[],
): readonly Word[] | undefined {
  const nodes = node.type === 'array' ? (node.children ?? []) : [node];
  const words: Word[] = [];
  for (const each of nodes) {
    const name = json.text(each) ?? '';
    if (!known.includes(name)) {
      json.report(each, `a flag is one of ${known.join(', ')}`, didYouMean(name, known));
      return undefined;
    }
    words.push(plain(`--${name}`, json.spanOf(each)));
  }
  return words;
}

/** The text of a member, or undefined where it is none, which is told. */
function memberText(json: JsonText, key: string, node: JsonNode): string | undefined {
  const text = json.text(node);
  if (text === undefined)
    json.report(node, `\`${key}\` is a number or a string, not ${nodeNoun(node)}`);
  return text;
}

/** One value, or the ends of a range with a hyphen between them. */
function spanText(json: JsonText, key: string, node: JsonNode): string | undefined {
  const ends =
    node.type === 'object' ? json.members(node, ['range'], `\`${key}\``)?.get('range') : undefined;
  if (node.type !== 'object') return memberText(json, key, node);
  const [first, last, third] = ends?.type === 'array' ? (ends.children ?? []) : [];
  if (!first || !last || third) {
    json.report(node, `\`${key}\` is one value or a \`range\` of two`);
    return undefined;
  }
  const [from, to] = [memberText(json, key, first), memberText(json, key, last)];
  return from === undefined || to === undefined ? undefined : `${from}-${to}`;
}

const readDnat: Read = (json, body, span) => {
  const parts = json.members(body, ['family', 'addr', 'port', 'flags'], '`dnat`');
  if (!parts) return undefined;
  const [addr, port, flags] = [parts.get('addr'), parts.get('port'), parts.get('flags')];
  if (!addr && !port) {
    json.report(body, '`dnat` needs `addr` or `port`');
    return undefined;
  }
  const address = addr ? spanText(json, 'addr', addr) : '';
  const number = port ? spanText(json, 'port', port) : '';
  const options = flags ? flagWords(json, flags, NAT_FLAGS) : [];
  const family = parts.get('family');
  const wanted = address?.includes(':') ? 'ip6' : 'ip';
  if (family && addr && family.value !== wanted) {
    json.report(family, `the family of the address is \`${wanted}\``);
    return undefined;
  }
  if (address === undefined || number === undefined || !options) return undefined;
  const end = wanted === 'ip6' && port ? `[${address}]` : address;
  return [
    plain('-j', span),
    value('DNAT', span),
    plain('--to-destination', span),
    value(port ? `${end}:${number}` : end, json.spanOf(addr ?? port ?? body)),
    ...options,
  ];
};

const readRedirect: Read = (json, body, span) => {
  const words = [plain('-j', span), value('REDIRECT', span)];
  if (body.type === 'null') return words;
  const parts = json.members(body, ['port', 'flags'], '`redirect`');
  if (!parts) return undefined;
  const [port, flags] = [parts.get('port'), parts.get('flags')];
  const number = port && spanText(json, 'port', port);
  const options = flags ? flagWords(json, flags, ['random']) : [];
  if ((port && number === undefined) || !options) return undefined;
  return [
    ...words,
    ...(port && number !== undefined
      ? [plain('--to-ports', span), value(number, json.spanOf(port))]
      : []),
    ...options,
  ];
};

const OPERATIONS = { '&': '--and-mark', '|': '--or-mark', '^': '--xor-mark' } as const;

/** The two sides of an operation; undefined if it is none of that sign. */
function sides(node: JsonNode, sign: string): readonly [JsonNode, JsonNode] | undefined {
  const [member, more] = node.type === 'object' ? (node.children ?? []) : [];
  const [key, list] = member?.children ?? [];
  const [left, right, third] = list?.children ?? [];
  const isIt = !more && key?.value === sign && list?.type === 'array' && !third;
  return isIt && left && right ? [left, right] : undefined;
}

function isMark(node: JsonNode): boolean {
  const [member] = node.type === 'object' ? (node.children ?? []) : [];
  const [key, body] = member?.children ?? [];
  const [inner] = body?.type === 'object' ? (body.children ?? []) : [];
  return key?.value === 'meta' && inner?.children?.[1]?.value === MARK.meta.key;
}

/** The option of MARK and its value. */
function markWords(node: JsonNode): readonly [string, string] | undefined {
  if (node.type === 'number' || node.type === 'string') return ['--set-mark', String(node.value)];
  for (const [sign, option] of Object.entries(OPERATIONS)) {
    const [left, right] = sides(node, sign) ?? [];
    if (!left || !right || right.type !== 'number') continue;
    if (isMark(left)) return [option, String(right.value)];
    const [inner, kept] = (sign === '^' && sides(left, '&')) || [];
    if (inner && kept?.type === 'number' && isMark(inner))
      return ['--set-xmark', `${right.value}/${MAX_MARK - Number(kept.value)}`];
  }
  return undefined;
}

const readMangle: Read = (json, body, span) => {
  const parts = json.members(body, ['key', 'value'], '`mangle`');
  const key = parts?.get('key');
  const meta = key && json.members(key, ['meta'], 'the key of `mangle`')?.get('meta');
  const name = meta && json.members(meta, ['key'], '`meta`')?.get('key');
  if (!parts || (key && !name)) return undefined;
  const set = parts.get('value');
  if (name?.value === NFTRACE.meta.key && set?.value === 1)
    return [plain('-j', span), value('TRACE', span)];
  if (name?.value === MARK.meta.key) {
    const words = set && markWords(set);
    if (words)
      return [
        plain('-j', span),
        value('MARK', span),
        ...words.map((word, n) => (n === 0 ? plain(word, span) : value(word, span))),
      ];
    json.report(set ?? body, 'a mark is set to a number, or to itself with `&`, `|` and `^`');
    return undefined;
  }
  json.report(body, 'a socket rule can set `mark`, and `nftrace` to 1, and nothing else');
  return undefined;
};

/** By the statement's key. */
export const STATEMENT_READERS: Readonly<Record<string, Read>> = {
  accept: readPlain('accept', 'ACCEPT'),
  drop: readPlain('drop', 'DROP'),
  return: readPlain('return', 'RETURN'),
  jump: readCall('jump', '-j'),
  goto: readCall('goto', '-g'),
  log: readLog,
  mangle: readMangle,
  dnat: readDnat,
  redirect: readRedirect,
  [EXTENSION]: readRefusal,
};
