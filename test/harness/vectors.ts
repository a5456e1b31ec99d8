/**
 * Vectors of other projects that stand outside the repository, in the folder that SOCKFILTER_VECTORS
 * names. They only add tests: without them those are skipped, with the reason in the title, from which
 * reporter.js takes it.
 */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** The files, as paths, of a folder of the vectors; or why there are none. */
function findVectors(folder: string, ending: string): readonly string[] | string {
  const root = process.env.SOCKFILTER_VECTORS;
  if (!root) return 'SOCKFILTER_VECTORS names no folder';
  const path = join(root, folder);
  const names = existsSync(path) ? readdirSync(path).filter((name) => name.endsWith(ending)) : [];
  return names.length > 0 ? names.map((name) => join(path, name)) : `no *${ending} in ${path}`;
}

/** describe.each() over the files of a folder of the vectors that have the ending. */
export function describeVectors(
  { folder, ending }: { readonly folder: string; readonly ending: string },
  define: (path: string) => void,
): void {
  const found = findVectors(folder, ending);
  if (typeof found !== 'string') {
    for (const path of found) describe(`${folder} vectors: ${path}`, () => define(path));
    return;
  }
  describe.skip(`${folder} vectors [skipped: ${found}]`, () => {
    test('hold', () => undefined);
  });
}
