import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** As the formatter writes them: no statement has others on its line. */
const STATEMENT = /^(import|export) (type )?(?:\{([^}]*)\}|\*) from '([^']+)';$/gm;
const DECLARED = /^export (?:async )?(?:abstract )?(?:function\*?|class|const) (\w+)/gm;

const namesIn = (listed) =>
  listed
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '' && !name.startsWith('type '));

/** The file in which each name is declared that a file exports. */
async function declarations(file) {
  const text = await readFile(file, 'utf8');
  const found = new Map([...text.matchAll(DECLARED)].map(([, name]) => [name, file]));
  for (const [, word, isType, listed, from] of text.matchAll(STATEMENT)) {
    if (word !== 'export' || isType) continue;
    const inner = await declarations(join(dirname(file), from.replace(/\.js$/, '.ts')));
    for (const name of listed === undefined ? inner.keys() : namesIn(listed))
      if (inner.has(name)) found.set(name, inner.get(name));
  }
  return found;
}

/**
 * For esbuild: what a module imports by the index of a package it imports from the files that have it. esbuild puts a module where all that its imports
 * import is loaded, used or not: by an index that is all of a package. `indexes` are those of packages by which they are imported.
 */
export function importDirectly(indexes) {
  const known = new Map();
  const declared = (index) => {
    if (!known.has(index)) known.set(index, declarations(index));
    return known.get(index);
  };
  return {
    name: 'direct',
    setup(esbuild) {
      esbuild.onLoad({ filter: /\/src\/.*\.ts$/, namespace: 'file' }, async ({ path }) => {
        let contents = await readFile(path, 'utf8');
        for (const [whole, word, isType, listed, from] of contents.matchAll(STATEMENT)) {
          if (word !== 'import' || isType || listed === undefined || !indexes[from]) continue;
          const files = await declared(indexes[from]);
          const each = namesIn(listed).map((name) => {
            const file = files.get(name.split(' as ')[0]);
            return `import { ${name} } from '${file ?? from}';`;
          });
          // On the lines on which it was.
          const lines = '\n'.repeat(whole.split('\n').length - 1);
          contents = contents.replace(whole, () => each.join(' ') + lines);
        }
        return { contents, loader: 'ts' };
      });
    },
  };
}
