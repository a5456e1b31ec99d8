/** The manual pages of the npm package, in dist/man; made before it is packed. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import manifest from '../package.json' with { type: 'json' };
import { makeManual } from './manual.js';

const here = fileURLToPath(new URL('..', import.meta.url));
const { SOURCE_DATE_EPOCH } = process.env;
const made = SOURCE_DATE_EPOCH === undefined ? new Date() : new Date(1000 * SOURCE_DATE_EPOCH);
const date = made.toISOString().slice(0, 10);
const pages = await makeManual(join(here, 'bin/sockfilter.cjs'), {
  version: manifest.version,
  date,
});
mkdirSync(join(here, 'dist/man'), { recursive: true });
for (const [name, text] of Object.entries(pages))
  writeFileSync(join(here, 'dist/man', `${name}.8`), text);
