/** Targets, from the words of -j, -g and a target's options, and back. */
import {
  bad,
  type Diagnostic,
  good,
  joinSpans,
  type Parsed,
  type Span,
} from '@sockfilter/language';
import {
  isBuiltinChain,
  isTargetKind,
  stepOf,
  TARGETS,
  type Target,
  type TargetDescriptor,
  type TargetKind,
  targetOption,
  targetValues,
  type Value,
} from '@sockfilter/table';
import { parseChainName } from './chainname.js';
import { unavailableTarget } from './extensions.js';
import type { OptionUse } from './optionrow.js';
import type { RuleDraft } from './ruledraft.js';
import { type OptionSyntax, spellOption, TARGET_SYNTAX } from './syntax.js';
import { printValue, VALUES } from './values.js';

const KINDS: readonly TargetKind[] = Object.keys(TARGETS).filter(isTargetKind);

const BY_WORD: ReadonlyMap<string, TargetKind> = new Map(
  KINDS.flatMap((kind) => {
    const { word } = TARGETS[kind];
    return word === undefined ? [] : [[word, kind]];
  }),
);

/** Which target goes to a chain, by the option that names it. */
const CALLS: Readonly<Record<'j' | 'g', TargetKind>> = { j: 'jump', g: 'goto' };

interface TargetOption {
  readonly kind: TargetKind;
  readonly name: string;
  readonly syntax: OptionSyntax;
}

const OPTIONS: readonly TargetOption[] = KINDS.flatMap((kind) =>
  Object.entries(TARGET_SYNTAX[kind].options).map(([name, syntax]) => ({ kind, name, syntax })),
);

/** The value of each option that was given to a target of the kind. */
function parseValues(
  draft: RuleDraft,
  kind: TargetKind | undefined,
): Parsed<Readonly<Record<string, Value>>> {
  const values: Record<string, Value> = {};
  for (const [long, use] of draft.targetOptions) {
    const owners = OPTIONS.filter(({ syntax }) => syntax.long.includes(long));
    const own = owners.find((option) => option.kind === kind);
    if (!own) return misplaced(long, use, owners);
    const option = targetOption(own.kind, own.name);
    const rules = { ...option, lookup: own.syntax.lookup };
    const value = VALUES[option.value].parse(use.words, draft.context, rules);
    if (!value.ok) return value;
    values[own.name] = value.value;
  }
  const { oneOf = [], word } = kind === undefined ? {} : descriptorOf(kind);
  const given = oneOf.filter((name) => values[name]);
  if (oneOf.length > 0 && given.length === 0) {
    const names = oneOf.map((name) => `--${name}`).join(', ');
    const span = draft.target?.use.span;
    return bad('missing', `${word} needs one of ${names}`, span ? { span } : {});
  }
  const [first, second] = given;
  if (second !== undefined) {
    const span = draft.targetOptions.get(second)?.span;
    const message = `\`--${first}\` and \`--${second}\` can not stand together`;
    return bad('exclusive', message, span ? { span } : {});
  }
  return good(values);
}

function descriptorOf(kind: TargetKind): Pick<TargetDescriptor<never>, 'word' | 'oneOf'> {
  return TARGETS[kind];
}

function misplaced(long: string, { span }: OptionUse, owners: readonly TargetOption[]) {
  const words = owners.map(({ kind }) => `\`-j ${TARGETS[kind].word}\``);
  return bad('missing', `\`--${long}\` needs ${words.join(' or ')}`, { span });
}

/** `-j REJECT` with its errno, where they stand together: what another target would replace. */
export function rejectSpan({ target, targetOptions }: RuleDraft): Span | undefined {
  if (!target || target.use.words[0]?.text !== TARGETS.reject.word) return undefined;
  const { span } = target.use;
  const [option, more] = targetOptions.values();
  if (more) return undefined;
  if (!option) return span;
  return option.span.column === span.column + span.length + 1
    ? joinSpans(span, option.span)
    : undefined;
}

/** The mistake of a REJECT in a chain whose refusal is silent, whatever its errno. */
export function silentReject(chain: string, span: Span): Diagnostic {
  const message = `REJECT is not available in \`${chain}\`, which ACCEPT or RECVFROM reaches: the peer is not told there`;
  return { code: 'not-in-chain', message, span, exit: 2, help: 'write `-j DROP`' };
}

/** The target of the draft; undefined if it has none. */
export function parseTarget(draft: RuleDraft): Parsed<Target | undefined> {
  const { target } = draft;
  const word = target?.use.words[0];
  const named = word && BY_WORD.get(word.text);
  if (target?.goto && named && word) {
    const message = `\`-g\` goes to a user chain, and \`${word.text}\` is a target`;
    return bad('bad-target', message, { span: target.use.span, help: `write \`-j ${word.text}\`` });
  }
  const values = parseValues(draft, named);
  if (!values.ok) return values;
  if (!target || !word) return good(undefined);
  if (named) return good(TARGETS[named].make(word.text, values.value));
  const name = word.text;
  const at = { span: word.span };
  if (isBuiltinChain(name))
    return bad('bad-target', `\`${name}\` is a built-in chain: no rule can jump to it`, at);
  const unavailable = unavailableTarget(name);
  if (unavailable)
    return bad('unsupported', `target \`${name}\` is not available: ${unavailable.reason}`, at);
  const chain = parseChainName(word);
  if (!chain.ok) return chain;
  return good(TARGETS[CALLS[target.goto ? 'g' : 'j']].make(chain.value, values.value));
}

/** The word after `-j` or `-g`; empty for a rule without a target. */
export function targetWord(target: Target | undefined): string {
  if (!target) return '';
  const step = stepOf(target);
  return step.kind === 'call' ? step.chain : (TARGETS[target.kind].word ?? '');
}

interface PrintedOption {
  readonly name: string;
  readonly syntax: OptionSyntax;
  readonly text: string;
}

/** Each option of the target with its value as printed, in the order in which they are printed. */
function printedOptions(target: Target): readonly PrintedOption[] {
  const values = targetValues(target);
  return Object.entries(TARGET_SYNTAX[target.kind].options).flatMap(([name, syntax]) => {
    const value = values[name];
    return value ? [{ name, syntax, text: printValue(value) }] : [];
  });
}

/** `-j ACCEPT`; empty for a rule without a target. */
export function printTarget(target: Target | undefined): string {
  if (!target) return '';
  const options = printedOptions(target).map(
    ({ syntax, text }) => ` ${spellOption(syntax)}${text === '' ? '' : ` ${text}`}`,
  );
  return `-${TARGET_SYNTAX[target.kind].flag} ${targetWord(target)}${options.join('')}`;
}

/** What a listing says of the target: before the matches of its rule, and after them. */
export function listTarget(target: Target | undefined): readonly [before: string, after: string] {
  if (!target) return ['', ''];
  const { remark = '', list } = TARGET_SYNTAX[target.kind];
  const options = printedOptions(target);
  const said = list
    ? list((name) => options.find((option) => option.name === name)?.text)
    : options.map(({ syntax, text }) => syntax.list(text, false)).join(' ');
  return [remark, said];
}
