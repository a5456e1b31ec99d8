/** The lines of a save file that declare sets, in ipset's words: `create NAME TYPE ...`, `add NAME ELEMENT`. */
import {
  byteLength,
  type Diagnostic,
  diagnose,
  didYouMean,
  type Problem,
  type Report,
  type Word,
} from '@sockfilter/language';
import {
  DEFAULT_MAXELEM,
  findSetType,
  hasAddresses,
  hasExceptions,
  MAX_ELEMENT_COMMENT,
  MAX_ELEMENT_PACKETS,
  MAX_TIMEOUT,
  MOST_ELEMENTS,
  type NamedSet,
  SET_TYPE_NAMES,
  type SetElement,
} from '@sockfilter/table';
import { quoteSaved } from './quote.js';
import { parseElements, printElement } from './setelement.js';
import { parseNumber } from './values/number.js';
import { isSetName, SET_NAME_RULE } from './values/setref.js';

/** Options of ipset that say how much room its tables have, and nothing of what is in a set. */
const TUNING: readonly string[] = ['hashsize', 'bucketsize', 'initval', 'range'];

/** Options of ipset that are not there, each with the reason. */
const ABSENT: Readonly<Record<string, string>> = {
  skbinfo: 'a socket call has no mark of a packet',
  forceadd: 'a full set takes nothing: nothing is thrown out of it',
  netmask: 'write networks in a set of type net',
  bitmask: 'write networks in a set of type net',
  wildcard: 'there are no sets of interfaces',
};

const NO_DEVICES = 'there are no sets of devices: write a rule with `-i` or `-o` for each';
const NO_MAC = 'a socket call has no MAC address';
const TWO_PARTS = 'a set has addresses or networks of one end, and ports';

/** Types of ipset that are not there, each with the reason. */
const ABSENT_TYPES: Readonly<Record<string, string>> = {
  iface: NO_DEVICES,
  'hash:net,iface': NO_DEVICES,
  mac: NO_MAC,
  'hash:mac': NO_MAC,
  'hash:ip,mac': NO_MAC,
  'bitmap:ip,mac': NO_MAC,
  'hash:ip,mark': 'a rule has `-m mark` beside a set',
  'hash:net,net': TWO_PARTS,
  'hash:ip,port,ip': TWO_PARTS,
  'hash:ip,port,net': TWO_PARTS,
  'hash:net,port,net': TWO_PARTS,
  'bitmap:ip': 'write `ip`',
  'list:set': 'a set holds no sets: write a rule for each',
};

/** Words of set lines, which can be read before or after each other. */
class SetWords {
  readonly diagnostics: Diagnostic[] = [];
  readonly #report: Report = (diagnostic) => {
    this.diagnostics.push(diagnostic);
  };
  readonly #words: Word[];

  constructor(words: readonly Word[]) {
    this.#words = [...words];
  }

  fault(word: Word, message: string, help?: string): undefined {
    this.#report({ code: 'bad-line', message, span: word.span, exit: 2, help });
    return undefined;
  }

  /** A fault of an option, whose value is passed over: it is no mistake of its own. */
  optionFault(option: Word, message: string): undefined {
    this.next();
    return this.fault(option, message);
  }

  problem(problem: Problem, word: Word): undefined {
    this.#report(diagnose(problem, word.span));
    return undefined;
  }

  next(): Word | undefined {
    return this.#words.shift();
  }

  comment(option: Word): string | undefined {
    const word = this.next();
    if (!word) return this.fault(option, '`comment` needs a text');
    if (/\p{Cc}/u.test(word.text))
      return this.fault(word, 'a comment can hold no control character');
    if (byteLength(word.text) > MAX_ELEMENT_COMMENT)
      return this.fault(word, `a comment has at most ${MAX_ELEMENT_COMMENT} bytes`);
    return word.text;
  }

  number(option: Word, noun: string, most: number, least = 0): number | undefined {
    const word = this.next();
    if (!word) return this.fault(option, `\`${option.text}\` needs a number`);
    const parsed = parseNumber(word, { noun, least, most, separator: '-' });
    return parsed.ok ? parsed.value : this.problem(parsed.problem, word);
  }

  name(after: Word): string | undefined {
    const word = this.next();
    if (!word) return this.fault(after, `\`${after.text}\` needs the name of a set`);
    if (isSetName(word.text)) return word.text;
    return this.fault(word, `invalid set name \`${word.text}\``, SET_NAME_RULE);
  }
}

/** Whether the words say that what is there already is no fault, and the words without that. */
export function takeExist(words: readonly Word[]): {
  readonly exist: boolean;
  readonly words: readonly Word[];
} {
  const isExist = ({ text, quoted }: Word) => !quoted && ['-!', '-exist', '--exist'].includes(text);
  return { exist: words.some(isExist), words: words.filter((word) => !isExist(word)) };
}

export interface ParsedSetLine<T> {
  readonly value: T | undefined;
  readonly diagnostics: readonly Diagnostic[];
}

const CREATE_OPTIONS = ['family', 'timeout', 'maxelem', 'counters', 'comment', 'inet', 'inet6'];

/**
 * `create NAME TYPE [family inet|inet6] [timeout SECONDS] [maxelem NUMBER] [counters] [comment]`, from behind its
 * first word.
 */
export function parseCreate(start: Word, words: readonly Word[]): ParsedSetLine<NamedSet> {
  const line = new SetWords(words);
  const { diagnostics } = line;
  const name = line.name(start);
  const written = line.next();
  const type = written && findSetType(written.text);
  if (!written) line.fault(start, `a set needs a type: ${SET_TYPE_NAMES.join(', ')}`);
  else if (!type) {
    const { text } = written;
    const types = `the types are ${SET_TYPE_NAMES.join(', ')}`;
    if (Object.hasOwn(ABSENT_TYPES, text))
      line.fault(
        written,
        `sets of type \`${text}\` are not available: ${ABSENT_TYPES[text]}`,
        types,
      );
    else
      line.fault(written, `no type of sets \`${text}\``, didYouMean(text, SET_TYPE_NAMES) ?? types);
  }
  let family: NamedSet['family'] = 4;
  let timeout: number | undefined;
  let maxelem: number | undefined;
  let [counters, comments] = [false, false];
  for (let word = line.next(); word; word = line.next()) {
    const { text } = word;
    if (text === 'family' || text === 'inet' || text === 'inet6') {
      const value = text === 'family' ? line.next() : word;
      if (value?.text !== 'inet' && value?.text !== 'inet6')
        line.fault(value ?? word, 'a family is inet or inet6');
      else if (type && !hasAddresses(type))
        line.fault(word, `a set of type ${type} has no family: it has no addresses`);
      else family = value.text === 'inet6' ? 6 : 4;
    } else if (text === 'timeout') timeout = line.number(word, 'timeout', MAX_TIMEOUT);
    else if (text === 'maxelem')
      maxelem = line.number(word, 'number of elements', MOST_ELEMENTS, 1);
    else if (text === 'counters') counters = true;
    else if (text === 'comment') comments = true;
    else if (TUNING.includes(text)) line.next();
    else if (Object.hasOwn(ABSENT, text))
      line.fault(word, `\`${text}\` is not available: ${ABSENT[text]}`);
    else line.fault(word, `unknown word \`${text}\``, didYouMean(text, CREATE_OPTIONS));
  }
  if (diagnostics.length > 0 || name === undefined || !type)
    return { value: undefined, diagnostics };
  const room = maxelem ?? DEFAULT_MAXELEM;
  return {
    value: { name, type, family, timeout, maxelem: room, counters, comments, elements: [] },
    diagnostics,
  };
}

export interface NamedElements {
  readonly set: NamedSet;
  readonly elements: readonly SetElement[];
}

type Said = Partial<Pick<SetElement, 'timeout' | 'nomatch' | 'packets' | 'comment'>>;

/** What an option of an element says; undefined for a word that is none. */
const ELEMENT_OPTIONS: Readonly<
  Record<string, (line: SetWords, word: Word, set: NamedSet | undefined) => Said | undefined>
> = {
  timeout: (line, word, set) => {
    if (set && set.timeout === undefined)
      return line.optionFault(word, `${lacking(set, 'timeout')}: its elements stay`);
    return { timeout: line.number(word, 'timeout', MAX_TIMEOUT) || undefined };
  },
  nomatch: (line, word, set) =>
    set && !hasExceptions(set.type)
      ? line.fault(word, `\`nomatch\` is for networks: set \`${set.name}\` is of type ${set.type}`)
      : { nomatch: true },
  packets: (line, word, set) => {
    if (set && !set.counters) return line.optionFault(word, lacking(set, 'counters'));
    const packets = line.number(word, 'number of packets', MAX_ELEMENT_PACKETS);
    return packets === undefined ? undefined : { packets: BigInt(packets) };
  },
  // A socket call has none.
  bytes: (line, word, set) => {
    if (set && !set.counters) return line.optionFault(word, lacking(set, 'counters'));
    line.number(word, 'number of bytes', Number.MAX_SAFE_INTEGER);
    return {};
  },
  comment: (line, word, set) => {
    if (set && !set.comments) return line.optionFault(word, lacking(set, 'comment'));
    return { comment: line.comment(word) };
  },
};

const lacking = ({ name }: NamedSet, word: string) =>
  `set \`${name}\` was created without \`${word}\``;

/** `add NAME ELEMENT [timeout SECONDS] [nomatch] [packets NUMBER] [bytes NUMBER] [comment TEXT]`, or another command on elements, from behind its first word. */
export function parseElementLine(
  start: Word,
  words: readonly Word[],
  find: (name: string) => NamedSet | undefined,
): ParsedSetLine<NamedElements> {
  const line = new SetWords(words);
  const { diagnostics } = line;
  const [at] = words;
  const name = line.name(start);
  const set = name === undefined ? undefined : find(name);
  if (name !== undefined && at && !set)
    diagnostics.push({
      code: 'unknown-name',
      message: `Set ${name} doesn't exist.`,
      span: at.span,
      exit: 1,
      help: `create it first: \`create ${quoteSaved(name)} TYPE\``,
    });
  const written = line.next();
  if (!written && set) line.fault(start, `\`${start.text}\` needs an element`);
  let said: Said = {};
  for (let word = line.next(); word; word = line.next()) {
    const { text } = word;
    const read = Object.hasOwn(ELEMENT_OPTIONS, text) ? ELEMENT_OPTIONS[text] : undefined;
    if (read) said = { ...said, ...read(line, word, set) };
    else if (Object.hasOwn(ABSENT, text))
      line.fault(word, `\`${text}\` is not available: ${ABSENT[text]}`);
    else
      line.fault(word, `unknown word \`${text}\``, didYouMean(text, Object.keys(ELEMENT_OPTIONS)));
  }
  if (!set || !written) return { value: undefined, diagnostics };
  const parsed = parseElements(written, set);
  if (!parsed.ok) line.problem(parsed.problem, written);
  if (diagnostics.length > 0 || !parsed.ok) return { value: undefined, diagnostics };
  const elements =
    Object.keys(said).length === 0
      ? parsed.value
      : parsed.value.map((element) => ({ ...element, ...said }));
  return { value: { set, elements }, diagnostics };
}

/** The set without its elements. */
export function printCreate(set: NamedSet): string {
  const { name, type, family, timeout, maxelem, counters, comments } = set;
  return [
    `create ${quoteSaved(name)} ${type}`,
    ...(hasAddresses(type) ? [`family ${family === 6 ? 'inet6' : 'inet'}`] : []),
    ...(timeout === undefined ? [] : [`timeout ${timeout}`]),
    `maxelem ${maxelem}`,
    ...(counters ? ['counters'] : []),
    ...(comments ? ['comment'] : []),
  ].join(' ');
}

/** The element as `set list` has it: in ipset's words and order. `packets` is what it has counted, if that is told. */
export function printMember(
  set: NamedSet,
  element: SetElement,
  packets = set.counters ? (element.packets ?? 0n) : undefined,
): string {
  const { timeout, nomatch, comment } = element;
  return [
    printElement(set, element),
    ...(set.timeout === undefined ? [] : [`timeout ${timeout ?? 0}`]),
    ...(nomatch ? ['nomatch'] : []),
    ...(packets === undefined ? [] : [`packets ${packets} bytes 0`]),
    ...(comment === undefined ? [] : [`comment ${quoteSaved(comment)}`]),
  ].join(' ');
}

/**
 * A line that adds the element; an element of a set whose elements time out says how long it has. What it has
 * counted stands there with `counters`, unless that is 0.
 */
export function printAdd(set: NamedSet, element: SetElement, counters = false): string {
  const packets = counters ? element.packets || undefined : undefined;
  return `add ${quoteSaved(set.name)} ${printMember({ ...set, counters: false }, element, packets)}`;
}
