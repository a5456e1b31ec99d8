/**
 * A rule of nft as rules in the words of iptables. Sets become a rule for each element, verdict maps one for each
 * key; what is compared with all but a set goes through a chain of its own, which the elements leave.
 */

import type { Family } from '@sockfilter/table';
import {
  type Expression,
  isList,
  type MapLookup,
  printRule,
  type Reject,
  type Rule,
  type Statement,
  visitStatement,
  type Xt,
} from 'nftables-json';
import type { ForeignRule, ForeignTarget, Option, Origin, Test } from '../packetfilter.js';
import { option, type Way } from './field.js';
import { lost, printLeft, type Question, readMatch, waysOf } from './question.js';
import { elementsOf, type FindSet, readValues } from './value.js';

/** Where a rule stands. */
export interface RulePlace extends Origin {
  readonly family: Family | undefined;
  /** The key of a chain of its table. */
  readonly keyOf: (chain: string) => string;
  readonly find: FindSet;
  /** Declares a chain of the importer's own for these rules and gives its key. */
  readonly addChain: (rules: readonly ForeignRule[]) => string;
}

/** Beyond so many combinations a rule's sets are not written out. */
const MAX_WAYS = 20_000;

interface End {
  readonly target: ForeignTarget;
  readonly options: readonly Option[];
  readonly family?: Family;
  readonly tests?: readonly Test[];
}

const plainEnd = (name: string): End => ({ target: { name, goto: false }, options: [] });

/** Matches of iptables-nft that ask nothing. */
const ASKING_NOTHING = /^comment$/;

/** What a statement is to a call: a question, an end, several of them, or nothing. */
type Effect =
  | { readonly question: Question }
  | { readonly end: End }
  | { readonly branches: readonly (readonly [Question, End | undefined])[] }
  | undefined;

function rejectEnd(reject: Reject | null): End {
  const { type, expr } = reject ?? {};
  const answer = type === 'tcp reset' ? type : typeof expr === 'string' ? expr : 'port-unreachable';
  return {
    ...plainEnd('REJECT'),
    options: [option('--reject-with', false, answer)],
    ...(type === 'icmp' && { family: 4 }),
    ...(type === 'icmpv6' && { family: 6 }),
    ...(type === 'tcp reset' && { tests: [option('-p', false, 'tcp')] }),
  };
}

function xtEffect(xt: Xt | null): Effect {
  const { type, name = '?' } = xt ?? {};
  if (type === 'target') return { end: plainEnd(name) };
  if (type === 'match' && ASKING_NOTHING.test(name)) return undefined;
  if (type === 'match')
    return { question: lost(`\`-m ${name}\` of iptables, which nft -j leaves out`) };
  return { end: plainEnd('of iptables, which nft -j leaves out,') };
}

class RuleReader {
  readonly rules: ForeignRule[] = [];
  readonly #place: RulePlace;
  readonly #questions: Question[] = [];

  constructor(place: RulePlace) {
    this.#place = place;
  }

  read(statements: readonly Statement[]): void {
    for (const statement of statements) {
      const effect = this.#effect(statement);
      if (!effect) continue;
      if ('question' in effect) this.#questions.push(effect.question);
      else if ('end' in effect) {
        this.#emit(this.#questions, effect.end);
        return;
      } else {
        for (const [question, end] of effect.branches)
          if (end) this.#emit([...this.#questions, question], end);
        return;
      }
    }
    this.#push([], undefined);
  }

  #effect(statement: Statement): Effect {
    const nothing = (): Effect => undefined;
    const change = (what: string) => (): Effect => ({ question: lost(`no call has \`${what}\``) });
    const end = (name: string) => (): Effect => ({ end: plainEnd(name) });
    return visitStatement<Effect>(statement, {
      text: (text) => ({ end: plainEnd(`for \`${text}\``) }),
      match: (match) => ({ question: readMatch(match, this.#place.find) }),
      vmap: (lookup) => this.#branches(lookup),
      counter: nothing,
      quota: change('quota'),
      limit: change('limit'),
      'ct count': change('ct count'),
      last: nothing,
      mangle: nothing,
      flow: nothing,
      fwd: end('fwd'),
      notrack: nothing,
      dup: nothing,
      snat: end('ACCEPT'),
      dnat: end('ACCEPT'),
      masquerade: end('ACCEPT'),
      redirect: end('ACCEPT'),
      reject: (reject) => ({ end: rejectEnd(reject) }),
      set: ({ op }) => (op === 'delete' ? undefined : change(`${op} to a set`)()),
      map: ({ op }) => (op === 'delete' ? undefined : change(`${op} to a map`)()),
      log: nothing,
      'ct helper': nothing,
      'ct timeout': nothing,
      'ct expectation': nothing,
      secmark: nothing,
      tunnel: nothing,
      meter: change('meter'),
      queue: end('queue'),
      tproxy: change('tproxy'),
      synproxy: end('synproxy'),
      reset: nothing,
      xt: xtEffect,
      accept: end('ACCEPT'),
      drop: end('DROP'),
      continue: nothing,
      break: nothing,
      return: end('RETURN'),
      jump: ({ target }) => ({ end: this.#call(target, false) }),
      goto: ({ target }) => ({ end: this.#call(target, true) }),
      unknown: (kind) => ({ end: plainEnd(kind) }),
    });
  }

  #call(name: string, goto: boolean): End {
    return { target: { name, goto, chain: this.#place.keyOf(name) }, options: [] };
  }

  #branches({ key, data }: MapLookup): Effect {
    const { find } = this.#place;
    const elements = elementsOf(data, find);
    const unread: Effect = { end: plainEnd(`for the map of \`${printLeft(key)}\``) };
    if (!elements) return unread;
    const branches: (readonly [Question, End | undefined, boolean])[] = [];
    for (const element of elements) {
      const pair = typeof element === 'object' && isList(element) ? element : [];
      const [value, verdict] = pair;
      const [read] = value === undefined ? [] : (readValues({ set: value }, find) ?? []);
      if (verdict === undefined || !read) return unread;
      const end = this.#endOf(verdict);
      if (end === 'unknown') return unread;
      const ways = waysOf(key, read);
      const question = ways
        ? { ways, except: [] }
        : lost(`no socket call has \`${printLeft(key)}\``);
      branches.push([question, end, read.kind === 'any']);
    }
    // What no other key is comes last.
    const ordered = branches.toSorted(([, , a], [, , b]) => Number(a) - Number(b));
    return { branches: ordered.map(([question, end]) => [question, end] as const) };
  }

  /** Of a verdict in a map: undefined if the rule goes on or ends without one. */
  #endOf(verdict: Expression): End | undefined | 'unknown' {
    if (typeof verdict !== 'object' || isList(verdict)) return 'unknown';
    if ('accept' in verdict) return plainEnd('ACCEPT');
    if ('drop' in verdict) return plainEnd('DROP');
    if ('return' in verdict) return plainEnd('RETURN');
    if ('jump' in verdict) return this.#call(verdict.jump.target, false);
    if ('goto' in verdict) return this.#call(verdict.goto.target, true);
    return 'continue' in verdict || 'break' in verdict ? undefined : 'unknown';
  }

  #emit(questions: readonly Question[], end: End): void {
    const { target } = end;
    const except = questions.flatMap((question) => question.except);
    const leaves = target.name === 'RETURN' || target.goto;
    const count = questions.reduce((all, { ways }) => all * ways.length, 1);
    const asked = questions.map((question) => {
      if (count > MAX_WAYS && question.ways.length > 1)
        return lost('too many combinations of sets');
      return leaves && question.except.length > 0 ? lost('all that is not in a set') : question;
    });
    const start: Way = { family: end.family, tests: end.tests ?? [] };
    const ways = asked.reduce<readonly Way[]>(
      (all, question) => all.flatMap((each) => question.ways.map((way) => joined(each, way))),
      [start],
    );
    if (except.length === 0 || leaves) {
      this.#push(ways, end);
      return;
    }
    const chain = this.#besides(except, end);
    this.#push(ways, { target: { name: chain, goto: false, chain }, options: [] });
  }

  /** A chain that does what the rule does, but for what is excepted. */
  #besides(except: readonly Way[], { target, options }: End): string {
    const exempts = target.chain === undefined && target.name !== 'ACCEPT';
    const { line, place, text } = this.#place;
    const origin = { line, place, text };
    return this.#place.addChain([
      ...except.flatMap((way) =>
        this.#rulesOf(way).map((rule) => ({
          ...rule,
          target: { name: 'RETURN', goto: false },
          targetOptions: [],
          exempts,
        })),
      ),
      { ...origin, family: undefined, tests: [], target, targetOptions: options },
    ]);
  }

  #push(ways: readonly Way[], end: End | undefined): void {
    const all = ways.length === 0 && !end ? [{ tests: [] }] : ways;
    for (const way of all)
      for (const rule of this.#rulesOf(way))
        this.rules.push({ ...rule, target: end?.target, targetOptions: end?.options ?? [] });
  }

  /** A rule of ours for each protocol that has ports, and for each family that has a loopback device. */
  #rulesOf(way: Way): readonly Pick<ForeignRule, 'line' | 'place' | 'text' | 'family' | 'tests'>[] {
    const { line, place, text, family } = this.#place;
    const origin = { line, place, text };
    const whole = joined({ family, tests: [] }, way);
    return whole.tests.length === 0
      ? [{ ...origin, family: whole.family, tests: [] }]
      : withProtocol(settled(whole.tests)).flatMap((tests) => {
          const families: readonly (Family | undefined)[] =
            whole.family === undefined && tests.some(isDevice) ? [4, 6] : [whole.family];
          return families.map((each) => ({ ...origin, family: each, tests }));
        });
  }
}

const isDevice = (test: Test) => 'name' in test && /^-[io]$/.test(test.name);

function joined(a: Way, b: Way): Way {
  const tests = [...a.tests, ...b.tests];
  if (a.family === undefined || b.family === undefined || a.family === b.family)
    return { family: a.family ?? b.family, tests };
  return { family: a.family, tests: [...tests, { never: 'no packet is of both families' }] };
}

/** Options that may stand in a rule once: what is asked twice of one thing is told, and the same is said once. */
function settled(tests: readonly Test[]): readonly Test[] {
  const found: Test[] = [];
  const seen = new Map<string, string>();
  for (const test of tests) {
    if (!('name' in test)) {
      found.push(test);
      continue;
    }
    const key = test.name === '-m' ? `-m ${test.words[0]}` : test.name;
    const value = `${test.negated} ${test.words.join(' ')}`;
    const known = seen.get(key);
    if (known === value) continue;
    seen.set(key, value);
    if (known === undefined) found.push(test);
    else if (key === '-p' && !`${known}${value}`.includes('true'))
      found.push({ never: 'no packet is of two protocols' });
    else found.push({ lost: 'a rule asks once of a thing' });
  }
  return found;
}

const WITH_PORTS = ['tcp', 'udp', 'udplite'];

function withProtocol(tests: readonly Test[]): readonly (readonly Test[])[] {
  const names = tests.flatMap((test) => ('name' in test ? test.name : []));
  const hasPorts = names.some((name) => /^--[sd]ports?$/.test(name));
  if (!hasPorts || names.includes('-p')) return [tests];
  return WITH_PORTS.map((protocol) => [option('-p', false, protocol), ...tests]);
}

export function ruleText(rule: Rule): string {
  try {
    return `${rule.chain}: ${printRule(rule)}`;
  } catch {
    return `${rule.chain}: ${JSON.stringify(rule.expr)}`;
  }
}

export function readRule({ expr = [] }: Rule, place: RulePlace): readonly ForeignRule[] {
  const reader = new RuleReader(place);
  reader.read(expr);
  return reader.rules;
}
