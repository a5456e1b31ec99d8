/** The single executable: a Node without symbols, with the command inside. */
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { inject } from 'postject';

const here = fileURLToPath(new URL('.', import.meta.url));
const dist = join(here, '../dist');
/** Where Node looks whether something is inside: doc/api/single-executable-applications. */
const FUSE = 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2';

/**
 * Makes `out` of the node at `inside`, stripped by `strip`; `node` is the same version for this machine, and `work` a folder
 * for what lies between.
 */
export async function makeExecutable({ node, inside, strip, work, out }) {
  mkdirSync(work, { recursive: true });
  await build({
    entryPoints: [join(here, 'entry.cjs')],
    outfile: join(work, 'entry.cjs'),
    bundle: true,
    platform: 'node',
    target: 'node24',
    minifySyntax: true,
    logLevel: 'warning',
  });
  execFileSync(node, [join(here, '../start/keep.cjs'), dist, work], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { PATH: '/nonexistent' },
  });
  const parts = readdirSync(dist).filter((name) => name.endsWith('.cjs'));
  const assets = parts.flatMap((part) => [
    [part, join(work, part)],
    [`${part}.cache`, join(work, `${part}.cache`)],
  ]);
  const config = {
    main: join(work, 'entry.cjs'),
    output: join(work, 'blob'),
    disableExperimentalSEAWarning: true,
    // What an environment says to Node is not said to a command that root runs.
    execArgvExtension: 'none',
    assets: Object.fromEntries(assets),
  };
  writeFileSync(join(work, 'sea.json'), JSON.stringify(config));
  execFileSync(node, ['--experimental-sea-config', join(work, 'sea.json')], { stdio: 'ignore' });
  execFileSync(strip, ['-o', out, inside]);
  const blob = readFileSync(join(work, 'blob'));
  await inject(out, 'NODE_SEA_BLOB', blob, { sentinelFuse: FUSE });
  chmodSync(out, 0o755);
}
