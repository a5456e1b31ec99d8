/** The lines of rules in a save file whose table was edited. */
import { type Rule, sameTarget, type Table } from '@sockfilter/table';
import { Additions } from './additions.js';
import type { DocumentLine } from './document.js';
import type { LineNotation } from './linenotation.js';

/**
 * What a rule is known by here: an edit that changes its counter or its target's name alone makes a
 * new object with the same matches.
 */
type RuleKey = Rule['matches'];

type RulesLine = DocumentLine & { readonly kind: 'rules' };

/** The first of the comment lines that stand directly above the line, or the line itself. */
function aboveComments(lines: readonly DocumentLine[], at: number): number {
  let first = at;
  while (lines[first - 1]?.kind === 'comment') first--;
  return first;
}

/** A place for new text: in the stead of a removed rule, after a kept one, or before a line. */
type Spot = { readonly rule: RuleKey } | { readonly line: number };

interface Placed {
  readonly spot: Spot;
  readonly text: string;
}

/**
 * Where each new rule goes. Between two rules that stay, new ones take the places of removed ones;
 * where nothing was removed they follow their predecessor, or else stand before their successor.
 */
function placesOf(
  lines: readonly DocumentLine[],
  table: Table,
  notation: LineNotation,
  end: number,
): readonly Placed[] {
  const placed: Placed[] = [];
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

/** What becomes of the lines of rules, and what is new before other lines: `end` is the line before which the last go. */
export function placeRules(
  lines: readonly DocumentLine[],
  table: Table,
  notation: LineNotation,
  end: number,
) {
  const before: (readonly [line: number, text: string])[] = [];
  const afterRule = new Additions<RuleKey>();
  for (const { spot, text } of placesOf(lines, table, notation, end)) {
    if ('rule' in spot) afterRule.add(spot.rule, text);
    else before.push([spot.line, text]);
  }
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
        (rule === last || afterRule.at(rule.matches).length === 0)
      );
    });
    if (!same) return undefined;
    return now.packets === last.packets ? text : notation.recount(text, last.packets, now.packets);
  }

  function keepRules(line: RulesLine): readonly string[] {
    const kept = keepText(line);
    const last = line.rules.at(-1);
    if (kept !== undefined && last) return [kept, ...afterRule.at(last.matches)];
    return line.rules.flatMap(({ matches }) => {
      const found = current.get(matches);
      const own = found ? [notation.ruleLine(found.chain, found.rule)] : [];
      return [...own, ...afterRule.at(matches)];
    });
  }

  return { before, keepRules };
}
