/** How this command starts itself: as a script that node runs, or as an executable that has node inside. */
import { join } from 'node:path';
import { isSea } from 'node:sea';
import { fileURLToPath } from 'node:url';

export function startAgain(): readonly [string, ...string[]] {
  if (isSea()) return [process.execPath];
  const here = fileURLToPath(new URL('.', import.meta.url));
  return [process.execPath, join(here, '../bin/sockfilter.cjs')];
}
