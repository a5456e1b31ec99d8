/** Of the rules of a table that is kept as its text those that hooks, and what chains may call, can tell from each other. */
import type { Chain, Table } from '@sockfilter/table';
import type { EditedChain } from './keptdraft.js';
import type { KeptTable } from './opentable.js';

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

/** Rules by which hooks tell what they are needed for; after edits, of which the new rules are there. */
export function sampleOf({ kept, read }: KeptTable, edited: readonly EditedChain[] = []): Table {
  const changesOf = (chain: string) => edited.find(({ name }) => name === chain)?.changes ?? [];
  const lines = [...kept.spans()].map(({ name, start, end }) => {
    const changes = changesOf(name);
    const starts = [start, ...changes.map(({ next }) => next)];
    const ends = [...changes.map(({ at }) => at), end];
    const stretches = starts.map((from, n) => kept.slice(from, ends[n] ?? end));
    return sampleLines(stretches.join('')).join('');
  });
  const sample = read(lines.join(''));
  // Hooks and calls of chains ask for no order.
  const put = (chain: Chain): Chain => {
    const added = changesOf(chain.name).flatMap((change) => change.added.map(({ rule }) => rule));
    return added.length === 0 ? chain : { ...chain, rules: [...chain.rules, ...added] };
  };
  return { ...sample, chains: sample.chains.map(put) };
}
