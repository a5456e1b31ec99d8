/** A draft as a rule file: what the language does not take is judged by what its absence would do. */
import { editSave, parseSave } from '@sockfilter/iptables';
import { type Diagnostic, NO_NAMES } from '@sockfilter/language';
import { registerPaths } from '@sockfilter/table';
import { type Draft, type DraftLine, type Invariant, printPlace, type Remark } from './draft.js';

export interface Imported {
  /** The rule file. */
  readonly text: string;
  readonly remarks: readonly Remark[];
  readonly invariants: readonly Invariant[];
}

interface Row {
  readonly text: string;
  readonly line?: DraftLine;
}

function rowsOf({ chains, lines, remarks }: Draft): readonly Row[] {
  const rows: Row[] = [
    { text: '*socket' },
    ...chains.map((name) => ({ text: `:${name} - [0:0]` })),
  ];
  const told = remarks.filter(({ fate }) => fate === 'narrowed');
  let next = 0;
  for (const line of lines) {
    for (let each = told[next]; each && !isAfter(each, line); each = told[++next])
      rows.push({ text: `# narrowed: ${printPlace(each)}: ${each.reason}` });
    rows.push({ text: line.text, line });
  }
  return [...rows, { text: 'COMMIT' }];
}

function isAfter(remark: Remark, line: DraftLine): boolean {
  // A policy stands at the end of its chain.
  return remark.file !== line.file || (line.line > 0 && remark.line > line.line);
}

function judge(line: DraftLine, { code, message }: Diagnostic): Remark {
  const { file, line: number, place: at, original: text, refuses } = line;
  const place = { file, line: number, place: at, text };
  // What no packet of the chain can have decides about none of its calls.
  if (code === 'not-in-chain') return { ...place, fate: 'moot', reason: message };
  return { ...place, fate: refuses ? 'wider' : 'narrowed', reason: message };
}

/**
 * The rule file of the draft, with the groups that its paths need. They get the ids from `firstId` on that the
 * file does not use: the same on every host.
 */
export function finishDraft(draft: Draft, firstId = 1): Imported {
  const unsaid: Remark[] = [];
  for (let rows = rowsOf(draft); ; ) {
    const text = `${rows.map((row) => row.text).join('\n')}\n`;
    const { table, document, diagnostics } = parseSave(text, 'import', { names: NO_NAMES });
    const faulty = new Map<number, Diagnostic>();
    for (const each of diagnostics)
      if (!faulty.has(each.span.line)) faulty.set(each.span.line, each);
    if (faulty.size === 0) {
      const registered = registerPaths(table, firstId - 1);
      const kept = new Set(rows.map(({ line }) => line && `${line.file}:${line.line}`));
      const remarks = [
        ...draft.remarks,
        // It says nothing of a line that another chain of ours has.
        ...unsaid.filter(({ file, line, fate }) => fate !== 'moot' || !kept.has(`${file}:${line}`)),
      ];
      remarks.sort((a, b) => (a.file === b.file ? a.line - b.line : 0));
      return { text: editSave(document, registered), remarks, invariants: draft.invariants };
    }
    for (const [number, diagnostic] of faulty) {
      const line = rows[number - 1]?.line;
      if (!line) throw new Error(`an import makes no rule file: ${diagnostic.message}`);
      unsaid.push(judge(line, diagnostic));
    }
    rows = rows.filter((_, at) => !faulty.has(at + 1));
  }
}
