/** What stands around the table in a save file: its own beginning and end, and the tables of iptables. */
import { type DocumentKind, didYouMean, type Span, type Word } from '@sockfilter/language';

/** The tables of iptables. */
const OTHER_TABLES: readonly string[] = ['filter', 'nat', 'mangle', 'raw', 'security'];

interface Hooks {
  readonly report: (span: Span, message: string, help?: string) => void;
  /** The table is given again. */
  readonly startAnew: () => void;
}

/** Where in the file the next line stands. */
export class TableFrame {
  readonly #hooks: Hooks;
  readonly #isInner: boolean;
  /** `other`: in a table of iptables. */
  #state: 'before' | 'inside' | 'other' | 'after' = 'before';
  /** A line `*socket` has come. */
  #isOpened = false;
  #others: { readonly span: Span; readonly names: string[] } | undefined;

  /** `isInner`: all lines are from inside the table. */
  constructor(isInner: boolean, hooks: Hooks) {
    this.#hooks = hooks;
    this.#isInner = isInner;
    if (isInner) this.#state = 'inside';
  }

  get isInside(): boolean {
    return this.#state === 'inside';
  }

  /** Whether the line that begins so is one of a table of iptables. */
  skips(start: Word | undefined): boolean {
    if (this.#state !== 'other') return false;
    if (start?.text === 'COMMIT') this.#state = 'before';
    return !start?.text.startsWith('*');
  }

  /** What a line that begins so says of the table as such; undefined if it is one inside. */
  read(start: Word, isAlone: boolean): DocumentKind | undefined {
    if (this.#isInner && /^(\*.*|COMMIT)$/.test(start.text)) {
      const help = 'leave it out, or give the whole file to `sockfilter restore -n`';
      const message = `\`${start.text}\`: these lines are inside the table already`;
      this.#hooks.report(start.span, message, help);
      return { kind: 'other' };
    }
    if (start.text.startsWith('*')) return this.#open(start);
    this.#requireInside(start);
    if (start.text !== 'COMMIT' || !isAlone) return undefined;
    this.#state = 'after';
    return { kind: 'commit' };
  }

  /** Reports what is missing at the end of the file, which is at the span. */
  finish(span: Span): void {
    if (this.#others) this.#tellOthers(this.#others);
    else if (this.#state === 'before')
      this.#hooks.report(span, 'no table: the file needs a line `*socket`');
    if (this.#state === 'inside' && !this.#isInner)
      this.#hooks.report(span, 'COMMIT expected at the end of the table');
  }

  #open({ text, span }: Word): DocumentKind {
    const name = text.slice(1);
    if (OTHER_TABLES.includes(name)) {
      this.#others ??= { span, names: [] };
      this.#others.names.push(name);
      this.#state = 'other';
      return { kind: 'other' };
    }
    if (name !== 'socket') {
      const help = didYouMean(text, ['*socket']) ?? 'the only table is `*socket`';
      this.#hooks.report(span, `no table \`${name}\``, help);
    } else if (this.#state === 'inside' && this.#isOpened)
      this.#hooks.report(span, 'COMMIT expected before the table is opened again');
    else if (this.#state === 'after') this.#hooks.startAnew();
    this.#state = 'inside';
    this.#isOpened = true;
    return { kind: 'table' };
  }

  #requireInside({ text, span }: Word): void {
    if (this.#state === 'inside') return;
    const help = this.#state === 'before' ? 'start with a line `*socket`' : undefined;
    this.#hooks.report(span, `line ${this.#state} the table: \`${text}\``, help);
    if (this.#state === 'before') this.#state = 'inside';
  }

  #tellOthers({ span, names }: { readonly span: Span; readonly names: readonly string[] }): void {
    const list = names.map((name) => `\`*${name}\``).join(', ');
    const message = `${list} ${names.length > 1 ? 'are tables' : 'is a table'} of iptables: sockfilter restores \`*socket\` alone`;
    this.#hooks.report(span, message, 'keep the other tables in a file of their own');
  }
}
