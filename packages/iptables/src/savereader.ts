/** The lines of a save file, and what they make of a table. */
import {
  applyEdit,
  type Command,
  type Diagnostic,
  type DocumentKind,
  type EditCommand,
  isEdit,
  joinSpans,
  type Names,
  ruleSplice,
  type Source,
  type Span,
  tableDiagnostic,
  type Word,
} from '@sockfilter/language';
import {
  BUILTIN_CHAINS,
  calledChain,
  EMPTY_TABLE,
  findChain,
  type Group,
  isBuiltinChain,
  requireChain,
  type Table,
  TableError,
} from '@sockfilter/table';
import { ChainDraft, type RuleDraft } from './chaindraft.js';
import { COUNTERS, declaredChain, parseChainLine } from './chainline.js';
import { type ParsedWords, parseWords } from './commandline.js';
import { type EditLine, editLine, plainDeletion } from './editline.js';
import { parseGroupLine } from './groupline.js';
import { KnownForms } from './knownforms.js';
import { lexLine } from './lexer.js';
import { type FormedLine, formLine } from './lineform.js';
import { RefusedRejects } from './refusedrejects.js';
import { entry } from './rulememo.js';
import { LastWord, RulePlaces, spanOf } from './ruleplaces.js';
import { type RecentLine, SavedLines } from './savedlines.js';
import { isSetLine, SetLines } from './setlines.js';
import { checkTable } from './tablecheck.js';
import { TableDraft } from './tabledraft.js';
import { TableFrame } from './tableframe.js';
import { rulesOf, unfitNames } from './unfit.js';

export interface SaveContext {
  readonly names: Names;
  /** The table that the file is added to; without it the file is the whole table. */
  readonly base?: Table;
  /** The text is lines from inside the table, without `*socket` and COMMIT; the first has this number. */
  readonly firstLine?: number | undefined;
}

/** A line of a save file as its words, written in another notation: where all of it stands. */
export interface SavedWords {
  readonly words: readonly Word[];
  readonly span: Span;
}

/** The rules of each chain. */
export type RuleDrafts = (chain: string) => RuleDraft;

/** Reads lines one after the other; each mistake is kept, and the lines behind it are read on. */
export class SaveReader {
  readonly lines: SavedLines;
  readonly places: RulePlaces;
  readonly chains = new Map<string, Span>();
  readonly groups = new Map<string, Span>();
  readonly #diagnostics: Diagnostic[] = [];
  readonly #name: string;
  readonly #names: Names;
  readonly #base: Table;
  #baseGroups: ReadonlyMap<string, Group> | undefined;
  /** Rules of chains that the table has not got yet. */
  readonly #drafts = new Map<string, ChainDraft>();
  /** Those of a base that has none itself. */
  readonly #ruleDrafts: RuleDrafts | undefined;
  /** Whether something has been asked of the table that it can't say without its rules. */
  #asksRules = false;
  readonly #sets = new SetLines({
    table: () => this.#draft.growing,
    diagnose: (diagnostics) => this.#diagnostics.push(...diagnostics),
    report: (span, message, help) => this.#report(span, message, help),
    add: (span, set) => this.#attempt(span, () => this.#draft.addSet(set)),
  });
  readonly #declared = new Set<string>();
  /** Chains whose declaration is wrong: the lines that use them are not. */
  readonly #refusedChains = new Set<string>();
  readonly #rejects = new RefusedRejects();
  readonly #draft: TableDraft;
  #forms: KnownForms;
  /** The command of the line that was taken apart last, if it is one that can be. */
  #carriedOut: EditCommand | undefined;
  readonly #frame: TableFrame;
  #last: Pick<Word, 'span'>;

  constructor(
    { name, text }: Source,
    { names, base = EMPTY_TABLE, firstLine }: SaveContext,
    ruleDrafts?: RuleDrafts,
  ) {
    this.#ruleDrafts = ruleDrafts;
    this.lines = new SavedLines(text);
    this.#frame = new TableFrame(firstLine !== undefined, {
      report: (span, message, help) => this.#report(span, message, help),
      startAnew: () => this.#startAnew(),
    });
    this.#name = name;
    this.#names = names;
    this.#base = base;
    this.#draft = new TableDraft(base);
    this.places = new RulePlaces(name, this.lines, { names, groups: base.groups });
    this.#forms = new KnownForms({ names, groups: base.groups, sets: base.sets });
    this.#last = { span: { source: name, line: 1, column: 1, length: 0 } };
  }

  #report(span: Span, message: string, help?: string): void {
    this.#diagnostics.push({ code: 'bad-line', message, span, exit: 2, help });
  }

  /** Runs an edit; what the table says against it is reported at the span. */
  #attempt(span: Span, edit: () => void): void {
    try {
      edit();
    } catch (error) {
      if (!(error instanceof TableError)) throw error;
      this.#diagnostics.push(tableDiagnostic(error, span));
    }
  }

  #settle(): void {
    this.#asksRules = true;
    for (const [chain, { rules }] of this.#drafts)
      this.#draft.putChain({ ...requireChain(this.#draft.growing, chain), rules });
    this.#drafts.clear();
  }

  #rulesOf(chain: string): RuleDraft {
    if (this.#ruleDrafts) return this.#ruleDrafts(chain);
    return entry(
      this.#drafts,
      chain,
      () => new ChainDraft(chain, requireChain(this.#draft.growing, chain).rules),
    );
  }

  /** Reads a line that begins so far behind the begin of the source. */
  readLine(text: string, number: number, start: number): void {
    const { isInside } = this.#frame;
    const recent = isInside ? this.#readRecent(text, number) : undefined;
    if (recent) this.lines.addRecent(recent, start);
    else {
      const kind = isInside ? this.#readInside(text, number) : this.#read(text, number);
      this.lines.add({ text, ...kind });
    }
  }

  /** What is known, unless groups or sets are others: more of them make no line another rule. */
  #known(): KnownForms | undefined {
    const { groups, sets } = this.#forms.context;
    const table = this.#draft.growing;
    return groups === table.groups && sets === table.sets ? this.#forms : undefined;
  }

  /** A line that goes as one shortly before it, in a chain to which that one has added. */
  #readRecent(text: string, number: number): RecentLine | undefined {
    const read = this.#known()?.recent(text);
    const draft = read && (this.#ruleDrafts?.(read.chain) ?? this.#drafts.get(read.chain));
    if (!read || !draft || this.#refusedChains.has(read.chain)) return undefined;
    draft.append([read.rule]);
    this.#last = new LastWord(text, this.#name, number);
    return read;
  }

  #readInside(text: string, number: number): DocumentKind {
    const deletion = plainDeletion(text);
    return (
      this.#sets.addPlain(text) ??
      (deletion && this.#editRules(deletion, text, number)) ??
      this.#readFormed(text, number)
    );
  }

  /** A line inside the table, which may be of a form that has been read before. */
  #readFormed(text: string, number: number): DocumentKind {
    const edit = editLine(text);
    const recent = edit && this.#known()?.recent(edit.appended);
    const done = recent && this.#editRules(edit.command(recent.rule), text, number);
    if (done) return done;
    const line = formLine(edit?.appended ?? text);
    if (!line) return this.#read(text, number);
    const known = this.#fill(line, edit, text, number);
    if (known) return known;
    this.#carriedOut = undefined;
    const kind = this.#read(text, number);
    this.#keepForm(line, this.#carriedOut);
    return kind;
  }

  #keepForm(line: FormedLine, command: EditCommand | undefined): void {
    if (!command || !('chain' in command) || command.chain === undefined) return;
    const [rule, other] = rulesOf(command);
    if (rule && !other) this.#forms.keep(line, command.chain, rule);
  }

  #fill(
    line: FormedLine,
    edit: EditLine | undefined,
    text: string,
    number: number,
  ): DocumentKind | undefined {
    const read = this.#known()?.filled(line);
    if (!read) return undefined;
    const { chain, rule } = read;
    if (edit) return this.#editRules(edit.command(rule), text, number);
    if (this.#refusedChains.has(chain) || !findChain(this.#draft.growing, chain)) return undefined;
    this.#last = new LastWord(text, this.#name, number);
    this.#rulesOf(chain).append([rule]);
    return { kind: 'rules', chain, rules: [rule] };
  }

  /** What a plain line asks; undefined, with nothing done, where something may be said against it. */
  #editRules(command: EditCommand, text: string, number: number): DocumentKind | undefined {
    const [rule] = rulesOf(command);
    const called = calledChain(rule?.target);
    if (called !== undefined && !findChain(this.#draft.growing, called)) return undefined;
    try {
      const splice = ruleSplice(this.#draft.growing, command, (name) => this.#rulesOf(name));
      if (!splice || this.#refusedChains.has(splice.chain)) return undefined;
      this.#rulesOf(splice.chain).splice(splice);
    } catch (error) {
      if (!(error instanceof TableError)) throw error;
      return undefined;
    }
    if (command.kind === 'insert' && rule) this.places.setLine(rule, this.lines.length);
    this.#last = new LastWord(text, this.#name, number);
    return { kind: 'edit', zeroed: [] };
  }

  /** A line that another notation says; its words are kept with the places of its rules. */
  readWords({ words, span }: SavedWords): void {
    this.lines.add({ text: '', ...this.#readLexed(words, undefined, span) });
  }

  #read(text: string, number: number): DocumentKind {
    if (/^\s*#/.test(text)) return { kind: 'comment' };
    // A byte order mark is kept with its line, and means nothing.
    const plain = number === 1 ? text.replace(/^\ufeff/, ' ') : text;
    const { words, diagnostic } = lexLine(plain, this.#name, number);
    return this.#readLexed(words, diagnostic);
  }

  /** `whole` is where the line stands, if not at its words. */
  #readLexed(
    words: readonly Word[],
    diagnostic: Diagnostic | undefined,
    whole?: Span,
  ): DocumentKind {
    const [start, ...rest] = words;
    if (this.#frame.skips(start)) return { kind: 'other' };
    if (diagnostic) this.#diagnostics.push(diagnostic);
    if (!start || diagnostic) return { kind: 'other' };
    this.#last = words.at(-1) ?? start;
    const around = this.#frame.read(start, words.length === 1);
    if (around) return around;
    if (start.text.startsWith(':') && !start.quoted)
      return this.#readChain([start, ...rest], whole);
    if (/^(-G|--group$)/.test(start.text)) return this.#readGroup(words, start, whole);
    if (isSetLine(start)) return this.#sets.read(words, this.#last);
    return this.#readCommand(words, start, whole);
  }

  /** As iptables-restore: a table that is given again replaces what was said of it. */
  #startAnew(): void {
    this.#settle();
    this.#declared.clear();
    this.#sets.clear();
    this.#draft.become(this.#base);
  }

  #readChain(words: readonly [Word, ...Word[]], whole: Span | undefined): DocumentKind {
    const { name, chain, diagnostic } = parseChainLine(words);
    if (diagnostic) {
      this.#diagnostics.push(diagnostic);
      this.#refusedChains.add(name);
    }
    if (!chain) return { kind: 'other' };
    if (this.#declared.has(name)) {
      this.#report(words[0].span, `chain \`${name}\` is declared twice`);
      return { kind: 'other' };
    }
    this.#asksRules = true;
    this.#declared.add(name);
    this.chains.set(name, whole ?? joinSpans(words[0].span, this.#last.span));
    const declared = declaredChain(chain, findChain(this.#draft.growing, name));
    this.#draft.putChain(declared);
    if (!isBuiltinChain(name)) this.#drafts.delete(name);
    return { kind: 'chain', name, policy: declared.policy, packets: chain.packets };
  }

  #readGroup(words: readonly Word[], start: Word, whole: Span | undefined): DocumentKind {
    const { group, diagnostics } = parseGroupLine(words, start);
    this.#diagnostics.push(...diagnostics);
    if (!group) return { kind: 'other' };
    this.#baseGroups ??= new Map(this.#base.groups.map((each) => [each.name, each]));
    const known = this.#baseGroups.get(group.name);
    const same = known?.id === group.id && known.path === group.path;
    const span = whole ?? joinSpans(start.span, this.#last.span);
    this.groups.set(group.name, span);
    if (!same) this.#attempt(span, () => this.#draft.addGroup(group));
    return { kind: 'group', group };
  }

  #readCommand(words: readonly Word[], start: Word, whole: Span | undefined): DocumentKind {
    const counter = start.text.startsWith('[') ? COUNTERS.exec(start.text)?.[1] : undefined;
    const rest = counter === undefined ? words : words.slice(1);
    const first = rest[0] ?? start;
    const { groups, sets } = this.#draft.growing;
    if (!this.#known()) this.#forms = new KnownForms({ names: this.#names, groups, sets });
    const packets = counter === undefined ? undefined : BigInt(counter);
    const parsed = parseWords(rest, this.#forms.context, first, packets);
    this.#diagnostics.push(...parsed.diagnostics);
    const { command, place, flags, chain } = parsed;
    if (!command) {
      this.#noteRefused(parsed);
      return { kind: 'other' };
    }
    if (!isEdit(command) || flags.file !== undefined || flags.root !== undefined) {
      this.#report(place, 'a save file holds commands that change the table only');
      return { kind: 'other' };
    }
    if (chain && this.#refusedChains.has(chain.text)) return { kind: 'other' };
    const span = whole ?? spanOf(rest, first);
    return this.#carryOut(command, parsed, span, whole && words);
  }

  /** What later lines and the end of the file must know of a line that is wrong. */
  #noteRefused({ verb, chain, reject, diagnostics }: ParsedWords): void {
    if (chain && verb === 'new-chain') this.#refusedChains.add(chain.text);
    if (chain && reject) this.#rejects.add({ chain: chain.text, span: reject, diagnostics });
  }

  #carryOut(
    command: EditCommand,
    parsed: ParsedWords,
    span: Span,
    words: readonly Word[] | undefined,
  ): DocumentKind {
    const { place, target, reject } = parsed;
    const isPut = command.kind === 'append' || command.kind === 'insert';
    if (isPut)
      for (const rule of command.rules)
        this.places.set(rule, { rule: span, target: target?.span, reject, words });
    const missing = this.#missing(command, parsed);
    this.#diagnostics.push(...missing);
    if (missing.length > 0) return { kind: 'other' };
    this.#carriedOut = command;
    if (command.kind === 'append') {
      this.#rulesOf(command.chain).append(command.rules);
      return { kind: 'rules', chain: command.chain, rules: command.rules };
    }
    this.#attempt(place, () => {
      const splice = ruleSplice(this.#draft.growing, command, (name) => this.#rulesOf(name));
      if (splice) this.#rulesOf(splice.chain).splice(splice);
      else this.#editTable(command);
    });
    if (command.kind === 'deny-unseen') return { kind: 'deny-unseen', on: command.on };
    if (command.kind === 'new-chain') this.chains.set(command.chain, span);
    if (command.kind === 'new-chain')
      return { kind: 'chain', name: command.chain, policy: undefined, packets: 0n };
    return { kind: 'edit', zeroed: this.#zeroed(command) };
  }

  #editTable(command: EditCommand): void {
    this.#asksRules = true;
    if (command.kind === 'new-chain') {
      this.#draft.addChain(command.chain);
      return;
    }
    this.#settle();
    this.#draft.become(applyEdit(this.#draft.table, command));
  }

  #zeroed(command: EditCommand): readonly string[] {
    if (command.kind !== 'zero' || command.number !== undefined) return [];
    return command.chain === undefined ? BUILTIN_CHAINS : [command.chain];
  }

  /** Chains may be declared after the rules that call them, but not after those that they hold. */
  #missing(command: Command, { place, chain, target }: ParsedWords): readonly Diagnostic[] {
    const name = 'chain' in command ? command.chain : undefined;
    if (name !== undefined && findChain(this.#draft.growing, name)) {
      if (command.kind === 'append') return [];
    }
    const places = { place, chain: chain?.span, target: target?.span };
    const found = unfitNames(this.#draft.growing, command, places, this.#forms.context, 'file');
    return command.kind === 'append' ? found.filter(({ exit }) => exit === 1) : found;
  }

  /** Ends the lines; whether all they do is edit rules, and nothing is wrong with any. */
  finishEdits(): boolean {
    this.#frame.finish(this.#last.span);
    const isSound = this.#diagnostics.length === 0;
    return isSound && !this.#asksRules && this.#draft.growing === this.#base;
  }

  /** Ends the lines; what is wrong with them, in their order. */
  finish(): readonly Diagnostic[] {
    this.#settle();
    this.#draft.become(this.#sets.into(this.#draft.table));
    const { span } = this.#last;
    this.#frame.finish(span);
    const { table } = this;
    const { dropped, told } = this.#rejects.judge(table);
    const kept = [...this.#diagnostics, ...told].filter((each) => !dropped.has(each));
    const whole = checkTable(table, this, span, this.#refusedChains);
    return [...kept, ...whole].sort(
      (a, b) => a.span.line - b.span.line || a.span.column - b.span.column,
    );
  }

  get table(): Table {
    return this.#draft.table;
  }
}
