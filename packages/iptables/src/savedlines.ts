/**
 * The lines of a file as it is read. A line that goes as one before it is kept as its rule and where it stands: most files
 * have hardly any other, and most readers ask what these say and not for the lines.
 */
import type { DocumentKind, DocumentLine, RuleLines } from '@sockfilter/language';
import { elementAt, type Rule } from '@sockfilter/table';

/** A line with one rule, cut out of the file's text when somebody asks for it. */
export interface RecentLine {
  readonly chain: string;
  readonly rule: Rule;
  /** Where in the line the rule stands as it is printed; undefined if it is not said so. */
  readonly printedFrom: number | undefined;
}

const NOT_PRINTED = -1;

export class SavedLines implements RuleLines {
  readonly #source: string;
  /** A rule is a line that says it. */
  readonly #lines: (DocumentLine | Rule)[] = [];
  /** Of lines that are rules: where they begin, their chain, and how far behind that they are as printed. */
  readonly #starts: number[] = [];
  readonly #chains: string[] = [];
  readonly #printedFrom: number[] = [];
  #made: readonly DocumentLine[] = [];

  /** @param source the text in which lines stand that are not added as they are */
  constructor(source: string) {
    this.#source = source;
  }

  get length(): number {
    return this.#lines.length;
  }

  add(line: DocumentLine): void {
    this.#lines.push(line);
    this.#starts.push(0);
    this.#chains.push('');
    this.#printedFrom.push(NOT_PRINTED);
  }

  addRecent({ chain, rule, printedFrom = NOT_PRINTED }: RecentLine, start: number): void {
    this.#lines.push(rule);
    this.#starts.push(start);
    this.#chains.push(chain);
    this.#printedFrom.push(printedFrom);
  }

  chainAt(n: number): string | undefined {
    const line = elementAt(this.#lines, n);
    if (!('kind' in line)) return elementAt(this.#chains, n);
    return line.kind === 'rules' ? line.chain : undefined;
  }

  rulesAt(n: number): readonly Rule[] {
    const line = elementAt(this.#lines, n);
    if (!('kind' in line)) return [line];
    return line.kind === 'rules' ? line.rules : [];
  }

  otherAt(n: number): DocumentKind | undefined {
    const line = elementAt(this.#lines, n);
    return 'kind' in line && line.kind !== 'rules' ? line : undefined;
  }

  printedAt(n: number): string | undefined {
    const line = elementAt(this.#lines, n);
    if ('kind' in line) return undefined;
    const from = elementAt(this.#printedFrom, n);
    return from === NOT_PRINTED ? undefined : this.#cut(n, from);
  }

  textAt(n: number): string {
    const line = elementAt(this.#lines, n);
    return 'kind' in line ? line.text : this.#cut(n, 0);
  }

  #cut(n: number, from: number): string {
    const start = elementAt(this.#starts, n);
    const end = this.#source.indexOf('\n', start);
    return this.#source.slice(start + from, end < 0 ? this.#source.length : end);
  }

  /** All lines, the same objects each time. */
  get all(): readonly DocumentLine[] {
    if (this.#made.length !== this.length) this.#made = this.#lines.map((_, n) => this.#lineAt(n));
    return this.#made;
  }

  #lineAt(n: number): DocumentLine {
    const line = elementAt(this.#lines, n);
    if ('kind' in line) return line;
    const chain = elementAt(this.#chains, n);
    return { text: this.#cut(n, 0), kind: 'rules', chain, rules: [line] };
  }
}
