/** Of the rules of a table that is kept as its text those that hooks, and what chains may call, can tell from each other. */
import type { Chain, Rule, Table } from '@sockfilter/table';
import type { KeptTable } from './opentable.js';

/** A rule in the stead of what stands in a chain from `at` up to `next`, or none. */
interface LineEdit {
  readonly chain: string;
  readonly at: number;
  readonly next: number;
  readonly rule: Rule | undefined;
}

const PROTOCOL = /(?:! )?-p \S+/;

/** The target and the protocol of a line without quotes. */
function kindOf(line: string): string {
  const target = line.slice(Math.max(line.lastIndexOf(' -j '), line.lastIndexOf(' -g '), 0));
  return `${PROTOCOL.exec(line)?.[0] ?? ''}${target}`;
}

/** Of the lines with the same target and protocol one. */
function sampleLines(text: string): readonly string[] {
  const lines = new Map<string, string>();
  for (let at = 0; at < text.length; ) {
    const next = text.indexOf('\n', at) + 1;
    const line = text.slice(at, next);
    lines.set(line.includes('"') ? line : kindOf(line), line);
    at = next;
  }
  return [...lines.values()];
}

/** Rules by which hooks tell what they are needed for; after an edit, of which the new rule is there. */
export function sampleOf(table: KeptTable, edit?: LineEdit): Table {
  const { slice, spans } = table.kept;
  const lines: string[] = [];
  let place = 0;
  for (const { name, start, end } of spans()) {
    const isEdited = name === edit?.chain;
    const before = sampleLines(slice(start, isEdited ? edit.at : end));
    lines.push(...before);
    if (!isEdited) continue;
    place = before.length;
    lines.push(...sampleLines(slice(edit.next, end)));
  }
  const sample = table.read(lines.join(''));
  const rule = edit?.rule;
  if (!rule) return sample;
  const put = (chain: Chain) =>
    chain.name === edit.chain ? { ...chain, rules: chain.rules.toSpliced(place, 0, rule) } : chain;
  return { ...sample, chains: sample.chains.map(put) };
}
