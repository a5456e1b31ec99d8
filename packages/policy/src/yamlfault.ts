/** What is wrong with YAML, in words that need no specification at hand. */
import {
  type Alias,
  type Document,
  type ErrorCode,
  isAlias,
  isScalar,
  type Node,
  type Pair,
  visit,
} from 'yaml';
import type { z } from 'zod';

/** From and to are offsets in the text. */
export interface Fault {
  readonly from: number;
  readonly to: number;
  readonly message: string;
  readonly fix?: string | undefined;
}

/** Far more than a file of ours has, and far less than the parser's stack bears. */
const MAX_DEPTH = 50;
const MAX_INDENT = 500;

const CONTROL = /[^\P{Cc}\t\n\r]/u;
/** Lists and mappings that start on one line, and are not in brackets. */
const COMPACT = /^[ \t]*(?:[-?:][ \t]+){50}/m;

/** What the parser must not see, or would take without a word. */
export function findTextFault(text: string): Fault | undefined {
  const at = (from: number, message: string): Fault => ({ from, to: from + 1, message });
  const control = CONTROL.exec(text);
  if (control) return at(control.index, 'this is a control character');
  let depth = 0;
  for (const { 0: bracket, index } of text.matchAll(/[[{}\]]/g)) {
    depth = bracket === '[' || bracket === '{' ? depth + 1 : Math.max(0, depth - 1);
    if (depth > MAX_DEPTH) return at(index, DEEP);
  }
  const compact = COMPACT.exec(text);
  if (compact) return at(compact.index, DEEP);
  const indent = new RegExp(`^ {${MAX_INDENT}}`, 'm').exec(text);
  return indent ? at(indent.index, DEEP) : undefined;
}

const DEEP = 'this is nested too deeply';
const UNEXPECTED = 'this is not expected here';

/** The parser's faults, by its codes: https://eemeli.org/yaml/#errors */
const WORDS: Readonly<Record<ErrorCode, string>> = {
  ALIAS_PROPS: 'an alias has no anchor or tag of its own',
  BAD_ALIAS: 'this is no name of an alias or anchor',
  BAD_DIRECTIVE: 'there is no such directive',
  BAD_DQ_ESCAPE: 'there is no such escape in double quotes',
  BAD_INDENT: 'this is not indented as what it belongs to',
  BAD_PROP_ORDER: 'an anchor or tag stands before its value',
  BAD_SCALAR_START: 'a word cannot start so without quotes',
  BLOCK_AS_IMPLICIT_KEY:
    'a key has one value: this line has a second colon, or starts a mapping too early',
  BLOCK_IN_FLOW: 'within brackets only brackets can group',
  DUPLICATE_KEY: 'this key stands twice in one mapping',
  IMPOSSIBLE: UNEXPECTED,
  KEY_OVER_1024_CHARS: 'this key is too long',
  MISSING_CHAR: 'a quote, bracket, comma, colon or blank is missing',
  MULTILINE_IMPLICIT_KEY: 'a key must be on one line',
  MULTIPLE_ANCHORS: 'a value has one anchor at most',
  MULTIPLE_DOCS: 'the file has one document: another one starts here',
  MULTIPLE_TAGS: 'a value has one tag at most',
  NON_STRING_KEY: 'a key must be a word',
  RESOURCE_EXHAUSTION: DEEP,
  TAB_AS_INDENT: 'tabs cannot indent: write blanks',
  TAG_RESOLVE_FAILED: 'there is no such tag',
  UNEXPECTED_TOKEN: UNEXPECTED,
  BAD_COLLECTION_TYPE: 'the tag does not fit the value',
};

const QUOTE = 'put a value that starts with `!` in quotes';

export function parserFault({
  code,
  pos: [from, to],
}: {
  readonly code: ErrorCode;
  readonly pos: readonly [number, number];
}): Fault {
  const fix = code === 'TAG_RESOLVE_FAILED' ? QUOTE : undefined;
  return { from, to, message: WORDS[code] ?? UNEXPECTED, fix };
}

const TAGS: ReadonlySet<string> = new Set(
  ['str', 'int', 'float', 'bool', 'null', 'map', 'seq'].map((name) => `tag:yaml.org,2002:${name}`),
);

function faultAt({ range }: Node, message: string, fix?: string): Fault {
  const [from, to] = range ?? [0, 1];
  return { from, to, message, fix };
}

function aliasFault(alias: Alias, document: Document, path: readonly unknown[]): Fault | undefined {
  const target = alias.resolve(document);
  if (!target) return faultAt(alias, `no anchor \`&${alias.source}\` comes before`);
  return path.includes(target)
    ? faultAt(alias, `\`&${alias.source}\` would contain itself`)
    : undefined;
}

function keyFault({ key, value }: Pair): Fault | undefined {
  if (isScalar(key) || isAlias(key)) {
    const isMissing = isScalar(key) && (key.value === null || key.value === '');
    return isMissing ? faultAt(key, 'a key is missing') : undefined;
  }
  const node = [key, value].find((each): each is Node => each instanceof Object && 'range' in each);
  const message = 'a key must be a word, not a list or a mapping';
  return node ? faultAt(node, message) : { from: 0, to: 1, message };
}

/** What the parser takes and we do not. */
export function findFaults(document: Document): readonly Fault[] {
  const faults: Fault[] = [];
  const add = (fault: Fault | undefined) => {
    if (fault) faults.push(fault);
  };
  visit(document, {
    Alias: (_, alias, path) => add(aliasFault(alias, document, path)),
    Pair: (_, pair) => add(keyFault(pair)),
    Value: (_, node) => {
      const { tag } = node;
      if (tag !== undefined && !TAGS.has(tag)) add(faultAt(node, WORDS.TAG_RESOLVE_FAILED, QUOTE));
    },
  });
  return faults;
}

/** The value, unless aliases make too much of it. */
export function toValue(
  document: Document,
): { readonly value: unknown } | { readonly fault: Fault } {
  try {
    return { value: document.toJS() };
  } catch (error) {
    if (!(error instanceof ReferenceError)) throw error;
    const aliases: Alias[] = [];
    visit(document, { Alias: (_, alias) => void aliases.push(alias) });
    const message = 'aliases of aliases would make this too large';
    const [first] = aliases;
    return { fault: first ? faultAt(first, message) : { from: 0, to: 1, message } };
  }
}

const KINDS: Readonly<Record<string, string>> = {
  array: 'a list',
  object: 'a mapping',
  string: 'a word',
  number: 'a number',
  int: 'a whole number',
};

/** What a value is not, in the words of `KINDS`. */
export function shapeFault(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return /received undefined$/.test(issue.message)
        ? 'this is missing'
        : `this must be ${KINDS[issue.expected] ?? issue.expected}`;
    case 'invalid_value':
      return `this must be one of ${issue.values.map(String).join(', ')}`;
    case 'too_small':
      return issue.origin === 'array' ? 'the list is empty' : 'this must not be negative';
    case 'invalid_union':
      return 'this must be a value or a list of values';
    default:
      return 'this cannot stand here';
  }
}
