/** A rule file that has been read, for its checks. */
import type { Diagnostic, Document, Span } from '@sockfilter/language';
import type { Chain, Rule, Table } from '@sockfilter/table';
import { type Finding, type Place, plainFinding } from './finding.js';
import type { PlacedWord, RuleFile } from './rulefile.js';

function placeOfSpan({ source, line, column, length }: Span): Place {
  return { file: source, line, column, length: Math.max(1, length) };
}

function wordsOf(lines: readonly string[], place: Place): readonly PlacedWord[] {
  const from = place.column - 1;
  const text = (lines[place.line - 1] ?? '').slice(from, from + place.length);
  return [...text.matchAll(/"(?:[^"\\]|\\.)*"|'[^']*'|\S+/g)].map((match) => {
    const [written] = match;
    const column = place.column + match.index;
    const bare = /^(["']).*\1$/.test(written) ? written.slice(1, -1) : written;
    return { text: bare, place: { ...place, column, length: written.length } };
  });
}

/** The rules of lines that say them as they are printed. */
function printedRules({ ruleLines }: Document): ReadonlySet<Rule> {
  const found = new Set<Rule>();
  for (let at = 0; at < ruleLines.length; at++)
    if (ruleLines.printedAt(at) !== undefined)
      for (const rule of ruleLines.rulesAt(at)) found.add(rule);
  return found;
}

/** The file of a document without mistakes, and its table. */
export function documentFile(document: Document, table: Table): RuleFile {
  const { name, text } = document.source;
  const lines = text.split('\n');
  const start: Place = { file: name, line: 1, column: 1, length: 1 };
  const isRule = (owner: Rule | Chain): owner is Rule => 'matches' in owner;
  const placeOf = (owner: Rule | Chain): Place => {
    if (!isRule(owner)) {
      const chain = document.chains.get(owner.name);
      return chain ? placeOfSpan(chain) : start;
    }
    const place = document.places.get(owner);
    return place ? placeOfSpan(place.rule) : start;
  };
  let printed: ReadonlySet<Rule> | undefined;
  return {
    name,
    table,
    placeOf,
    placeOfGroup: (group) => {
      const declared = document.groups.get(group);
      return declared ? placeOfSpan(declared) : start;
    },
    wordsOf: (rule) => {
      const words = document.places.get(rule)?.words;
      if (!words) return wordsOf(lines, placeOf(rule));
      return words.map(({ text: word, span }) => ({ text: word, place: placeOfSpan(span) }));
    },
    isPrinted: (rule) => {
      printed ??= printedRules(document);
      return printed.has(rule);
    },
    saysUnseen: document.lines.some(({ kind }) => kind === 'deny-unseen'),
    comments: document.lines.flatMap(({ kind, text: comment }, at) =>
      kind === 'comment' ? [{ line: at + 1, text: comment }] : [],
    ),
  };
}

/** A mistake of the text as a finding. */
export function mistakeFinding({ message, span, help, notes = [] }: Diagnostic): Finding {
  return {
    ...plainFinding('SF000', placeOfSpan(span), message),
    notes: notes.map((note) => ({ message: note })),
    fix: help,
  };
}
