/** The runs on other kernels as docs/kernel.md shows them. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

const RUN = z.strictObject({
  kernel: z.string(),
  /** The words after `npm run test:kernels --`; empty if there were none. */
  what: z.string(),
  commit: z.string().regex(/^[0-9a-f]{12}$/),
  passed: z.int(),
  failed: z.int(),
  skipped: z.int(),
  /** Names of tests that failed. */
  found: z.array(z.string()),
  minutes: z.number(),
});

export type Run = z.infer<typeof RUN>;

/** What the runs have written, by the names of their files. */
export function readRuns(folder: string): readonly Run[] {
  return readdirSync(folder)
    .toSorted()
    .map((name) => RUN.parse(JSON.parse(readFileSync(join(folder, name), 'utf8'))));
}

function printRun({ kernel, what, commit, passed, failed, skipped, found, minutes }: Run): string {
  const cells = [
    kernel,
    `\`${what}\``,
    commit,
    ...[passed, failed, skipped].map(String),
    found.join('; '),
    String(Math.round(minutes)),
  ];
  return `| ${cells.join(' | ')} |`;
}

export function printRuns(runs: readonly Run[]): string {
  const head = '| kernel | what | at commit | passed | failed | left out | found | minutes |';
  return [head, '|---|---|---|---|---|---|---|---|', ...runs.map(printRun)].join('\n');
}
