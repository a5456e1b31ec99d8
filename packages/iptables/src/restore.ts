/** Reading save files, as iptables-restore does, but with every mistake of the file at once. */
import {
  type Diagnostic,
  type Document,
  noteOddCharacters,
  type Source,
} from '@sockfilter/language';
import type { Table } from '@sockfilter/table';
import { type RuleDrafts, type SaveContext, type SavedWords, SaveReader } from './savereader.js';

export interface ParsedSave {
  readonly document: Document;
  /** What the sound lines say; to be used only if there is no diagnostic. */
  readonly table: Table;
  readonly diagnostics: readonly Diagnostic[];
}

function finish(
  reader: SaveReader,
  source: Source,
  { names, firstLine = 1 }: SaveContext,
): ParsedSave {
  const { lines, places, chains, groups } = reader;
  const diagnostics = noteOddCharacters(reader.finish(), (line) =>
    line - firstLine < lines.length ? lines.textAt(line - firstLine) : '',
  );
  const { table } = reader;
  const document: Document = {
    source,
    get lines() {
      return lines.all;
    },
    ruleLines: lines,
    places,
    chains,
    groups,
    names,
  };
  return { document, table, diagnostics };
}

function readLines(reader: SaveReader, text: string, firstLine = 1): void {
  let number = firstLine;
  let start = 0;
  for (let end = 0; end >= 0; start = end + 1) {
    end = text.indexOf('\n', start);
    reader.readLine(text.slice(start, end < 0 ? text.length : end), number++, start);
    if (end < 0) break;
  }
}

/** Reads a save file. It never throws: what is wrong is in the diagnostics, in the file's order. */
export function parseSave(text: string, name: string, context: SaveContext): ParsedSave {
  const source: Source = { name, text };
  const reader = new SaveReader(source, context);
  readLines(reader, text, context.firstLine);
  return finish(reader, source, context);
}

/**
 * Has lines that edit rules change those of a table that has none itself. False where they do anything else, or something is
 * wrong with one: then what has become of the rules is nothing to go by.
 */
export function editDrafts(
  text: string,
  context: SaveContext & { readonly base: Table },
  drafts: RuleDrafts,
): boolean {
  const reader = new SaveReader({ name: '', text }, context, drafts);
  readLines(reader, text, context.firstLine);
  return reader.finishEdits();
}

/** Reads what another notation says, in the words of a save file. */
export function parseSaveWords(
  source: Source,
  lines: readonly SavedWords[],
  context: SaveContext,
): ParsedSave {
  const reader = new SaveReader(source, context);
  for (const line of lines) reader.readWords(line);
  return finish(reader, source, context);
}
