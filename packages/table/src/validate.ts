/** What must hold of a table as a whole, beyond what the text of each rule can show. */

import { BUILTIN_CHAINS, type BuiltinChain, CHAINS, isBuiltinChain } from './chains.js';
import { chainTargets } from './chaintargets.js';
import { describeOption, ruleCondition } from './condition.js';
import { elementAt } from './element.js';
import { type Problem, TableError } from './error.js';
import { perObject } from './perobject.js';
import { rewrittenFields } from './rewriting.js';
import { perModel } from './ruleform.js';
import { misusedSet } from './sets/use.js';
import { type Chain, findChain, type Rule, type Table } from './table.js';
import { calledChain, rewritingOf, targetAbsence } from './targets.js';

/** How deep chains may call each other. */
export const MAX_CHAIN_DEPTH = 64;

/** Why a rule can't work for calls of a built-in chain, wherever it stands; undefined if it can. */
export function unavailableIn(rule: Rule, chain: BuiltinChain): string | undefined {
  for (const match of rule.matches) {
    for (const { name } of match.options) {
      const reason = describeOption(match, name).absent[chain];
      if (reason !== undefined) return `\`--${name}\` is not available in ${chain}: ${reason}`;
    }
  }
  return rule.target && targetAbsence(rule.target, chain);
}

interface Call {
  readonly chain: Chain;
  readonly rule: Rule;
}

/** A problem, and what it is about: problems with one key are one mistake. */
interface Finding extends Problem {
  readonly key: string;
}

/** Walks every chain once from `start`, callers first, and says what is wrong on the way. */
function* walk(table: Table, start: Chain): Generator<Finding> {
  /** How deep the calls go from a chain that has been walked to its end. */
  const heights = new Map<Chain, number>();
  const absenceOf = (rule: Rule) =>
    isBuiltinChain(start.name) ? unavailableIn(rule, start.name) : undefined;
  const misuseOf = (rule: Rule) => misusedSet(rule, table, start.name);
  const isFine = perModel(
    (rule) => calledChain(rule.target) === undefined && !absenceOf(rule) && !misuseOf(rule),
  );

  function* enter(chain: Chain, way: readonly Call[]): Generator<Finding> {
    const names = way.map((call) => call.chain.name);
    const fault = (key: string, message: string, help?: string): Finding => {
      const call = way.at(-1);
      return { key, message, help, chain: call?.chain, rule: call?.rule };
    };
    const back = way.findIndex((call) => call.chain === chain);
    if (back >= 0) {
      const key = `loop ${names.slice(back).toSorted().join(' ')}`;
      const loop = [...names, chain.name].join(' -> ');
      yield fault(key, `Loop found: ${loop}`, 'remove one of the jumps');
      return;
    }
    const known = heights.get(chain);
    if (way.length + (known ?? 0) > MAX_CHAIN_DEPTH) {
      yield fault('depth', `chains call each other more than ${MAX_CHAIN_DEPTH} deep`);
      return;
    }
    if (known !== undefined) return;
    let height = 0;
    const { rules } = chain;
    for (let at = 0; at < rules.length; at++) {
      const rule = elementAt(rules, at);
      if (isFine(rule)) continue;
      const place = () => `${chain.name} ${at + 1}`;
      const reason = absenceOf(rule);
      if (reason !== undefined) {
        const message = way.length > 0 ? `${reason} (reached by ${names.join(' -> ')})` : reason;
        yield { key: `${place()} ${reason}`, message, help: undefined, chain, rule };
      }
      const misuse = misuseOf(rule);
      if (misuse) {
        const { message, help } = misuse;
        yield { key: `${place()} set ${message}`, message, help, chain, rule };
      }
      const name = calledChain(rule.target);
      if (name === undefined) continue;
      const called = findChain(table, name);
      if (called) {
        yield* enter(called, [...way, { chain, rule }]);
        height = Math.max(height, 1 + (heights.get(called) ?? 0));
      } else {
        const message = 'No chain/target/match by that name.';
        const help = `create the chain first: \`-N ${name}\``;
        yield { key: `${place()} target`, message, help, chain, rule };
      }
    }
    heights.set(chain, height);
  }
  yield* enter(start, []);
}

/** The chains that calls of the built-in chain can come to: itself, and those that are called there. */
export function reachedChains(table: Table, name: BuiltinChain): readonly Chain[] {
  const reached = new Set<string>([name]);
  const found: Chain[] = [];
  for (const each of reached) {
    const chain = findChain(table, each);
    if (!chain) continue;
    found.push(chain);
    for (const target of chainTargets(table, each)) {
      const called = calledChain(target);
      if (called !== undefined) reached.add(called);
    }
  }
  return found;
}

/** The rules that calls of the chain can come to. */
function reachedRules(table: Table, name: BuiltinChain): readonly Call[] {
  return reachedChains(table, name).flatMap((chain) =>
    chain.rules.map((rule) => ({ chain, rule })),
  );
}

/**
 * Where a call is judged once more, rules that look at what others rewrite would see then what those have made of
 * it, and might say something else.
 */
function* seenTwice(table: Table): Generator<Finding> {
  for (const name of BUILTIN_CHAINS) {
    const { judgedAgain } = CHAINS[name];
    if (judgedAgain === undefined) continue;
    const targets = reachedChains(table, name).flatMap((chain) => [
      ...chainTargets(table, chain.name),
    ]);
    const fields = rewrittenFields(targets.map(rewritingOf));
    if (![...fields].some((field) => judgedAgain[field] !== undefined)) continue;
    for (const { chain, rule } of reachedRules(table, name)) {
      const looks = ruleCondition(rule, table)
        .flat()
        .find(({ field }) => fields.has(field) && judgedAgain[field] !== undefined);
      if (!looks) continue;
      const message = `no rule that ${name} reaches can look at the ${looks.field} while another sets it: ${judgedAgain[looks.field]}`;
      const help = `set the ${looks.field} in CONNECT`;
      yield { key: `${chain.name} twice ${looks.field}`, message, help, chain, rule };
    }
  }
}

const problemsOf = perObject((table: Table): readonly Problem[] => {
  const problems = new Map<string, Problem>();
  for (const start of table.chains) {
    for (const { key, ...problem } of walk(table, start)) {
      if (!problems.has(key)) problems.set(key, problem);
    }
  }
  for (const { key, ...problem } of seenTwice(table))
    if (!problems.has(key)) problems.set(key, problem);
  return [...problems.values()];
});

/**
 * Everything that is wrong with the table, each mistake once: targets that are not there, loops,
 * chains nested too deep, and rules that a built-in chain reaches but can't have.
 */
export function validate(table: Table): readonly Problem[] {
  return problemsOf(table);
}

/** The table itself if nothing is wrong with it; else TableError with the first fault. */
export function requireValid(table: Table): Table {
  const [problem] = validate(table);
  if (problem) throw new TableError(problem.message, problem.help);
  return table;
}
