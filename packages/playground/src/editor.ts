/** A text area with numbers of lines, and marks behind the text where something is to be said. */
import type { Finding } from '@sockfilter/policy';

/** The element of the page with the id, which is of the kind. */
export function part<T extends Element>(id: string, kind: { new (): T }): T {
  const element = document.getElementById(id);
  if (!(element instanceof kind)) throw new TypeError(`the page has no ${id}`);
  return element;
}

export class Editor {
  readonly #area = part('rules', HTMLTextAreaElement);
  readonly #marks = part('marks', HTMLElement);
  readonly #numbers = part('numbers', HTMLElement);

  constructor(changed: () => void) {
    this.#area.addEventListener('input', () => {
      // What was found stands at places of the text before.
      this.mark([]);
      changed();
    });
    this.#area.addEventListener('scroll', () => this.#follow());
  }

  get text(): string {
    return this.#area.value;
  }

  set text(text: string) {
    this.#area.value = text;
    this.mark([]);
  }

  /** Marks the places; of findings at one place the first. */
  mark(findings: readonly Finding[]): void {
    const lines = this.text.split('\n');
    const pieces = lines.flatMap((line, at): readonly (Node | string)[] => {
      const here = findings
        .filter(({ place }) => place.line === at + 1)
        .toSorted((a, b) => a.place.column - b.place.column);
      const row: (Node | string)[] = [];
      let done = 0;
      for (const { place, severity } of here) {
        const from = place.column - 1;
        if (from < done) continue;
        const mark = document.createElement('mark');
        mark.className = severity;
        mark.textContent = line.slice(from, from + place.length);
        row.push(line.slice(done, from), mark);
        done = from + place.length;
      }
      return [...row, `${line.slice(done)}\n`];
    });
    this.#marks.replaceChildren(...pieces);
    this.#numbers.textContent = lines.map((_, at) => `${at + 1}\n`).join('');
    this.#follow();
  }

  #follow(): void {
    const { scrollTop, scrollLeft } = this.#area;
    this.#marks.scrollTop = scrollTop;
    this.#marks.scrollLeft = scrollLeft;
    this.#numbers.scrollTop = scrollTop;
  }

  /** Selects a place and brings it into sight. */
  select({ line, column, length }: Finding['place']): void {
    const before = this.text.split('\n').slice(0, line - 1);
    const from = before.reduce((sum, each) => sum + each.length + 1, 0) + column - 1;
    const area = this.#area;
    area.focus();
    area.setSelectionRange(from, from + length);
    area.scrollTop = (area.scrollHeight / Math.max(1, this.text.split('\n').length)) * (line - 4);
    this.#follow();
  }
}
