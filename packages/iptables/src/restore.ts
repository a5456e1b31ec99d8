/** Reading save files, as iptables-restore does, but with every mistake of the file at once. */
import {
  applyEdit,
  type Diagnostic,
  type Document,
  type DocumentLine,
  diagnose,
  didYouMean,
  isEdit,
  joinSpans,
  type Names,
  partOf,
  type RulePlace,
  type Source,
  type Span,
  tableDiagnostic,
  type Word,
} from '@sockfilter/language';
import {
  addGroup,
  appendRules,
  calledChain,
  EMPTY_TABLE,
  emptyChain,
  findChain,
  flush,
  isBuiltinChain,
  type Rule,
  type Table,
  TableError,
  validate,
} from '@sockfilter/table';
import { parseChainName, parseNewChainName, TARGET_NAMES } from './chainname.js';
import { parseWords } from './commandline.js';
import { parseGroupLine } from './groupline.js';
import { lexLine } from './lexer.js';
import { ruleMemo } from './rulememo.js';
import type { RuleContext } from './values/syntax.js';

export interface SaveContext {
  readonly names: Names;
  /** The table that the file is added to; without it the file is the whole table. */
  readonly base?: Table;
}

export interface ParsedSave {
  readonly document: Document;
  /** What the sound lines say; to be used only if there is no diagnostic. */
  readonly table: Table;
  readonly diagnostics: readonly Diagnostic[];
}

const COUNTERS = /^\[(\d+):(\d+)\]$/;

/** Reads a save file. It never throws: what is wrong is in the diagnostics, in the file's order. */
export function parseSave(text: string, name: string, { names, base }: SaveContext): ParsedSave {
  const source: Source = { name, text };
  const diagnostics: Diagnostic[] = [];
  const lines: DocumentLine[] = [];
  const places = new Map<Rule, RulePlace>();
  /** Rules read and not yet in the table: appending one at a time would copy the chain each time. */
  const waiting = new Map<string, Rule[]>();
  const declared = new Set<string>();
  let table = base ?? EMPTY_TABLE;
  let context: RuleContext = { names, groups: table.groups, memo: ruleMemo() };
  let state: 'before' | 'inside' | 'after' = 'before';
  let last: Pick<Word, 'span'> = { span: { source: name, line: 1, column: 1, length: 0 } };

  function report(span: Span, message: string, help?: string): void {
    diagnostics.push({ code: 'bad-line', message, span, exit: 2, help });
  }

  /** Runs an edit; what the table says against it is reported at the span. */
  function attempt(span: Span, edit: () => Table): void {
    try {
      table = edit();
    } catch (error) {
      if (!(error instanceof TableError)) throw error;
      diagnostics.push(tableDiagnostic(error, span));
    }
  }

  function settle(): void {
    for (const [chain, rules] of waiting) table = appendRules(table, chain, rules);
    waiting.clear();
  }

  function readChain(words: readonly Word[], line: string): DocumentLine {
    const [first, policyWord, counterWord, more] = words;
    const other: DocumentLine = { kind: 'other', text: line };
    if (!first) return other;
    const word = partOf(first, 1);
    const chain = isBuiltinChain(word.text) ? parseChainName(word) : parseNewChainName(word);
    if (!chain.ok) {
      diagnostics.push(diagnose(chain.problem, first.span));
      return other;
    }
    const policy = policyWord?.text;
    const builtin = isBuiltinChain(chain.value);
    const counter = counterWord ? COUNTERS.exec(counterWord.text)?.[1] : '0';
    if (more) report(more.span, `bad argument \`${more.text}\``);
    else if (counter === undefined)
      report(counterWord?.span ?? first.span, `invalid policy counters \`${counterWord?.text}\``);
    else if (declared.has(chain.value))
      report(first.span, `chain \`${chain.value}\` is declared twice`);
    else if (policy === undefined) report(first.span, 'a chain line needs a policy, or `-`');
    else if (builtin && !['ACCEPT', 'DROP', '-'].includes(policy))
      report(policyWord?.span ?? first.span, 'Bad policy name.', 'a policy is ACCEPT or DROP');
    else if (!builtin && policy !== '-')
      report(policyWord?.span ?? first.span, 'a user chain has no policy: write `-`');
    else {
      settle();
      declared.add(chain.value);
      const known = findChain(table, chain.value);
      const fixed = policy === 'ACCEPT' || policy === 'DROP' ? policy : known?.policy;
      const packets = builtin ? BigInt(counter) : 0n;
      const changed = known
        ? { ...known, policy: fixed, packets }
        : emptyChain(chain.value, undefined);
      const chains = known
        ? table.chains.map((each) => (each === known ? changed : each))
        : [...table.chains, changed];
      table = { ...table, chains };
      // As iptables-restore -n: a user chain that the file declares starts empty.
      if (known && !builtin) table = flush(table, chain.value);
      return { kind: 'chain', text: line, name: chain.value, policy: fixed, packets };
    }
    return other;
  }

  function readGroup(words: readonly Word[], start: Word, line: string): DocumentLine {
    const { group, diagnostics: found } = parseGroupLine(words, start);
    diagnostics.push(...found);
    if (!group) return { kind: 'other', text: line };
    const same = base?.groups.some(
      ({ name: known, id, path }) => known === group.name && id === group.id && path === group.path,
    );
    if (!same) attempt(joinSpans(start.span, last.span), () => addGroup(table, group));
    return { kind: 'group', text: line, group };
  }

  function readCommand(words: readonly Word[], start: Word, line: string): DocumentLine {
    const other: DocumentLine = { kind: 'other', text: line };
    const counter = start.text.startsWith('[') ? COUNTERS.exec(start.text)?.[1] : undefined;
    const rest = counter === undefined ? words : words.slice(1);
    const first = rest[0] ?? start;
    const packets = counter === undefined ? undefined : BigInt(counter);
    if (context.groups !== table.groups)
      context = { names, groups: table.groups, memo: ruleMemo() };
    const parsed = parseWords(rest, context, first, packets);
    diagnostics.push(...parsed.diagnostics);
    const { command, place, target, flags } = parsed;
    if (!command) return other;
    if (!isEdit(command) || flags.file !== undefined || flags.root !== undefined) {
      report(place, 'a save file holds commands that change the table only');
      return other;
    }
    if (command.kind === 'append' || command.kind === 'insert') {
      const span = joinSpans(first.span, rest.at(-1)?.span ?? first.span);
      for (const rule of command.rules) places.set(rule, { rule: span, target });
      if (!findChain(table, command.chain)) {
        const chains = table.chains.map((chain) => chain.name);
        const help =
          didYouMean(command.chain, chains) ??
          `declare it first: \`${printedChain(command.chain)}\``;
        const message = 'No chain/target/match by that name.';
        diagnostics.push({ code: 'does-not-fit', message, span: place, exit: 1, help });
        return other;
      }
    }
    if (command.kind === 'append') {
      const queue = waiting.get(command.chain) ?? [];
      queue.push(...command.rules);
      waiting.set(command.chain, queue);
      return { kind: 'rules', text: line, chain: command.chain, rules: command.rules };
    }
    settle();
    attempt(place, () => applyEdit(table, command));
    if (command.kind === 'new-chain')
      return { kind: 'chain', text: line, name: command.chain, policy: undefined, packets: 0n };
    return { kind: 'edit', text: line };
  }

  function readLine(line: string, number: number): DocumentLine {
    if (/^\s*#/.test(line)) return { kind: 'comment', text: line };
    const { words, diagnostic } = lexLine(line, name, number);
    const [start] = words;
    if (diagnostic) diagnostics.push(diagnostic);
    if (!start || diagnostic) return { kind: 'other', text: line };
    last = words.at(-1) ?? start;
    if (start.text.startsWith('*')) {
      if (start.text !== '*socket')
        report(start.span, `no table \`${start.text.slice(1)}\``, 'the only table is `*socket`');
      else if (state !== 'before') report(start.span, 'table `*socket` is given twice');
      state = 'inside';
      return { kind: 'table', text: line };
    }
    if (state !== 'inside') {
      const help = state === 'before' ? 'start with a line `*socket`' : undefined;
      report(start.span, `line ${state} the table: \`${start.text}\``, help);
      if (state === 'before') state = 'inside';
    }
    if (start.text === 'COMMIT' && words.length === 1) {
      state = 'after';
      return { kind: 'commit', text: line };
    }
    if (start.text.startsWith(':') && !start.quoted) return readChain(words, line);
    if (/^(-G|--group$)/.test(start.text)) return readGroup(words, start, line);
    return readCommand(words, start, line);
  }

  function finish(): void {
    settle();
    if (state === 'before') report(last.span, 'no table: the file needs a line `*socket`');
    if (state === 'inside') report(last.span, 'COMMIT expected at the end of the table');
  }

  text.split('\n').forEach((line, at) => {
    lines.push(readLine(line, at + 1));
  });
  finish();
  const document: Document = { source, lines, places, names };
  if (diagnostics.length === 0) diagnostics.push(...checkTable(table, document, last.span));
  return { document, table, diagnostics };
}

function printedChain(name: string): string {
  return `:${name} - [0:0]`;
}

/** What is wrong with the table as a whole, each where its rule is written. */
function checkTable(table: Table, document: Document, end: Span): readonly Diagnostic[] {
  return validate(table).map(({ message, help, rule }) => {
    const place = rule && document.places.get(rule);
    const called = calledChain(rule?.target);
    const missing = called !== undefined && !findChain(table, called) ? called : undefined;
    const near = missing === undefined ? undefined : didYouMean(missing, [...targetNames(table)]);
    return {
      code: 'does-not-fit',
      message,
      help: near ?? help,
      span: (missing === undefined ? place?.rule : place?.target) ?? end,
      exit: 1,
    };
  });
}

function targetNames(table: Table): readonly string[] {
  const chains = table.chains.map(({ name }) => name).filter((name) => !isBuiltinChain(name));
  return [...chains, ...TARGET_NAMES];
}
