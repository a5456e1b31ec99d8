/** Findings as a list whose items lead to their places. */
import { escapeUnseen } from '@sockfilter/language';
import type { Finding } from '@sockfilter/policy';

function paragraph(text: string, className: string): HTMLElement {
  const element = document.createElement('p');
  element.className = className;
  element.textContent = escapeUnseen(text);
  return element;
}

interface Deeds {
  readonly show: (finding: Finding) => void;
  /** Asks about the call that proves the finding. */
  readonly ask: (command: string) => void;
}

export function findingItem(finding: Finding, { show, ask }: Deeds): HTMLElement {
  const { code, severity, place, message, notes, witness, fix } = finding;
  const item = document.createElement('li');
  item.className = severity;
  const head = document.createElement('button');
  head.type = 'button';
  head.textContent = escapeUnseen(`${place.line}: ${severity} ${code}: ${message}`);
  head.addEventListener('click', () => show(finding));
  item.append(head, ...notes.map((note) => paragraph(note.message, 'note')));
  if (fix !== undefined) item.append(paragraph(`fix: ${fix}`, 'fix'));
  if (witness) {
    const example = document.createElement('button');
    example.type = 'button';
    example.className = 'call';
    example.textContent = escapeUnseen(`for example ${witness.call}`);
    example.addEventListener('click', () => ask(witness.command));
    item.append(example);
  }
  return item;
}
