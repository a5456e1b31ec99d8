/**
 * Rules that go as another but for some numbers, as nearly all rules of a large file do. Such a rule is kept as these
 * numbers. Its matches are made when somebody first looks at them, and are the same objects from then on: it is a rule like any
 * other, with its own `matches`, `target` and `packets`. Who asks what the numbers have no part in asks the form's model.
 */
import { elementAt } from './element.js';
import type { MatchOption } from './match.js';
import { perObject } from './perobject.js';
import type { Match, Rule } from './table.js';
import type { Value } from './value.js';

/** Two numbers: an address of family 4 and the length of its mask, or two ports or groups. */
export type Numbers = readonly [first: number, second: number];

/** Where two numbers stand in the rules of a form. */
export interface FormPlace {
  readonly match: number;
  readonly option: number;
  readonly value: 'network' | 'portRange' | 'groupRange';
}

/** How many rules lie together, at most. */
const MOST_TOGETHER = 1024;
const FEWEST_TOGETHER = 8;

/** Options that are kept by what they say, of those at one place. */
const SHARED = 4096;

/** The netmasks of family 4, by their length. */
const MASKS = Array.from({ length: 33 }, (_, length) => BigInt(2 ** 32 - 2 ** (32 - length)));

const VALUE_OF: Readonly<Record<FormPlace['value'], (...numbers: Numbers) => Value>> = {
  network: (address, length) => ({
    kind: 'network',
    family: 4,
    address: BigInt(address),
    mask: elementAt(MASKS, length),
  }),
  portRange: (from, to) => ({ kind: 'portRange', from, to }),
  groupRange: (from, to) => ({ kind: 'groupRange', from, to }),
};

/** The options at one place, some of them kept. */
class SharedOptions {
  readonly #options: (MatchOption | undefined)[] = Array.from({ length: SHARED });
  readonly #firsts = new Uint32Array(SHARED);
  readonly #seconds = new Uint32Array(SHARED);

  option(
    { name, negated }: MatchOption,
    value: FormPlace['value'],
    first: number,
    second: number,
  ): MatchOption {
    const slot = (first ^ (first >>> 12) ^ (second << 5)) & (SHARED - 1);
    const known = this.#options[slot];
    if (known && this.#firsts[slot] === first && this.#seconds[slot] === second) return known;
    const made: MatchOption = { name, negated, value: VALUE_OF[value](first, second) };
    this.#options[slot] = made;
    this.#firsts[slot] = first;
    this.#seconds[slot] = second;
    return made;
  }
}

/** The numbers of some rules of a form, one behind the other. */
interface Together {
  readonly form: RuleForm;
  readonly numbers: Uint32Array;
}

/** A rule of a form. `matches` is a property of its own, as copies and comparisons want it. */
class FormedRule implements Rule {
  static readonly #MATCHES: PropertyDescriptor & ThisType<FormedRule> = {
    enumerable: true,
    get() {
      this.#matches ??= this.#together.form.fill(this.#together.numbers, this.#at);
      return this.#matches;
    },
  };

  declare readonly matches: readonly Match[];
  readonly target: Rule['target'];
  readonly packets: bigint;
  readonly #together: Together;
  readonly #at: number;
  #matches: readonly Match[] | undefined;

  constructor(together: Together, at: number, packets: bigint) {
    Object.defineProperty(this, 'matches', FormedRule.#MATCHES);
    this.target = together.form.model.target;
    this.packets = packets;
    this.#together = together;
    this.#at = at;
    this.#matches = undefined;
  }

  static is(rule: Rule): rule is FormedRule {
    return #together in rule;
  }

  get form(): RuleForm {
    return this.#together.form;
  }

  /** What stands at the place in the matches. */
  value(place: number): Value {
    const { value } = elementAt(this.form.places, place);
    const at = this.#at + 2 * place;
    const { numbers } = this.#together;
    return VALUE_OF[value](elementAt(numbers, at), elementAt(numbers, at + 1));
  }

  /** The first address, port or group at the place. */
  first(place: number): number {
    return elementAt(this.#together.numbers, this.#at + 2 * place);
  }

  /** The last of them. */
  last(place: number): number {
    const second = elementAt(this.#together.numbers, this.#at + 2 * place + 1);
    const isNetwork = elementAt(this.form.places, place).value === 'network';
    return isNetwork ? this.first(place) + 2 ** (32 - second) - 1 : second;
  }
}

export class RuleForm {
  /** A rule that all of the form go as. */
  readonly model: Rule;
  readonly places: readonly FormPlace[];
  readonly #shared: (SharedOptions | undefined)[] = [];
  #together: Together;
  /** How many numbers of these are taken. */
  #taken = 0;

  constructor(model: Rule, places: readonly FormPlace[]) {
    this.model = model;
    this.places = places;
    this.#together = this.#room(FEWEST_TOGETHER);
  }

  #room(rules: number): Together {
    return { form: this, numbers: new Uint32Array(2 * this.places.length * rules) };
  }

  /** The rule that has these numbers, the two of each place. */
  rule(firsts: ArrayLike<number>, seconds: ArrayLike<number>, packets: bigint): Rule {
    const count = this.places.length;
    const { length } = this.#together.numbers;
    if (this.#taken === length && count > 0) {
      this.#together = this.#room(Math.min(MOST_TOGETHER, length / count));
      this.#taken = 0;
    }
    const { numbers } = this.#together;
    const at = this.#taken;
    for (let n = 0; n < count; n++) {
      numbers[at + 2 * n] = elementAt(firsts, n);
      numbers[at + 2 * n + 1] = elementAt(seconds, n);
    }
    this.#taken += 2 * count;
    return new FormedRule(this.#together, at, packets);
  }

  #optionsAt(place: number): SharedOptions {
    const known = this.#shared[place] ?? new SharedOptions();
    this.#shared[place] = known;
    return known;
  }

  /** The matches with the numbers that stand from there on. */
  fill(numbers: Uint32Array, at: number): readonly Match[] {
    const matches = this.model.matches.slice();
    for (let n = 0; n < this.places.length; n++) {
      const { match, option, value } = elementAt(this.places, n);
      const { name, options: old } = elementAt(matches, match);
      const options = old.slice();
      options[option] = this.#optionsAt(n).option(
        elementAt(old, option),
        value,
        elementAt(numbers, at + 2 * n),
        elementAt(numbers, at + 2 * n + 1),
      );
      matches[match] = { name, options };
    }
    return matches;
  }
}

/** The numbers of the rule and its form, if it is kept so. */
export function formedRule(rule: Rule): FormedRule | undefined {
  return FormedRule.is(rule) ? rule : undefined;
}

/** A rule with the same target, matches and options in which numbers alone differ; the rule itself, if none is known. */
export function modelOf(rule: Rule): Rule {
  return FormedRule.is(rule) ? rule.form.model : rule;
}

/** What is asked of rules' targets, matches and options, and in which their numbers have no part: asked once for all of a form. */
export function perModel<T>(ask: (rule: Rule) => T): (rule: Rule) => T {
  const ofModel = perObject(ask);
  return (rule) => {
    const model = modelOf(rule);
    return model === rule ? ask(rule) : ofModel(model);
  };
}
