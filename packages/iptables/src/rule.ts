/** From the options of a draft to rules of the model: all that depends on more than one option. */
import { type DiagnosticCode, diagnose, type Span } from '@sockfilter/language';
import {
  isMatchName,
  MATCHES,
  type Match,
  type MatchName,
  type MatchOption,
  needsPorts,
  PROTOCOL,
  type Rule,
  type Target,
  targetFamily,
} from '@sockfilter/table';
import { misfit, targetMisfit } from './chainfit.js';
import { settleFamily } from './family.js';
import type { OptionUse } from './optionrow.js';
import {
  type DraftMatch,
  type DraftOption,
  draftProtocol,
  matchDescriptor,
  type NamedMatch,
  protocolMatch,
  type RuleDraft,
} from './ruledraft.js';
import { entry, MOST_SHARED } from './rulememo.js';
import { optionSyntax, spellOption } from './syntax.js';
import { parseTarget, rejectSpan } from './target.js';
import { familyOf } from './values/address.js';
import { MAX_PORT } from './values/port.js';
import { printProtocol } from './values/protocol.js';

function protocolWords(protocols: readonly number[]): string {
  const words = protocols.map((number) => `\`-p ${printProtocol(number)}\``);
  return words.length > 1 ? `${words.slice(0, -1).join(', ')} or ${words.at(-1)}` : `${words[0]}`;
}

/** A protocol was given and refused: what depends on it can't be judged. */
function isProtocolUnknown({ ip }: RuleDraft): boolean {
  return ip.options.some(({ name, options }) => name === 'protocol' && options.length === 0);
}

function isNamed(match: DraftMatch): match is NamedMatch {
  return match.name !== undefined;
}

function writtenUse({ negated, option, words }: OptionUse): string {
  return [...(negated ? ['!'] : []), option.text, ...words.map(({ text }) => text)].join(' ');
}

/** Gives the match that the protocol brings its name. */
function nameMatch(draft: RuleDraft, match: DraftMatch): NamedMatch | undefined {
  if (isNamed(match)) return match;
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
    // A second `-p` would be refused next.
    const help = draft.ip.options.some(({ name: of }) => of === 'protocol')
      ? undefined
      : `write \`-p tcp ${writtenUse(option.use)}\``;
    draft.report({ code: 'missing', message, span: option.use.span, exit: 2, help });
    return undefined;
  }
  return name === undefined ? undefined : { name, word: match.word, options: match.options };
}

/** What may have been meant for an option of a match: its absence is no mistake of its own. */
const MAY_BE_ITS_OPTION: readonly DiagnosticCode[] = [
  'ambiguous-option',
  'bad-argument',
  'missing',
  'unknown-option',
  'unsupported',
];

/** What the descriptor asks of a match: its protocol, at least one option, none that exclude others. */
function checkMatch(draft: RuleDraft, match: NamedMatch): void {
  const { protocols, exclusive = [], needsOption } = matchDescriptor(match.name);
  const protocol = draftProtocol(draft);
  const named = protocol && !protocol.negated && protocols?.includes(protocol.protocol);
  if (protocols && !named && !isProtocolUnknown(draft)) {
    const message = `\`-m ${match.name}\` needs ${protocolWords(protocols)}`;
    draft.report({ code: 'missing', message, span: match.word.span, exit: 2 });
  }
  const faulty = draft.diagnostics.some(({ code }) => MAY_BE_ITS_OPTION.includes(code));
  if (match.name !== 'ip' && needsOption && match.options.length === 0 && !faulty) {
    const names = Object.keys(matchDescriptor(match.name).options).map((name) =>
      spellOption(optionSyntax(match.name, name)),
    );
    const message = `\`-m ${match.name}\` needs an option: ${names.join(' or ')}`;
    draft.report({ code: 'missing', message, span: match.word.span, exit: 2 });
  }
  if (match.options.length < 2) return;
  for (const set of exclusive) {
    const [first, second] = match.options.filter(({ name }) => set.includes(name));
    if (!first || !second) continue;
    const [one, other] = [first, second].map(({ name }) =>
      spellOption(optionSyntax(match.name, name)),
    );
    const message = `\`${one}\` and \`${other}\` exclude each other`;
    draft.report({ code: 'exclusive', message, span: second.use.span, exit: 2 });
  }
}

/** A value that restricts nothing, as iptables drops it when it prints. */
export function isVacuous({ value, negated }: MatchOption): boolean {
  if (negated) return false;
  if (value.kind === 'protocol') return value.protocol === 0;
  if (value.kind === 'detail') return value.word === '+';
  return value.kind === 'portRange' && value.from === 0 && value.to === MAX_PORT;
}

/** The options of each match in the descriptor's order. */
const ORDER: ReadonlyMap<MatchName, readonly string[]> = new Map(
  Object.keys(MATCHES)
    .filter(isMatchName)
    .map((name) => [name, Object.keys(matchDescriptor(name).options)]),
);

function findOption(match: NamedMatch, name: string): DraftOption | undefined {
  for (const option of match.options) if (option.name === name) return option;
  return undefined;
}

/** In the descriptor's order, one list for each combination of alternatives. */
function combine(match: NamedMatch): readonly (readonly MatchOption[])[] {
  const keepsVacuous = matchDescriptor(match.name).needsOption && match.name !== 'ip';
  let lists: MatchOption[][] = [[]];
  for (const name of ORDER.get(match.name) ?? []) {
    const alternatives = findOption(match, name)?.options;
    if (!alternatives) continue;
    const [first, second] = alternatives;
    if (first && !second) {
      if (keepsVacuous || !isVacuous(first)) for (const list of lists) list.push(first);
      continue;
    }
    lists = lists.flatMap((list) =>
      alternatives.map((option) => (keepsVacuous || !isVacuous(option) ? [...list, option] : list)),
    );
  }
  return lists.map(fit);
}

/** A copy without the room that pushing leaves for more: a file keeps such lists for every rule. */
function fit<T>(list: readonly T[]): readonly T[] {
  return list.slice();
}

function lastFamilySpan(matches: readonly NamedMatch[]): Span | undefined {
  const spans = matches
    .flatMap((match) => match.options)
    .filter(({ options }) => options.some(({ value }) => familyOf(value) !== undefined))
    .map(({ use }) => use.span);
  return spans.toSorted((a, b) => a.column - b.column).at(-1);
}

/** The options as they stand together; reports what does not go together. */
function settleOptions(
  draft: RuleDraft,
  match: NamedMatch,
  options: readonly MatchOption[],
): readonly MatchOption[] {
  const settled = matchDescriptor(match.name).settle?.(options);
  if (!settled) return options;
  if ('options' in settled) return settled.options;
  const { message, help, option } = settled;
  const at = option === undefined ? undefined : findOption(match, option);
  const span = at ? at.use.span : match.word.span;
  draft.report({ code: 'bad-value', message, span, exit: 2, help });
  return [];
}

/** Reports what the chain can't have. */
function checkFit(draft: RuleDraft, chain: string, matches: readonly NamedMatch[]): void {
  const { memo } = draft.context;
  const fittingIn = memo && entry(memo.fitting, chain, () => new Map());
  for (const { name, options: uses } of matches) {
    const fitting = fittingIn && entry(fittingIn, name, () => new Set());
    for (const { use, options } of uses) {
      for (const option of options) {
        if (fitting?.has(option)) continue;
        const problem = misfit(chain, name, option, draft.context);
        if (problem) draft.report(diagnose(problem, use.span));
        else if (fitting && fitting.size < MOST_SHARED) fitting.add(option);
      }
    }
  }
}

function checkTarget(draft: RuleDraft, chain: string): Target | undefined {
  const reject = rejectSpan(draft);
  const misplaced = reject && targetMisfit(chain, { kind: 'reject', errno: 'EPERM' });
  if (misplaced) {
    draft.report(diagnose({ ...misplaced, help: 'write `-j DROP`' }, reject));
    return undefined;
  }
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

const WITH_PORTS: readonly number[] = [PROTOCOL.tcp, PROTOCOL.udp, PROTOCOL.udplite];

/** Reports a port that calls of some protocol could not be given. */
function checkPorts(draft: RuleDraft, target: Target | undefined): void {
  if (!needsPorts(target) || isProtocolUnknown(draft)) return;
  const protocol = draftProtocol(draft);
  if (protocol && !protocol.negated && WITH_PORTS.includes(protocol.protocol)) return;
  const span = draft.target?.use.span ?? draft.ip.word.span;
  const message = `a destination with a port needs ${protocolWords(WITH_PORTS)}`;
  draft.report({ code: 'missing', message, span, exit: 2 });
}

/**
 * The rules that the draft stands for in the chain: one, or one for each combination of the
 * addresses listed, sources first; none if anything is wrong, which is reported.
 */
export function finishRule(draft: RuleDraft, chain: string): readonly Rule[] {
  const target = checkTarget(draft, chain);
  const { ip } = draft;
  const all = ip.options.find(({ name }) => name === 'protocol');
  const protocol = all?.options[0]?.value;
  if (all?.use.negated && protocol?.kind === 'protocol' && protocol.protocol === 0) {
    const message = '`!` does not go with protocol `all`: the rule would never match';
    draft.report({ code: 'negation', message, span: all.use.span, exit: 2 });
  }
  const named = draft.matches.flatMap((match) => nameMatch(draft, match) ?? []);
  const drafted = [ip, ...named];
  for (const match of drafted) checkMatch(draft, match);
  checkFit(draft, chain, drafted);
  checkPorts(draft, target);
  if (draft.diagnostics.length > 0) return [];
  const others = named.map(
    (match): Match => ({
      name: match.name,
      options: settleOptions(draft, match, combine(match)[0] ?? []),
    }),
  );
  if (draft.diagnostics.length > 0) return [];
  const rules: Rule[] = [];
  for (const options of combine(ip)) {
    const settled = settleFamily(options, others, targetFamily(target));
    if (!settled.ok) {
      draft.report(diagnose(settled.problem, lastFamilySpan(drafted) ?? ip.word.span));
      return [];
    }
    const own: readonly Match[] =
      settled.value.length > 0 ? [{ name: ip.name, options: settled.value }] : [];
    rules.push({ matches: own.concat(others), target, packets: draft.packets?.count ?? 0n });
  }
  return fit(rules);
}
