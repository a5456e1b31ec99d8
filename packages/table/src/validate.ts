/** What must hold of a table as a whole, beyond what the text of each rule can show. */
import { describeOption } from './condition.js';
import { type Problem, TableError } from './error.js';
import { type BuiltinChain, isBuiltinChain } from './packet.js';
import { type Chain, findChain, type Rule, type Table } from './table.js';

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
  if (rule.target?.kind === 'reject' && (chain === 'ACCEPT' || chain === 'RECVFROM'))
    return `REJECT is not available in ${chain}: the peer is not told there; use DROP`;
  return undefined;
}

interface Call {
  readonly chain: Chain;
  readonly rule: Rule;
}

/** Walks every chain once from `start`, callers first; `visit` sees each rule with the way to it. */
function* walk(table: Table, start: Chain): Generator<Problem> {
  const done = new Set<Chain>();
  function* enter(chain: Chain, way: readonly Call[]): Generator<Problem> {
    const names = way.map((call) => call.chain.name);
    const at = way.at(-1);
    const fault = (message: string, help?: string): Problem => ({ message, help, ...place(at) });
    if (way.some((call) => call.chain === chain)) {
      yield fault(`Loop found: ${[...names, chain.name].join(' -> ')}`, 'remove one of the jumps');
      return;
    }
    if (way.length > MAX_CHAIN_DEPTH) {
      yield fault(`chains call each other more than ${MAX_CHAIN_DEPTH} deep`);
      return;
    }
    if (done.has(chain)) return;
    for (const rule of chain.rules) {
      const reason = isBuiltinChain(start.name) ? unavailableIn(rule, start.name) : undefined;
      if (reason !== undefined) {
        const message = way.length > 0 ? `${reason} (reached by ${names.join(' -> ')})` : reason;
        yield { message, help: undefined, chain, rule };
      }
      if (rule.target?.kind !== 'jump' && rule.target?.kind !== 'goto') continue;
      const called = findChain(table, rule.target.chain);
      if (called) yield* enter(called, [...way, { chain, rule }]);
      else yield { message: 'No chain/target/match by that name.', help: undefined, chain, rule };
    }
    done.add(chain);
  }
  yield* enter(start, []);
}

function place(call: Call | undefined): Pick<Problem, 'chain' | 'rule'> {
  return { chain: call?.chain, rule: call?.rule };
}

/**
 * Everything that is wrong with the table: targets that are not there, loops, chains nested too
 * deep, and rules that a built-in chain reaches but can't have.
 */
export function validate(table: Table): readonly Problem[] {
  const seen = new Set<string>();
  const problems: Problem[] = [];
  for (const chain of table.chains) {
    for (const problem of walk(table, chain)) {
      const at = problem.chain?.rules.findIndex((rule) => rule === problem.rule) ?? -1;
      const key = `${problem.chain?.name} ${at} ${problem.message.replace(/:.*/, '')}`;
      if (seen.has(key)) continue;
      seen.add(key);
      problems.push(problem);
    }
  }
  return problems;
}

/** The table itself if nothing is wrong with it; else TableError with the first fault. */
export function requireValid(table: Table): Table {
  const [problem] = validate(table);
  if (problem) throw new TableError(problem.message, problem.help);
  return table;
}
