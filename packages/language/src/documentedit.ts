/** Bringing a save file up to date with an edited table, line by line. */
import {
  type Chain,
  elementAt,
  elementKey,
  findChain,
  findSet,
  type Group,
  isBuiltinChain,
  type NamedSet,
  type Rule,
  type SetElement,
  sameElement,
  sameSetShape,
  sameTarget,
  type Table,
} from '@sockfilter/table';
import type { Document, DocumentLine } from './document.js';
import type { Names } from './names.js';

/** How a notation that has one rule, chain or group on each line writes them. */
export interface LineNotation {
  readonly chainLine: (name: string, policy: Chain['policy'], packets: bigint) => string;
  readonly groupLine: (group: Group) => string;
  readonly setLine: (set: NamedSet) => string;
  readonly elementLine: (set: NamedSet, element: SetElement) => string;
  readonly denyUnseenLine: string;
  readonly ruleLine: (chain: string, rule: Rule) => string;
  /** The line with another count before its rules; undefined if that count does not stand there. */
  readonly recount: (text: string, from: bigint, to: bigint) => string | undefined;
  readonly print: (table: Table) => string;
  /** Undefined for text with a mistake. */
  readonly parse: (text: string, name: string, names: Names) => Table | undefined;
}

/** How the lines of the file end: as the first one does. */
function endingOf(text: string): '\n' | '\r\n' {
  return /^[^\n]*\r\n/.test(text) ? '\r\n' : '\n';
}

/** The notation with new lines that end as those of the text do. */
function withEnding(notation: LineNotation, text: string): LineNotation {
  if (endingOf(text) === '\n') return notation;
  return {
    ...notation,
    chainLine: (...words) => `${notation.chainLine(...words)}\r`,
    groupLine: (group) => `${notation.groupLine(group)}\r`,
    setLine: (set) => `${notation.setLine(set)}\r`,
    elementLine: (...words) => `${notation.elementLine(...words)}\r`,
    denyUnseenLine: `${notation.denyUnseenLine}\r`,
    ruleLine: (...words) => `${notation.ruleLine(...words)}\r`,
  };
}

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
function newChainLines(
  lines: readonly DocumentLine[],
  table: Table,
  notation: LineNotation,
): readonly string[] {
  const named = new Set(lines.map((line) => (line.kind === 'chain' ? line.name : undefined)));
  return table.chains
    .filter(
      ({ name, policy, packets }) => !named.has(name) && (policy !== 'ACCEPT' || packets > 0n),
    )
    .map(({ name, policy, packets }) => notation.chainLine(name, policy, packets));
}

/**
 * What a rule is known by here: an edit that changes its counter or its target's name alone makes a
 * new object with the same matches.
 */
type RuleKey = Rule['matches'];

type RulesLine = DocumentLine & { readonly kind: 'rules' };

/** A place for new text: in the stead of a removed rule, after a kept one, or before a line. */
type Spot = { readonly rule: RuleKey } | { readonly line: number };

/**
 * Where each new rule goes. Between two rules that stay, new ones take the places of removed ones;
 * where nothing was removed they follow their predecessor, or else stand before their successor.
 */
function placeRules(
  lines: readonly DocumentLine[],
  table: Table,
  notation: LineNotation,
  end: number,
) {
  const placed: { readonly spot: Spot; readonly text: string }[] = [];
  const lineOf = new Map<RuleKey, number>();
  const old = new Map<string, RuleKey[]>();
  const position = new Map<RuleKey, number>();
  lines.forEach((line, at) => {
    if (line.kind !== 'rules') return;
    const rules = old.get(line.chain) ?? [];
    old.set(line.chain, rules);
    for (const { matches } of line.rules) {
      lineOf.set(matches, at);
      position.set(matches, rules.push(matches) - 1);
    }
  });
  for (const { name, rules } of table.chains) {
    const kept = new Set(rules.map(({ matches }) => matches).filter((key) => lineOf.has(key)));
    const [first] = kept;
    const line = first && lines[lineOf.get(first) ?? -1];
    const before = old.get(line?.kind === 'rules' ? line.chain : name) ?? [];
    let free: RuleKey[] = [];
    /** Where the next text goes that takes no removed rule's place. */
    let spot: Spot = { line: first ? aboveComments(lines, lineOf.get(first) ?? end) : end };
    const enter = (anchor: RuleKey | undefined) => {
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
      if (kept.has(rule.matches)) {
        enter(rule.matches);
        continue;
      }
      const stead = free.shift();
      if (stead) spot = { rule: stead };
      placed.push({ spot, text: notation.ruleLine(name, rule) });
    }
  }
  return placed;
}

type SetLine = DocumentLine & { readonly kind: 'set' };
type ElementsLine = DocumentLine & { readonly kind: 'elements' };

/** What becomes of the lines of sets, and where new ones go: behind the last line of their set. */
function placeSets(lines: readonly DocumentLine[], table: Table, notation: LineNotation) {
  const stated = new Map<string, { readonly set: NamedSet; last: number }>();
  const written = new Map<string, Set<string>>();
  lines.forEach((line, at) => {
    if (line.kind === 'set') stated.set(line.set.name, { set: line.set, last: at });
    if (line.kind !== 'elements') return;
    const of = stated.get(line.set);
    if (of) of.last = at;
    const keys = written.get(line.set) ?? new Set();
    written.set(line.set, keys);
    for (const element of line.elements) keys.add(elementKey(element));
  });
  /** What each set of the file is now; a new name in the stead of one that is gone is the same set. */
  const nowOf = new Map<string, NamedSet>();
  const oldOf = new Map<NamedSet, { readonly set: NamedSet; readonly last: number }>();
  [...stated.values()].forEach((old, at) => {
    const { name } = old.set;
    const instead = table.sets[at];
    const renamed = instead && !stated.has(instead.name) ? instead : undefined;
    const now = findSet(table, name) ?? renamed;
    if (!now || !sameSetShape(now, old.set)) return;
    nowOf.set(name, now);
    oldOf.set(now, old);
  });
  const added: string[] = [];
  const after: (readonly [line: number, text: string])[] = [];
  const current = new Map<NamedSet, ReadonlyMap<string, SetElement>>();
  for (const set of table.sets) {
    const elements = new Map(set.elements.map((element) => [elementKey(element), element]));
    current.set(set, elements);
    const old = oldOf.get(set);
    const place = old?.last;
    if (place === undefined) added.push(notation.setLine(set));
    for (const [key, element] of elements) {
      if (old && written.get(old.set.name)?.has(key)) continue;
      const text = notation.elementLine(set, element);
      if (place === undefined) added.push(text);
      else after.push([place, text]);
    }
  }

  function keepSet({ set, text }: SetLine): readonly string[] {
    const now = nowOf.get(set.name);
    if (!now) return [];
    return [now.name === set.name ? text : notation.setLine(now)];
  }

  function keepElements({ set: name, elements, text }: ElementsLine): readonly string[] {
    const now = nowOf.get(name);
    if (!now) return [];
    const found = elements.map((element) => current.get(now)?.get(elementKey(element)));
    const isSame = now.name === name;
    if (
      isSame &&
      found.every((each, n) => each !== undefined && sameElement(each, elementAt(elements, n)))
    )
      return [text];
    return found.flatMap((each) => (each ? [notation.elementLine(now, each)] : []));
  }

  return { added, after, keepSet, keepElements };
}

function edit({ lines }: Document, table: Table, notation: LineNotation): string {
  const before = new Map<number, string[]>();
  const after = new Map<number, string[]>();
  const afterRule = new Map<RuleKey, string[]>();
  const lastOf = (...kinds: readonly DocumentLine['kind'][]) =>
    lines.findLastIndex(({ kind }) => kinds.includes(kind));
  const commit = lastOf('commit');
  for (const { spot, text } of placeRules(
    lines,
    table,
    notation,
    commit < 0 ? lines.length - 1 : commit,
  )) {
    if ('rule' in spot) push(afterRule, spot.rule, text);
    else push(before, spot.line, text);
  }
  const chains = lastOf('chain', 'table');
  const groups = lastOf('group');
  for (const text of newChainLines(lines, table, notation)) push(after, chains, text);
  if (table.denyUnseen && !lines.some((line) => line.kind === 'deny-unseen' && line.on))
    push(after, chains, notation.denyUnseenLine);
  for (const group of table.groups) {
    const known = lines.some((line) => line.kind === 'group' && sameGroup(line.group, group));
    if (!known) push(after, groups < 0 ? chains : groups, notation.groupLine(group));
  }
  const sets = placeSets(lines, table, notation);
  const firstSet = lastOf('set', 'elements');
  for (const text of sets.added)
    push(after, firstSet < 0 ? (groups < 0 ? chains : groups) : firstSet, text);
  for (const [at, text] of sets.after) push(after, at, text);
  const current = new Map<RuleKey, { readonly chain: string; readonly rule: Rule }>();
  for (const { name, rules } of table.chains)
    for (const rule of rules) current.set(rule.matches, { chain: name, rule });

  /** The line itself, if its rules still say the same, or with their new count. */
  function keepText({ text, chain, rules }: RulesLine): string | undefined {
    const last = rules.at(-1);
    const now = last && current.get(last.matches)?.rule;
    if (!now) return undefined;
    const same = rules.every((rule) => {
      const found = current.get(rule.matches);
      return (
        found?.chain === chain &&
        found.rule.packets === now.packets &&
        rule.packets === last.packets &&
        sameTarget(found.rule.target, rule.target) &&
        (rule === last || !afterRule.has(rule.matches))
      );
    });
    if (!same) return undefined;
    return now.packets === last.packets ? text : notation.recount(text, last.packets, now.packets);
  }

  function keepRules(line: RulesLine): readonly string[] {
    const kept = keepText(line);
    const last = line.rules.at(-1);
    if (kept !== undefined && last) return [kept, ...(afterRule.get(last.matches) ?? [])];
    return line.rules.flatMap(({ matches }) => {
      const found = current.get(matches);
      const own = found ? [notation.ruleLine(found.chain, found.rule)] : [];
      return [...own, ...(afterRule.get(matches) ?? [])];
    });
  }

  function keep(line: DocumentLine): readonly string[] {
    switch (line.kind) {
      case 'chain': {
        const chain = findChain(table, line.name);
        if (!chain) return [];
        const same =
          !isBuiltinChain(line.name) ||
          (chain.policy === line.policy && chain.packets === line.packets);
        return [same ? line.text : notation.chainLine(line.name, chain.policy, chain.packets)];
      }
      case 'group':
        return table.groups.some((group) => sameGroup(line.group, group)) ? [line.text] : [];
      case 'set':
        return sets.keepSet(line);
      case 'elements':
        return sets.keepElements(line);
      case 'deny-unseen':
        return line.on === table.denyUnseen ? [line.text] : [];
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
 * whose rules say and count the same stay; a count that stands before its rules is changed there;
 * lines of removed rules vanish; new rules stand in the place of those that they replace, or after
 * their predecessor in the chain. Another policy (`-P`) keeps the counter of the old one, as in the
 * kernel. Only where that can't be had, because the file itself edits what it has declared (`-D`,
 * `-F`), is the whole table printed anew.
 */
export function editDocument(document: Document, table: Table, notation: LineNotation): string {
  const { source, names } = document;
  const text = edit(document, table, withEnding(notation, source.text));
  const again = notation.parse(text, source.name, names);
  const wanted = notation.print(table);
  if (again && notation.print(again) === wanted) return text;
  const mark = source.text.startsWith('\ufeff') ? '\ufeff' : '';
  return mark + wanted.replaceAll('\n', endingOf(source.text));
}
