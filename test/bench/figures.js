/** Medians and tables. */

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
