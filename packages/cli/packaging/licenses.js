/** The licences of what others wrote and a bundle holds. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Of results of esbuild that have a metafile, with paths from the folder: each package once, with the text of its licence. */
export function licensesOf(built, folder) {
  const folders = new Set();
  for (const input of built.flatMap(({ metafile }) => Object.keys(metafile.inputs))) {
    const [found] = /^.*node_modules\/(@[^/]+\/)?[^/]+/.exec(input) ?? [];
    if (found !== undefined) folders.add(join(folder, found));
  }
  const licenses = [...folders].sort().map((each) => {
    const { name, version, license } = JSON.parse(readFileSync(join(each, 'package.json'), 'utf8'));
    const file = readdirSync(each).find((entry) => /^licen[sc]e/i.test(entry));
    const text = file === undefined ? '' : `\n${readFileSync(join(each, file), 'utf8').trim()}\n`;
    return `${name} ${version} (${license})\n${text}`;
  });
  return licenses.join(`\n${'-'.repeat(80)}\n\n`);
}
