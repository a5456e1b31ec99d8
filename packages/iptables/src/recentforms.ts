/**
 * Lines of the forms that came last, read from their first character to their last: where a line goes as the one before
 * it, but for numbers, no word is cut out of it. What is not written so plainly is left to whoever looks at words.
 */
import {
  boundOf,
  describeOption,
  elementAt,
  isBuiltinChain,
  MAX_GROUP_ID,
  type Match,
  type MatchOption,
  type Numbers,
  RuleForm,
} from '@sockfilter/table';
import { COUNTERS } from './chainline.js';
import { ANY, BLANKS, type Blank, COUNTED, formLine, type LineForm } from './lineform.js';
import { printRule } from './print.js';
import type { RecentLine } from './savedlines.js';
import { MAX_PORT } from './values/port.js';

/** Forms that lines are held against; a line of another is no recent one. */
const MOST_RECENT = 8;

const DIGIT = 0x30;
const DOT = 0x2e;
const SLASH = 0x2f;
const COLON = 0x3a;

const UNCOUNTED = '[0:0] ';

/** A form as the text that stands before each blank, and behind the last. */
interface Template {
  readonly form: LineForm;
  readonly rules: RuleForm;
  readonly blanks: readonly Blank[];
  readonly pieces: readonly string[];
  /** For each blank the values that calls of the chain have; undefined for all. */
  readonly possible: readonly (readonly Numbers[] | undefined)[];
  /** Whether its rules are printed so, but for the values. */
  readonly isPrinted: boolean;
}

/** The netmasks of family 4, by their length. */
const MASKS = Array.from({ length: 33 }, (_, length) => 2 ** 32 - 2 ** (32 - length));

/** What calls of the chain have where the option's value stands, from and to; none if that is not so easily told. */
function possibleValues(chain: string, match: Match, option: MatchOption): readonly Numbers[] {
  const field = describeOption(match, option.name).plain?.(option)?.field;
  if (!isBuiltinChain(chain) || !field) return [];
  const set = boundOf(chain, field)?.set;
  if (set?.kind !== 'ranges') return [];
  return set.ranges.map(([from, to]): Numbers => [Number(from), Number(to)]);
}

export class RecentForms {
  /** The last first. */
  readonly #templates: Template[] = [];
  /** Where reading stands. */
  #at = 0;
  readonly #firsts = new Float64Array(BLANKS.size);
  readonly #seconds = new Float64Array(BLANKS.size);
  /** Whether the values that have been read are written as they are printed. */
  #arePrinted = true;

  /** Takes up a form that a line has had. */
  keep(name: string, form: LineForm, blanks: readonly Blank[]): void {
    if (this.#templates.some((template) => template.form === form)) return;
    const isCounted = name.startsWith(COUNTED);
    const uncounted = isCounted ? name.slice(COUNTED.length) : name;
    const pieces = uncounted.slice(1).split(ANY);
    this.#templates.unshift({
      form,
      rules: new RuleForm(
        form.rule,
        form.places.map(({ match, option }, n) => {
          return { match, option, value: elementAt(blanks, n).value };
        }),
      ),
      blanks,
      pieces: pieces.map((piece, n) => (n < blanks.length ? `${piece} ` : piece)),
      possible: form.places.map(({ match, option, isBounded }) => {
        const holder = elementAt(form.rule.matches, match);
        const old = elementAt(holder.options, option);
        return isBounded ? possibleValues(form.chain, holder, old) : undefined;
      }),
      isPrinted: formLine(printRule(form.chain, form.rule))?.form === uncounted,
    });
    if (this.#templates.length > MOST_RECENT) this.#templates.pop();
  }

  /** The rule of a line of a recent form; undefined for any other. */
  read(text: string): RecentLine | undefined {
    const start = text.startsWith('[') ? text.indexOf(' ') + 1 : 0;
    const found = this.#templates.find((template) => this.#fits(template, text, start));
    if (!found) return undefined;
    const packets = start === 0 || text.startsWith(UNCOUNTED) ? 0n : countOf(text, start);
    if (packets === undefined) return undefined;
    const { chain } = found.form;
    const isPrinted = found.isPrinted && this.#arePrinted;
    return {
      chain,
      rule: found.rules.rule(this.#firsts, this.#seconds, packets),
      printedFrom: isPrinted ? start : undefined,
    };
  }

  #fits({ blanks, pieces, possible }: Template, text: string, start: number): boolean {
    this.#at = start;
    this.#arePrinted = true;
    for (let n = 0; n < blanks.length; n++) {
      const piece = elementAt(pieces, n);
      if (!text.startsWith(piece, this.#at)) return false;
      this.#at += piece.length;
      const { value } = elementAt(blanks, n);
      const isNetwork = value === 'network';
      if (!(isNetwork ? this.#network(text, n) : this.#range(text, n, value))) return false;
      const values = possible[n];
      if (values && !this.#meets(values, n, isNetwork)) return false;
    }
    const end = elementAt(pieces, blanks.length);
    return this.#at + end.length === text.length && text.endsWith(end);
  }

  /** Whether what has been read is some of these. */
  #meets(possible: readonly Numbers[], n: number, isNetwork: boolean): boolean {
    const first = elementAt(this.#firsts, n);
    const second = elementAt(this.#seconds, n);
    const last = isNetwork ? first + 2 ** (32 - second) - 1 : second;
    return possible.some(([from, to]) => from <= last && first <= to);
  }

  /** Reads an address with or without the length of a mask. */
  #network(text: string, n: number): boolean {
    let address = 0;
    for (let part = 0; part < 4; part++) {
      if (part > 0 && text.charCodeAt(this.#at++) !== DOT) return false;
      const byte = this.#number(text, 255);
      if (byte < 0) return false;
      address = address * 256 + byte;
    }
    let length = 32;
    if (text.charCodeAt(this.#at) === SLASH) {
      this.#at++;
      length = this.#number(text, 32);
      if (length < 1) return false;
    } else this.#arePrinted = false;
    this.#firsts[n] = (address & elementAt(MASKS, length)) >>> 0;
    this.#arePrinted &&= this.#firsts[n] === address;
    this.#seconds[n] = length;
    return true;
  }

  /** Reads a number or two; not all ports, which restrict nothing. */
  #range(text: string, n: number, value: 'portRange' | 'groupRange'): boolean {
    const most = value === 'portRange' ? MAX_PORT : MAX_GROUP_ID;
    const from = this.#number(text, most);
    let to = from;
    if (text.charCodeAt(this.#at) === COLON) {
      this.#at++;
      to = this.#number(text, most);
      this.#arePrinted &&= from !== to;
    }
    this.#firsts[n] = from;
    this.#seconds[n] = to;
    const isAll = value === 'portRange' && from === 0 && to === MAX_PORT;
    return from >= 0 && from <= to && !isAll;
  }

  /** The number up to so much that stands there, without zeros in front; -1 for none. */
  #number(text: string, most: number): number {
    const start = this.#at;
    let number = 0;
    for (; ; this.#at++) {
      const digit = text.charCodeAt(this.#at) - DIGIT;
      if (!(digit >= 0 && digit <= 9)) break;
      number = number * 10 + digit;
      if (number > most) return -1;
    }
    const digits = this.#at - start;
    return digits === 0 || (digits > 1 && text.charCodeAt(start) === DIGIT) ? -1 : number;
  }
}

function countOf(text: string, start: number): bigint | undefined {
  const count = COUNTERS.exec(text.slice(0, start - 1))?.[1];
  return count === undefined ? undefined : BigInt(count);
}
