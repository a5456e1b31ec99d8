/** The lines of a save file that make named sets and add to them. */
import {
  type Diagnostic,
  type DocumentKind,
  joinSpans,
  type Span,
  tableDiagnostic,
  type Word,
} from '@sockfilter/language';
import { findSet, fullSet, type NamedSet, sameSetShape, type Table } from '@sockfilter/table';
import { AddedElements } from './addedelements.js';
import { parseCreate, parseElementLine, takeExist } from './setline.js';

/** How such a line begins: as ipset has them. */
const SET_LINE = /^(create|add|del|flush|destroy|rename|swap|-!|-exist)$/;

/** Whether a line that begins so is about sets. */
export const isSetLine = ({ text, quoted }: Word): boolean => !quoted && SET_LINE.test(text);

interface Hooks {
  readonly table: () => Table;
  readonly diagnose: (diagnostics: readonly Diagnostic[]) => void;
  readonly report: (span: Span, message: string, help?: string) => void;
  /** Adds a set; what the table says against it is reported at the span. */
  readonly add: (span: Span, set: NamedSet) => void;
}

export class SetLines {
  readonly #hooks: Hooks;
  readonly #elements = new AddedElements();

  constructor(hooks: Hooks) {
    this.#hooks = hooks;
  }

  /** Forgets what was added: the table begins anew. */
  clear(): void {
    this.#elements.clear();
  }

  /** The table whose sets have what was added. */
  into(table: Table): Table {
    return this.#elements.into(table);
  }

  /** Adds what a line of the kind says of which there are very many, if nothing is wrong with it. */
  addPlain(text: string): DocumentKind | undefined {
    return this.#elements.addPlain(text, this.#hooks.table());
  }

  /** Reads a line of which `last` is the last word. */
  read(all: readonly Word[], last: Pick<Word, 'span'>): DocumentKind {
    const { exist, words } = takeExist(all);
    const [start, ...rest] = words;
    if (start) {
      const whole = joinSpans(start.span, last.span);
      if (start.text === 'create') return this.#create(start, rest, { exist, whole });
      if (start.text === 'add') return this.#add(start, rest, { exist, whole });
    }
    const message = 'of the commands on sets a save file holds `create` and `add`';
    this.#hooks.report((start ?? last).span, message);
    return { kind: 'other' };
  }

  #create(start: Word, words: readonly Word[], { exist, whole }: Line): DocumentKind {
    const { value: set, diagnostics } = parseCreate(start, words);
    this.#hooks.diagnose(diagnostics);
    if (!set) return { kind: 'other' };
    const known = findSet(this.#hooks.table(), set.name);
    if (known && exist && sameSetShape(known, set)) return { kind: 'other' };
    this.#hooks.add(whole, set);
    return { kind: 'set', set };
  }

  #add(start: Word, words: readonly Word[], { exist, whole }: Line): DocumentKind {
    const { value, diagnostics } = parseElementLine(start, words, (name) =>
      findSet(this.#hooks.table(), name),
    );
    this.#hooks.diagnose(diagnostics);
    if (!value) return { kind: 'other' };
    const { set, elements } = value;
    const { isThere, isFull } = this.#elements.add(set, elements, exist);
    if (isThere) {
      const message = "Element cannot be added to the set: it's already added";
      this.#hooks.report(whole, message, 'write `add -exist`');
    }
    if (isFull) this.#hooks.diagnose([tableDiagnostic(fullSet(set), whole)]);
    return { kind: 'elements', set: set.name, elements };
  }
}

interface Line {
  readonly exist: boolean;
  /** From the command to the last word. */
  readonly whole: Span;
}
