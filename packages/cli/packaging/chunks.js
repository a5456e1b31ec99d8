/**
 * The command is cut into files, of which each start loads those that it needs. esbuild cuts ES modules only, so these
 * are made CommonJS afterwards: node needs a third less time to start it.
 */
import { relative } from 'node:path';
import { transform } from 'esbuild';

/** Modules of src/ that are loaded together: a file for each would be many that are small. */
const TOGETHER = {
  table: ['tablecommand', 'filetable'],
  edits: ['batch', 'save', 'restore'],
  live: ['trial', 'failclosed', 'group', 'set', 'setresolve', 'status'],
  ci: [
    ...['ci/check', 'ci/diff', 'ci/review', 'ci/query', 'ci/simplify', 'ci/rules'],
    'ci/testrules',
  ],
  calls: [
    ...['exec', 'explain', 'events/last', 'events/monitor', 'events/trace', 'metrics/metrics'],
    ...['doctor', 'service'],
  ],
  others: [
    ...['bindlist', 'export', 'import', 'learn/learn', 'learn/live', 'learn/into'],
    'dashboard/dashboard',
  ],
};

/** For esbuild: what is imported at run time is the file of those that it is loaded with. */
export function loadTogether(src) {
  const inner = {};
  const members = (name) => TOGETHER[name].map((module) => `export * from './${module}.js';`);
  return {
    name: 'together',
    setup(esbuild) {
      esbuild.onResolve({ filter: /^\.|^@/ }, async ({ path, kind, resolveDir, pluginData }) => {
        if (kind !== 'dynamic-import' || pluginData === inner) return undefined;
        const found = await esbuild.resolve(path, { kind, resolveDir, pluginData: inner });
        const module = relative(src, found.path).replace(/\.ts$/, '');
        const [name] = Object.entries(TOGETHER).find(([, all]) => all.includes(module)) ?? [];
        return name === undefined ? found : { path: name, namespace: 'together' };
      });
      esbuild.onLoad({ filter: /./, namespace: 'together' }, ({ path }) => ({
        contents: members(path).join('\n'),
        resolveDir: src,
      }));
    },
  };
}

/** Modules of node that take milliseconds to load, and that few commands ask. */
const SLOW = /^node:(tty|crypto|child_process|worker_threads|readline\/promises|net|http|dns)$/;

/** For esbuild: such a module is loaded when something of it is first used. */
export const loadLate = {
  name: 'late',
  setup(esbuild) {
    esbuild.onResolve({ filter: SLOW }, ({ path, kind }) =>
      kind === 'import-statement' ? { path, namespace: 'late' } : { path, external: true },
    );
    esbuild.onLoad({ filter: /./, namespace: 'late' }, async ({ path }) => {
      const names = Object.keys((await import(path)).default);
      const getters = names.map((name) => `get ${name}() { return load().${name}; }`);
      const contents = `const load = () => require('${path}');\nmodule.exports = { ${getters.join(', ')} };`;
      return { contents };
    });
  },
};

const IMPORT = /^import(?:\{([^}]*)\}from)?"\.\/([\w-]+)\.js";/;
const EXPORT = /export\{([^}]*)\};\s*$/;
const LATER = /\bimport\("\.\/([\w-]+)\.js"\)/g;

/** `a as b,c` of an import or export as the properties of an object. */
function properties(names, isExport) {
  return names
    .split(',')
    .filter((name) => name !== '')
    .map((name) => {
      const [from, to = from] = name.split(' as ');
      return from === to ? from : isExport ? `${to}:${from}` : `${from}:${to}`;
    })
    .join(',');
}

/**
 * A file that esbuild has cut, as CommonJS. What it has of others are variables, as within one file: a property of their
 * exports would be looked up at each call. No file imports one that imports it, and no export is assigned later.
 */
export async function toCommonJs(text, options) {
  let head = '"use strict";';
  let body = text;
  for (let found = IMPORT.exec(body); found; found = IMPORT.exec(body)) {
    const [whole, names, file] = found;
    const loaded = `require("./${file}.cjs")`;
    head += names === undefined ? `${loaded};` : `var{${properties(names, false)}}=${loaded};`;
    body = body.slice(whole.length);
  }
  const [whole = '', names = ''] = EXPORT.exec(body) ?? [];
  body = body
    .slice(0, body.length - whole.length)
    .replace(LATER, (_, file) => `Promise.resolve().then(()=>require("./${file}.cjs"))`);
  if (body.includes('moduleUrl'))
    head += 'var moduleUrl=require("node:url").pathToFileURL(__filename).href;';
  const { code } = await transform(body, { ...options, format: 'cjs' });
  return `${head}${code}module.exports={${properties(names, true)}};\n`;
}
