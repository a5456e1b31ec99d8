/** Durations as nft prints them: `1d2h3m4s`. */

const UNITS: readonly (readonly [string, number])[] = [
  ['d', 86_400],
  ['h', 3600],
  ['m', 60],
  ['s', 1],
];

/** Whole seconds; 0 is `0s`. */
export function printDuration(seconds: number): string {
  let left = seconds;
  const text = UNITS.map(([unit, length]) => {
    const count = Math.floor(left / length);
    left -= count * length;
    return count > 0 ? `${count}${unit}` : '';
  }).join('');
  return text || '0s';
}
