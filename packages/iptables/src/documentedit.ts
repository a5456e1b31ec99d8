/** Bringing a save file up to date with an edited table, line by line. */
import { findChain, type Group, isBuiltinChain, type Rule, type Table } from '@sockfilter/table';
import type { Document, DocumentLine } from './document.js';
import { printGroup } from './groupline.js';
import { printRule } from './print.js';
import { parseSave } from './restore.js';
import { printChainLine, printSave } from './save.js';

/** Adds to the list at the key. */
function push<K>(map: Map<K, string[]>, at: K, text: string): void {
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

/** A place for new text: in the stead of a removed rule, after a kept one, or before a line. */
type Spot = { readonly rule: Rule } | { readonly line: number };

/**
 * Where each new rule goes. Between two rules that stay, new ones take the places of removed ones;
 * where nothing was removed they follow their predecessor, or else stand before their successor.
 */
function placeRules(lines: readonly DocumentLine[], table: Table, end: number) {
  const placed: { readonly spot: Spot; readonly text: string }[] = [];
  const lineOf = new Map<Rule, number>();
  const old = new Map<string, Rule[]>();
  const position = new Map<Rule, number>();
  lines.forEach((line, at) => {
    if (line.kind !== 'rules') return;
    const rules = old.get(line.chain) ?? [];
    old.set(line.chain, rules);
    for (const rule of line.rules) {
      lineOf.set(rule, at);
      position.set(rule, rules.push(rule) - 1);
    }
  });
  for (const { name, rules } of table.chains) {
    const kept = new Set(rules.filter((rule) => lineOf.has(rule)));
    const [first] = kept;
    const line = first && lines[lineOf.get(first) ?? -1];
    const before = old.get(line?.kind === 'rules' ? line.chain : name) ?? [];
    let free: Rule[] = [];
    /** Where the next text goes that takes no removed rule's place. */
    let spot: Spot = { line: first ? aboveComments(lines, lineOf.get(first) ?? end) : end };
    const enter = (anchor: Rule | undefined) => {
      free = [];
      for (let at = anchor ? (position.get(anchor) ?? -1) + 1 : 0; at < before.length; at++) {
        const removed = before[at];
        if (!removed || kept.has(removed)) break;
        free.push(removed);
      }
      if (anchor) spot = { rule: anchor };
    };
    enter(undefined);
    for (const rule of rules) {
      if (kept.has(rule)) {
        enter(rule);
        continue;
      }
      const stead = free.shift();
      if (stead) spot = { rule: stead };
      placed.push({ spot, text: printRule(name, rule) });
    }
  }
  return placed;
}

function edit({ lines }: Document, table: Table): string {
  const before = new Map<number, string[]>();
  const after = new Map<number, string[]>();
  const atRule = new Map<Rule, string[]>();
  const lastOf = (...kinds: readonly DocumentLine['kind'][]) =>
    lines.findLastIndex(({ kind }) => kinds.includes(kind));
  const commit = lastOf('commit');
  for (const { spot, text } of placeRules(lines, table, commit < 0 ? lines.length - 1 : commit)) {
    if ('rule' in spot) push(atRule, spot.rule, text);
    else push(before, spot.line, text);
  }
  const chains = lastOf('chain', 'table');
  const groups = lastOf('group');
  for (const text of newChainLines(lines, table)) push(after, chains, text);
  for (const group of table.groups) {
    const known = lines.some((line) => line.kind === 'group' && sameGroup(line.group, group));
    if (!known) push(after, groups < 0 ? chains : groups, printGroup(group));
  }
  const chainOf = new Map<Rule, string>();
  for (const { name, rules } of table.chains) for (const rule of rules) chainOf.set(rule, name);

  function keepRules(line: DocumentLine & { readonly kind: 'rules' }): readonly string[] {
    const last = line.rules.at(-1);
    const untouched = line.rules.every(
      (rule) => chainOf.get(rule) === line.chain && (rule === last || !atRule.has(rule)),
    );
    if (untouched && last) return [line.text, ...(atRule.get(last) ?? [])];
    return line.rules.flatMap((rule) => {
      const chain = chainOf.get(rule);
      const own = chain === undefined ? [] : [printRule(chain, rule)];
      return [...own, ...(atRule.get(rule) ?? [])];
    });
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
      case 'rules':
        return keepRules(line);
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
 * whose rules are still the same objects stay; lines of removed rules vanish; new rules stand in the
 * place of those that they replace, or after their predecessor in the chain. Only where that can't be had, because the file itself edits
 * what it has declared (`-D`, `-F`), is the whole table printed anew.
 */
export function editDocument(document: Document, table: Table): string {
  const text = edit(document, table);
  const again = parseSave(text, document.source.name, { names: document.names });
  const wanted = printSave(table);
  return again.diagnostics.length === 0 && printSave(again.table) === wanted ? text : wanted;
}
