/** Medians, tables and plots. */

export function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[sorted.length >> 1];
}

/** Prints rows of words under a head, columns aligned. */
export function printTable(head, rows) {
  const widths = head.map((_, at) =>
    Math.max(...[head, ...rows].map((row) => `${row[at]}`.length)),
  );
  for (const row of [head, ...rows])
    console.log(`  ${row.map((word, at) => `${word}`.padStart(widths[at])).join('  ')}`);
}

const PLOT_WIDTH = 60;

/**
 * Prints seconds on a scale of logarithms, a line for each row of a name and its values: the first is marked as 1, the second as 2,
 * and what falls together as *.
 */
export function printPlot(rows) {
  const all = rows.flatMap(([, ...values]) => values);
  const from = Math.floor(Math.log10(Math.min(...all)) * 2) / 2;
  const to = Math.ceil(Math.log10(Math.max(...all)) * 2) / 2;
  const columnOf = (log) => Math.round(((log - from) / (to - from)) * PLOT_WIDTH);
  const width = Math.max(...rows.map(([name]) => name.length));
  const axis = Array(PLOT_WIDTH + 8).fill(' ');
  for (let log = from; log <= to; log += 0.5)
    [...`|${Number((10 ** log).toPrecision(1))} s`].forEach((letter, n) => {
      axis[columnOf(log) + n] = letter;
    });
  const lines = rows.map(([name, ...values]) => {
    const line = Array(PLOT_WIDTH + 1).fill('.');
    values.forEach((value, n) => {
      const at = columnOf(Math.log10(value));
      line[at] = line[at] === '.' ? `${n + 1}` : '*';
    });
    return `${name.padStart(width)}  ${line.join('')}`;
  });
  for (const line of [`${' '.repeat(width)}  ${axis.join('').trimEnd()}`, ...lines])
    console.log(`  ${line}`);
}
