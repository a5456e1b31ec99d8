/** Changes of a rule file that keep its meaning, as edits of its text. */
import type { Finding } from '@sockfilter/policy';
import type { Opened } from './opened.js';
import type { NamedPlace } from './symbols.js';

/** Lines and characters count from 0; the end is not in it. */
export interface Edit {
  readonly range: {
    readonly start: { readonly line: number; readonly character: number };
    readonly end: { readonly line: number; readonly character: number };
  };
  readonly newText: string;
}

function edit(line: number, from: number, to: number, newText: string): Edit {
  return {
    range: { start: { line, character: from }, end: { line, character: to } },
    newText,
  };
}

/** The text with edits of which no two touch, none over several lines but whole ones. */
function applied(text: string, edits: readonly Edit[]): string {
  const lines = text.split('\n');
  const starts: number[] = [];
  let at = 0;
  for (const line of lines) {
    starts.push(at);
    at += line.length + 1;
  }
  const offset = ({ line, character }: Edit['range']['start']) => (starts[line] ?? at) + character;
  const later = edits.toSorted((a, b) => offset(b.range.start) - offset(a.range.start));
  return later.reduce(
    (done, { range, newText }) =>
      done.slice(0, offset(range.start)) + newText + done.slice(offset(range.end)),
    text,
  );
}

/** What the chain or group would be called everywhere; undefined where the file would not be read as before. */
export function renamed(
  opened: Opened,
  { kind, name }: NamedPlace,
  to: string,
): readonly Edit[] | undefined {
  const same = opened.symbols.filter((each) => each.kind === kind && each.name === name);
  if (!same.some(({ declares }) => declares) || /\s/.test(to) || to === '') return undefined;
  if (opened.symbols.some((each) => each.kind === kind && each.name === to)) return undefined;
  const edits = same.map(({ line, start, end }) => edit(line, start, end, to));
  // Groups' names are no part of what a change means, chains' neither: only the verdicts are.
  const text = applied(opened.text, edits);
  const isSame = kind === 'chain' ? opened.meansTheSame(text) : opened.readsWith(text);
  return isSame ? edits : undefined;
}

/** Words with one blank between them and none around: nothing that is said changes, comments neither. */
export function formatted(opened: Opened): readonly Edit[] {
  if (!opened.isText || opened.mistakes.length > 0) return [];
  const edits = opened.text.split('\n').flatMap((text, line) => {
    const isComment = /^\s*#/.test(text);
    const words = text.match(/"(?:[^"\\]|\\.)*"|[^\s"]+|"/g) ?? [];
    const neat = isComment ? text.trimEnd() : spaced(text, words);
    return neat === text ? [] : [edit(line, 0, text.length, neat)];
  });
  return opened.saysTheSame(applied(opened.text, edits)) ? edits : [];
}

/** Words that touch stay together. */
function spaced(text: string, words: readonly string[]): string {
  let at = 0;
  let neat = '';
  for (const word of words) {
    const start = text.indexOf(word, at);
    neat += `${start > at && neat !== '' ? ' ' : ''}${word}`;
    at = start + word.length;
  }
  return neat;
}

export interface Fix {
  readonly title: string;
  readonly edits: readonly Edit[];
}

/** What mends the finding: the word that may be meant, or a rule's line less where no call would notice. */
export function fixesOf(opened: Opened, { fix, place }: Finding): readonly Fix[] {
  const line = place.line - 1;
  const start = place.column - 1;
  const meant = /did you mean `([^`]+)`/.exec(fix ?? '')?.[1];
  if (meant !== undefined) {
    const edits = [edit(line, start, start + place.length, meant)];
    return [{ title: `Write ${meant}`, edits }];
  }
  if (opened.mistakes.length > 0 || opened.rulesAt(line).length === 0) return [];
  const gone: Edit = {
    range: { start: { line, character: 0 }, end: { line: line + 1, character: 0 } },
    newText: '',
  };
  if (!opened.meansTheSame(applied(opened.text, [gone]))) return [];
  return [{ title: 'Delete the rule: no call gets another verdict', edits: [gone] }];
}
