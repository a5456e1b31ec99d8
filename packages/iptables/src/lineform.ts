/**
 * Lines of a form that the file has had before. A large file says the same in thousands of lines, with another
 * address, port or group in each: what such a value means does not depend on the rest of its line, nor the rest on it, so a
 * line that differs from a sound one in these alone is that rule with other values. Whatever is not plain is left to
 * the scanner, mistakes among it.
 */
import { LineWord, type Word } from '@sockfilter/language';
import {
  BUILTIN_CHAINS,
  boundOf,
  describeOption,
  isBuiltinChain,
  type Match,
  type MatchOption,
  type Rule,
  type Value,
} from '@sockfilter/table';
import { misfit } from './chainfit.js';
import { COUNTERS } from './chainline.js';
import { isVacuous } from './rule.js';
import { entry, MOST_SHARED, type RuleMemo } from './rulememo.js';
import type { RuleContext } from './values/syntax.js';
import { VALUES } from './values.js';

/** An option whose value may differ. */
export interface Blank {
  /** As in the match's descriptor. */
  readonly option: string;
  readonly value: 'network' | 'portRange' | 'groupRange';
  readonly plain: RegExp;
}

const ADDRESS = { value: 'network', plain: /^\d+\.\d+\.\d+\.\d+(\/[1-9]\d?)?$/ } as const;
const PORT = { value: 'portRange', plain: /^\d+(:\d+)?$/ } as const;
const GROUP = { value: 'groupRange', plain: /^\d+(:\d+)?$/ } as const;

/** As files that were saved spell them. */
export const BLANKS: ReadonlyMap<string, Blank> = new Map([
  ['-s', { option: 'source', ...ADDRESS }],
  ['-d', { option: 'destination', ...ADDRESS }],
  ['--sport', { option: 'sport', ...PORT }],
  ['--dport', { option: 'dport', ...PORT }],
  ['--id', { option: 'id', ...GROUP }],
]);

/** What stands in the place of a value: no line has it. */
export const ANY = '\n';

/** What stands in the place of counters. */
export const COUNTED = '[]';

/** Counts that a rule itself says go before those in front of it. */
const SAYS_COUNTS = / (-[^- ]*c|--se)/;

/** Forms that are kept: a file with more has hardly two lines alike. */
const MOST_FORMS = 4096;

/** A line as its form and the rest. */
export interface FormedLine {
  readonly form: string;
  readonly blanks: readonly Blank[];
  /** One for each blank. */
  readonly values: readonly string[];
  readonly packets: bigint;
}

/** Where the value of a blank stands in the rules of a form. */
interface BlankPlace {
  readonly match: number;
  readonly option: number;
  /** Whether some value of it may be one that no call of the chain has. */
  readonly isBounded: boolean;
}

/** A rule, and where those of its form differ. */
export interface LineForm {
  readonly chain: string;
  readonly rule: Rule;
  readonly places: readonly BlankPlace[];
}

/** The form of a line that appends a rule; undefined for one that is not plain. */
export function formLine(text: string): FormedLine | undefined {
  if (!text.startsWith('-A ') && !text.startsWith('[')) return undefined;
  if (text.includes('"') || text.includes("'")) return undefined;
  const words = text.split(' ');
  const blanks: Blank[] = [];
  const values: string[] = [];
  let packets = 0n;
  let form = '';
  for (let n = 0; n < words.length; n++) {
    const word = words[n] ?? '';
    if (n === 0 && word.startsWith('[')) {
      const count = COUNTERS.exec(word)?.[1];
      if (count === undefined || words[1] !== '-A') return undefined;
      packets = BigInt(count);
      form = COUNTED;
      continue;
    }
    form += ` ${word}`;
    const blank = BLANKS.get(word);
    const value = blank && words[n + 1];
    if (value === undefined || !blank?.plain.test(value)) continue;
    // Twice is a mistake, and told elsewhere.
    if (blanks.includes(blank)) return undefined;
    blanks.push(blank);
    values.push(value);
    form += ANY;
    n++;
  }
  return { form, blanks, values, packets };
}

function sameValue(one: Value, other: Value): boolean {
  if (one.kind === 'network' && other.kind === 'network')
    return one.family === other.family && one.address === other.address && one.mask === other.mask;
  const isRange = one.kind === 'portRange' || one.kind === 'groupRange';
  return isRange && one.kind === other.kind && one.from === other.from && one.to === other.to;
}

const wordOf = (text: string): Word =>
  new LineWord(text, false, { source: '', line: 1 }, 1, text.length);

function readValue({ value }: Blank, text: string, context: RuleContext): Value | undefined {
  const parsed = VALUES[value].parse([wordOf(text)], context);
  return parsed.ok ? parsed.value : undefined;
}

function isBounded(chain: string, match: Match | undefined, option: MatchOption): boolean {
  if (!match) return true;
  const clauses = describeOption(match, option.name).clauses(option, { groups: [], sets: [] });
  // Of a user chain nothing is said that some built-in chain has.
  const chains = isBuiltinChain(chain) ? [chain] : BUILTIN_CHAINS;
  return clauses.some((clause) =>
    clause.some(
      ({ field }) =>
        field !== 'family' && chains.every((each) => boundOf(each, field) !== undefined),
    ),
  );
}

function placeOf(
  chain: string,
  rule: Rule,
  { option }: Blank,
  value: Value,
): BlankPlace | undefined {
  const places = rule.matches.flatMap(({ options }, match) =>
    options.flatMap((each, at) => (each.name === option ? [{ match, option: at, each }] : [])),
  );
  const [only, other] = places;
  if (!only || other || !sameValue(only.each.value, value)) return undefined;
  const { match, option: at, each } = only;
  return { match, option: at, isBounded: isBounded(chain, rule.matches[match], each) };
}

/** Keeps the form of a line that has been read, and is the rule. */
export function keepForm(
  memo: RuleMemo,
  { form, blanks, values }: FormedLine,
  chain: string,
  rule: Rule,
  context: RuleContext,
): void {
  if (memo.forms.size >= MOST_FORMS || SAYS_COUNTS.test(form)) return;
  const places = blanks.flatMap((blank, n) => {
    const value = readValue(blank, values[n] ?? '', context);
    return (value && placeOf(chain, rule, blank, value)) ?? [];
  });
  if (places.length === blanks.length) memo.forms.set(form, { chain, rule, places });
}

/** The option with another value; undefined if that has to be looked at with its line. */
function fillOption(
  { chain }: LineForm,
  match: Match,
  old: MatchOption,
  isBounded: boolean,
  blank: Blank,
  text: string,
  context: RuleContext,
): MatchOption | undefined {
  const value = readValue(blank, text, context);
  if (!value) return undefined;
  const option: MatchOption = { name: old.name, negated: old.negated, value };
  const fits = !isVacuous(option) && !(isBounded && misfit(chain, match.name, option, context));
  return fits ? option : undefined;
}

/** The rule of a line of the form; undefined if it may be another, or none. */
export function fillForm(
  memo: RuleMemo,
  form: LineForm,
  { blanks, values, packets }: FormedLine,
  context: RuleContext,
): Rule | undefined {
  const matches = form.rule.matches.slice();
  for (let n = 0; n < blanks.length; n++) {
    const blank = blanks[n];
    const place = form.places[n];
    const text = values[n];
    const match = place && matches[place.match];
    const old = match?.options[place?.option ?? 0];
    if (!blank || !place || text === undefined || !match || !old) return undefined;
    const shared = entry(memo.filled, old, () => new Map<string, MatchOption>());
    const option =
      shared.get(text) ?? fillOption(form, match, old, place.isBounded, blank, text, context);
    if (!option) return undefined;
    if (shared.size < MOST_SHARED) shared.set(text, option);
    const options = match.options.slice();
    options[place.option] = option;
    matches[place.match] = { name: match.name, options };
  }
  return { matches, target: form.rule.target, packets };
}
