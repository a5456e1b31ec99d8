/** Lines that a text has got, as a patch that patch(1) and git apply take. */

const CONTEXT = 3;

interface Line {
  readonly sign: ' ' | '-' | '+';
  readonly text: string;
}

/** The lines of both: those of the old one that the new one has in their order stay. */
function align(before: readonly string[], after: readonly string[]): readonly Line[] {
  const lines: Line[] = [];
  let at = 0;
  for (const text of before) {
    const found = after.indexOf(text, at);
    if (found < 0) {
      lines.push({ sign: '-', text });
      continue;
    }
    for (const added of after.slice(at, found)) lines.push({ sign: '+', text: added });
    lines.push({ sign: ' ', text });
    at = found + 1;
  }
  return [...lines, ...after.slice(at).map((text): Line => ({ sign: '+', text }))];
}

const countOf = (lines: readonly Line[], sign: '-' | '+') =>
  lines.filter((line) => line.sign === ' ' || line.sign === sign).length;

/** From a text to another that has lines more; both end with a newline. */
export function additionPatch(name: string, before: string, after: string): string {
  const [old, now] = [before, after].map((text) => text.replace(/\n$/, '').split('\n'));
  const lines = align(old ?? [], now ?? []);
  const changed = lines.flatMap(({ sign }, at) => (sign === ' ' ? [] : [at]));
  const hunks: { from: number; to: number }[] = [];
  for (const at of changed) {
    const last = hunks.at(-1);
    const from = Math.max(0, at - CONTEXT);
    const to = Math.min(lines.length, at + 1 + CONTEXT);
    if (last && from <= last.to) last.to = to;
    else hunks.push({ from, to });
  }
  const printed = hunks.map(({ from, to }) => {
    const head = lines.slice(0, from);
    const part = lines.slice(from, to);
    const range = (sign: '-' | '+') => `${sign}${countOf(head, sign) + 1},${countOf(part, sign)}`;
    const body = part.map(({ sign, text }) => `${sign}${text}\n`).join('');
    return `@@ ${range('-')} ${range('+')} @@\n${body}`;
  });
  return `--- ${name}\n+++ ${name}\n${printed.join('')}`;
}
