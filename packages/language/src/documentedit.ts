/** Bringing a save file up to date with an edited table, line by line. */
import { findChain, findNamed, type Group, isBuiltinChain, type Table } from '@sockfilter/table';
import { Additions } from './additions.js';
import type { Document, DocumentLine } from './document.js';
import { endingOf, type LineNotation, withEnding } from './linenotation.js';
import { placeRules } from './rulelines.js';
import { placeSets } from './setlines.js';

function sameGroup(a: Group | undefined, b: Group): boolean {
  return a?.name === b.name && a.id === b.id && a.path === b.path;
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

type ChainLine = DocumentLine & { readonly kind: 'chain' };

function keepChain(
  { name, policy, packets, text }: ChainLine,
  table: Table,
  notation: LineNotation,
): readonly string[] {
  const chain = findChain(table, name);
  if (!chain) return [];
  const same = !isBuiltinChain(name) || (chain.policy === policy && chain.packets === packets);
  return [same ? text : notation.chainLine(name, chain.policy, chain.packets)];
}

function edit({ lines }: Document, table: Table, notation: LineNotation): string {
  const before = new Additions<number>();
  const after = new Additions<number>();
  const lastOf = (...kinds: readonly DocumentLine['kind'][]) =>
    lines.findLastIndex(({ kind }) => kinds.includes(kind));
  const commit = lastOf('commit');
  const rules = placeRules(lines, table, notation, commit < 0 ? lines.length - 1 : commit);
  for (const [at, text] of rules.before) before.add(at, text);
  const chains = lastOf('chain', 'table');
  const groups = lastOf('group');
  for (const text of newChainLines(lines, table, notation)) after.add(chains, text);
  if (table.denyUnseen && !lines.some((line) => line.kind === 'deny-unseen' && line.on))
    after.add(chains, notation.denyUnseenLine);
  const declared = new Map(
    lines.flatMap((line) => (line.kind === 'group' ? [[line.group.name, line.group]] : [])),
  );
  for (const group of table.groups)
    if (!sameGroup(declared.get(group.name), group))
      after.add(groups < 0 ? chains : groups, notation.groupLine(group));
  const sets = placeSets(lines, table, notation);
  const firstSet = lastOf('set', 'elements');
  for (const text of sets.added)
    after.add(firstSet < 0 ? (groups < 0 ? chains : groups) : firstSet, text);
  for (const [at, text] of sets.after) after.add(at, text);

  function keep(line: DocumentLine): readonly string[] {
    switch (line.kind) {
      case 'chain':
        return keepChain(line, table, notation);
      case 'group':
        return sameGroup(findNamed(table.groups, line.group.name), line.group) ? [line.text] : [];
      case 'set':
        return sets.keepSet(line);
      case 'elements':
        return sets.keepElements(line);
      case 'deny-unseen':
        return line.on === table.denyUnseen ? [line.text] : [];
      case 'rules':
        return rules.keepRules(line);
      default:
        return [line.text];
    }
  }

  return lines.flatMap((line, at) => [...before.at(at), ...keep(line), ...after.at(at)]).join('\n');
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
