/** From the options of a draft to rules of the model: all that depends on more than one option. */
import type { Match, MatchName, MatchOption, Rule, Target } from '@sockfilter/table';
import { misfit, targetMisfit } from './chainfit.js';
import { diagnose } from './diagnostic.js';
import { settleFamily } from './family.js';
import { printOption } from './print.js';
import {
  type DraftMatch,
  type DraftOption,
  draftProtocol,
  matchDescriptor,
  protocolMatch,
  type RuleDraft,
} from './ruledraft.js';
import type { Span } from './source.js';
import { optionSyntax, spellOption } from './syntax.js';
import { parseTarget } from './target.js';
import { familyOf } from './values/address.js';
import { MAX_PORT } from './values/port.js';
import { printProtocol } from './values/protocol.js';

interface NamedMatch extends DraftMatch {
  readonly name: MatchName;
}

function protocolWords(protocols: readonly number[]): string {
  const words = protocols.map((number) => `\`-p ${printProtocol(number)}\``);
  return words.length > 1 ? `${words.slice(0, -1).join(', ')} or ${words.at(-1)}` : `${words[0]}`;
}

/** A protocol was given and refused: what depends on it can't be judged. */
function isProtocolUnknown({ ip }: RuleDraft): boolean {
  return ip.options.some(({ name, values }) => name === 'protocol' && values.length === 0);
}

/** Gives the match that the protocol brings its name. */
function nameMatch(draft: RuleDraft, match: DraftMatch): NamedMatch | undefined {
  if (match.name !== undefined) return { ...match, name: match.name };
  if (isProtocolUnknown(draft)) return undefined;
  const protocol = draftProtocol(draft);
  const name = protocol && !protocol.negated ? protocolMatch(protocol.protocol) : undefined;
  for (const option of match.options) {
    if (name !== undefined && matchDescriptor(name).options[option.name]) continue;
    const { text } = option.use.option;
    const message =
      name === undefined
        ? `\`${text}\` needs a protocol that has it`
        : `\`${text}\` does not go with \`-p ${name}\``;
    const help = `write \`-p tcp ${text}\``;
    draft.report({ code: 'missing', message, span: option.use.span, exit: 2, help });
    return undefined;
  }
  return name === undefined ? undefined : { ...match, name };
}

/** What the descriptor asks of a match: its protocol, at least one option, none that exclude others. */
function checkMatch(draft: RuleDraft, match: NamedMatch): void {
  const { protocols, exclusive = [], needsOption } = matchDescriptor(match.name);
  const spelled = (name: string) => spellOption(optionSyntax(match.name, name));
  const protocol = draftProtocol(draft);
  const named = protocol && !protocol.negated && protocols?.includes(protocol.protocol);
  if (protocols && !named && !isProtocolUnknown(draft)) {
    const message = `\`-m ${match.name}\` needs ${protocolWords(protocols)}`;
    draft.report({ code: 'missing', message, span: match.word.span, exit: 2 });
  }
  const faulty = draft.diagnostics.some(({ code }) => code === 'unsupported' || code === 'missing');
  if (match.name !== 'ip' && needsOption && match.options.length === 0 && !faulty) {
    const names = Object.keys(matchDescriptor(match.name).options).map(spelled);
    const message = `\`-m ${match.name}\` needs an option: ${names.join(' or ')}`;
    draft.report({ code: 'missing', message, span: match.word.span, exit: 2 });
  }
  for (const set of exclusive) {
    const [first, second] = match.options.filter(({ name }) => set.includes(name));
    if (!first || !second) continue;
    const message = `\`${spelled(first.name)}\` and \`${spelled(second.name)}\` exclude each other`;
    draft.report({ code: 'exclusive', message, span: second.use.span, exit: 2 });
  }
}

/** A value that restricts nothing, as iptables drops it when it prints. */
function isVacuous({ value, negated }: MatchOption): boolean {
  if (negated) return false;
  if (value.kind === 'protocol') return value.protocol === 0;
  return value.kind === 'portRange' && value.from === 0 && value.to === MAX_PORT;
}

function modelOption({ name, use }: DraftOption, value: MatchOption['value']): MatchOption {
  return { name, negated: use.negated, value };
}

/** In the descriptor's order, one list for each combination of alternatives. */
function combine(match: NamedMatch): readonly (readonly MatchOption[])[] {
  const { options: order, needsOption } = matchDescriptor(match.name);
  const keepsVacuous = needsOption && match.name !== 'ip';
  let lists: readonly (readonly MatchOption[])[] = [[]];
  for (const name of Object.keys(order)) {
    const option = match.options.find((each) => each.name === name);
    if (!option) continue;
    lists = lists.flatMap((list) =>
      option.values.map((value) => {
        const made = modelOption(option, value);
        return isVacuous(made) && !keepsVacuous ? list : [...list, made];
      }),
    );
  }
  return lists;
}

function lastFamilySpan(matches: readonly NamedMatch[]): Span | undefined {
  const spans = matches
    .flatMap((match) => match.options)
    .filter(({ values }) => values.some((value) => familyOf(value) !== undefined))
    .map(({ use }) => use.span);
  return spans.toSorted((a, b) => a.column - b.column).at(-1);
}

/** Reports what the chain can't have. */
function checkFit(draft: RuleDraft, chain: string, matches: readonly NamedMatch[]): void {
  for (const { name, options } of matches) {
    for (const option of options) {
      for (const value of option.values) {
        const made = modelOption(option, value);
        const text = printOption(name, made);
        const problem = misfit(chain, name, made, draft.context, text);
        if (problem) draft.report(diagnose(problem, option.use.span));
      }
    }
  }
}

function checkTarget(draft: RuleDraft, chain: string): Target | undefined {
  const target = parseTarget(draft);
  const span = draft.target?.use.span ?? draft.ip.word.span;
  if (!target.ok) {
    draft.report(diagnose(target.problem, span));
    return undefined;
  }
  const problem = targetMisfit(chain, target.value);
  if (problem) draft.report(diagnose(problem, span));
  return target.value;
}

/**
 * The rules that the draft stands for in the chain: one, or one for each combination of the
 * addresses listed, sources first; none if anything is wrong, which is reported.
 */
export function finishRule(draft: RuleDraft, chain: string): readonly Rule[] {
  const target = checkTarget(draft, chain);
  const ip: NamedMatch = { ...draft.ip, name: 'ip' };
  const all = draft.ip.options.find(({ name }) => name === 'protocol');
  const [protocol] = all?.values ?? [];
  if (all?.use.negated && protocol?.kind === 'protocol' && protocol.protocol === 0) {
    const message = '`!` does not go with protocol `all`: the rule would never match';
    draft.report({ code: 'negation', message, span: all.use.span, exit: 2 });
  }
  const named = draft.matches.flatMap((match) => nameMatch(draft, match) ?? []);
  for (const match of [ip, ...named]) checkMatch(draft, match);
  checkFit(draft, chain, [ip, ...named]);
  if (draft.diagnostics.length > 0) return [];
  const others: readonly Match[] = named.map((match) => ({
    name: match.name,
    options: combine(match)[0] ?? [],
  }));
  const rules: Rule[] = [];
  for (const options of combine(ip)) {
    const settled = settleFamily(options, others);
    if (!settled.ok) {
      draft.report(diagnose(settled.problem, lastFamilySpan([ip, ...named]) ?? ip.word.span));
      return [];
    }
    const matches = settled.value.length > 0 ? [{ name: ip.name, options: settled.value }] : [];
    rules.push({ matches: [...matches, ...others], target, packets: draft.packets?.count ?? 0n });
  }
  return rules;
}
