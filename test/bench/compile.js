/** From text to nodes, in process; the floor is the reading of the text alone. */
import { parseSave } from '@sockfilter/iptables';
import { compileTable } from '@sockfilter/kernel';
import { NO_NAMES } from '@sockfilter/language';
import { printTable } from './figures.js';
import { groupedRules } from './rules.js';

const SIZES = [
  [1000, 10],
  [10_000, 100],
  [100_000, 1000],
];

export function compileBench() {
  const rows = SIZES.map(([count, groups]) => {
    const text = groupedRules(count, groups);
    const start = performance.now();
    const { table } = parseSave(text, 'rules', { names: NO_NAMES });
    const parsed = performance.now();
    const { blob } = compileTable(table);
    const compiled = performance.now();
    const ms = (from, to) => Math.round(to - from);
    return [
      count,
      groups,
      ms(start, parsed),
      ms(parsed, compiled),
      ((compiled - parsed) / (parsed - start)).toFixed(2),
      blob.words.length / 2,
      blob.longestPath,
    ];
  });
  printTable(['rules', 'groups', 'parse ms', 'compile ms', 'ratio', 'nodes', 'longest path'], rows);
}
