/** The packages that are tried: those of a folder, or made anew. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const PACKAGE = fileURLToPath(new URL('../../packages/cli/packaging/package.js', import.meta.url));

/** The .deb for the architecture in `release`, or one that is made below `place`. */
export function findDeb(release, arch, place) {
  const folder = release ?? join(place, 'release');
  if (release === undefined) {
    const words = [PACKAGE, '--arch', arch, '--out', folder, '--level', '0'];
    execFileSync(process.execPath, words, { stdio: ['ignore', 'ignore', 'inherit'] });
  }
  const name = readdirSync(folder).find((each) => each.endsWith(`_${arch}.deb`));
  assert.ok(name, `${folder} has no .deb for ${arch}`);
  return join(folder, name);
}
