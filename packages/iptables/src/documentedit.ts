/** Bringing a save file up to date with an edited table, line by line. */
import { findChain, type Group, isBuiltinChain, type Rule, type Table } from '@sockfilter/table';
import type { Document, DocumentLine } from './document.js';
import { printGroup } from './groupline.js';
import { printRule } from './print.js';
import { parseSave } from './restore.js';
import { printChainLine, printSave } from './save.js';

/** Adds to the list at the key. */
function push(map: Map<number, string[]>, at: number, text: string): void {
  const list = map.get(at);
  if (list) list.push(text);
  else map.set(at, [text]);
}

/** The first of the comment lines that stand directly above the line, or the line itself. */
function aboveComments(lines: readonly DocumentLine[], at: number): number {
  let first = at;
  while (lines[first - 1]?.kind === 'comment') first--;
  return first;
}

function sameGroup(a: Group, b: Group): boolean {
  return a.name === b.name && a.id === b.id && a.path === b.path;
}

/** The chain lines that the table needs and the file does not have yet. */
function newChainLines(lines: readonly DocumentLine[], table: Table): readonly string[] {
  const named = new Set(lines.map((line) => (line.kind === 'chain' ? line.name : undefined)));
  return table.chains
    .filter(({ name, policy }) => !named.has(name) && policy !== 'ACCEPT')
    .map(({ name, policy }) => printChainLine(name, policy));
}

function edit(document: Document, table: Table): string {
  const { lines } = document;
  const before = new Map<number, string[]>();
  const after = new Map<number, string[]>();
  const lineOf = new Map<Rule, number>();
  lines.forEach((line, at) => {
    if (line.kind === 'rules') for (const rule of line.rules) lineOf.set(rule, at);
  });
  const chainOf = new Map<Rule, string>();
  for (const { name, rules } of table.chains) for (const rule of rules) chainOf.set(rule, name);
  const lastOf = (...kinds: readonly DocumentLine['kind'][]) =>
    lines.findLastIndex(({ kind }) => kinds.includes(kind));
  const commit = lastOf('commit');
  const end = commit < 0 ? lines.length - 1 : commit;

  for (const { name, rules } of table.chains) {
    let anchor: number | undefined;
    const next = rules.map((rule) => lineOf.get(rule)).find((at) => at !== undefined);
    for (const rule of rules) {
      const at = lineOf.get(rule);
      if (at !== undefined) anchor = at;
      else if (anchor !== undefined) push(after, anchor, printRule(name, rule));
      else
        push(before, next === undefined ? end : aboveComments(lines, next), printRule(name, rule));
    }
  }
  for (const text of newChainLines(lines, table)) push(after, lastOf('chain', 'table'), text);
  for (const group of table.groups) {
    const known = lines.some((line) => line.kind === 'group' && sameGroup(line.group, group));
    const chains = lastOf('chain', 'table');
    const groups = lastOf('group');
    if (!known) push(after, groups < 0 ? chains : groups, printGroup(group));
  }

  function keep(line: DocumentLine): readonly string[] {
    switch (line.kind) {
      case 'chain': {
        const chain = findChain(table, line.name);
        if (!chain) return [];
        const same = !isBuiltinChain(line.name) || chain.policy === line.policy;
        return [same ? line.text : printChainLine(line.name, chain.policy)];
      }
      case 'group':
        return table.groups.some((group) => sameGroup(line.group, group)) ? [line.text] : [];
      case 'rules': {
        const kept = line.rules.filter((rule) => chainOf.has(rule));
        const untouched =
          kept.length === line.rules.length &&
          kept.every((rule) => chainOf.get(rule) === line.chain);
        if (untouched && kept.length > 0) return [line.text];
        return kept.map((rule) => printRule(chainOf.get(rule) ?? line.chain, rule));
      }
      default:
        return [line.text];
    }
  }

  return lines
    .flatMap((line, at) => [...(before.get(at) ?? []), ...keep(line), ...(after.get(at) ?? [])])
    .join('\n');
}

/**
 * The file's text for the new table: comments, blank lines, order and the very text of the lines
 * whose rules are still the same objects stay; lines of removed rules vanish; new rules stand after
 * their predecessor in the chain. Only where that can't be had, because the file itself edits
 * what it has declared (`-D`, `-F`), is the whole table printed anew.
 */
export function editDocument(document: Document, table: Table): string {
  const text = edit(document, table);
  const again = parseSave(text, document.source.name, { names: document.names });
  const wanted = printSave(table);
  return again.diagnostics.length === 0 && printSave(again.table) === wanted ? text : wanted;
}
