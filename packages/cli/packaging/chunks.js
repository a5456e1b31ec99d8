/**
 * The command is cut into files, of which each start loads those that it needs. esbuild cuts ES modules only, so these
 * are made CommonJS afterwards: node needs a third less time to start it.
 */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { build, transform } from 'esbuild';

/** Modules of src/ that are loaded together: a file for each would be many that are small. */
const TOGETHER = {
  table: ['tablecommand', 'filetable'],
  edits: ['batch', 'save', 'restore'],
  live: ['trial', 'failclosed', 'group', 'set', 'setresolve', 'status'],
  check: ['ci/check'],
  ci: ['ci/diff', 'ci/review', 'ci/query', 'ci/simplify', 'ci/rules', 'ci/testrules'],
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
const SLOW = /^node:(v8|tty|crypto|child_process|worker_threads|readline\/promises|net|http|dns)$/;

/** A module that requires another when one of the names is first used. */
function lateModule(path, names) {
  const getters = names.map((name) => `get ${name}() { return load().${name}; }`);
  return `const load = () => require('${path}');\nmodule.exports = { ${getters.join(', ')} };`;
}

/** What a file imports of a module, all that it has where the file does not say. */
async function namesImported(file, module) {
  const text = await readFile(file, 'utf8');
  const names = [...text.matchAll(/^import \{([^}]*)\} from '([^']*)';$/gm)]
    .filter(([, , from]) => from === module)
    .flatMap(([, listed]) => listed.split(',').map((name) => name.trim()))
    .filter((name) => name !== '' && !name.startsWith('type '));
  return names.length > 0 ? names.sort() : Object.keys((await import(module)).default);
}

/**
 * For esbuild: such a module is loaded when something of it is first used. It has what the file imports and no more: a getter for each
 * name that the module has is as much as what is saved.
 */
export const loadLate = {
  name: 'late',
  setup(esbuild) {
    esbuild.onResolve({ filter: SLOW }, async ({ path, kind, importer }) => {
      if (kind !== 'import-statement') return { path, external: true };
      const names = await namesImported(importer, path);
      return { path, suffix: `?${names.join()}`, namespace: 'late' };
    });
    esbuild.onLoad({ filter: /./, namespace: 'late' }, ({ path, suffix }) => ({
      contents: lateModule(path, suffix.slice(1).split(',')),
    }));
  },
};

const modulesOf = (folder, ...names) => names.map((name) => `${folder}/${name}`);

/**
 * Modules of ours, by the file that they are in, that not all need and whose users can't wait for import(): loaded as
 * those of node, and by nothing while modules are loaded. All that only they import is in the file too.
 */
const OURS_LATE = {
  programs: [
    // What hooks run, and what loads and attaches it: for a first commit, or where something is not attached.
    ...modulesOf('kernel/src/program', 'accept', 'cgroups', 'egress', 'ingress', 'peer'),
    ...modulesOf('kernel/src/program', 'postbind', 'sockaddr', 'sockcreate', 'sockopt'),
    'kernel/src/attaching',
  ],
  changes: modulesOf(
    'kernel/src',
    ...['commit', 'partchange', 'wholechange', 'upgrade', 'removal'],
  ),
  looking: modulesOf('kernel/src', 'verification', 'status', 'blobwalk', 'surroundings'),
  nftables: ['nftables/src/read', 'nftables/src/schema', 'nftables/src/write'],
  pages: [
    'policy/src/html/build',
    'policy/src/html/render',
    'policy/src/html/script',
    'policy/src/html/style',
  ],
};

/** Entry points for esbuild: the files that these modules are in. */
export const LATE_ENTRIES = Object.fromEntries(
  Object.keys(OURS_LATE).map((name) => [name, `ours:${name}`]),
);

/** What a file exports, and its types not. */
async function exportsOf(file) {
  const { metafile } = await build({
    entryPoints: [file],
    format: 'esm',
    metafile: true,
    write: false,
    outdir: '/',
  });
  return Object.values(metafile.outputs).flatMap((output) => output.exports);
}

/** For esbuild: such a module is required when something of it is first used, by those that are not beside it. */
export function loadOursLate(packages) {
  const files = new Map();
  for (const [name, modules] of Object.entries(OURS_LATE))
    for (const module of modules) files.set(join(packages, `${module}.ts`), name);
  const inner = {};
  return {
    name: 'ours',
    setup(esbuild) {
      esbuild.onResolve({ filter: /^ours:/ }, ({ path }) => ({ path, namespace: 'ours' }));
      esbuild.onLoad({ filter: /./, namespace: 'ours' }, ({ path }) => ({
        contents: OURS_LATE[path.slice('ours:'.length)]
          .map((module) => `export * from '${join(packages, `${module}.ts`)}';`)
          .join('\n'),
        resolveDir: packages,
      }));
      esbuild.onResolve(
        { filter: /^[./].*\.[jt]s$/, namespace: 'file' },
        async ({ path, kind, resolveDir, importer, pluginData }) => {
          if (kind !== 'import-statement' || pluginData === inner) return undefined;
          const found = await esbuild.resolve(path, { kind, resolveDir, pluginData: inner });
          const file = files.get(found.path);
          return file !== undefined && file !== files.get(importer)
            ? { path: found.path, namespace: 'ours-late' }
            : undefined;
        },
      );
      esbuild.onLoad({ filter: /./, namespace: 'ours-late' }, async ({ path }) => {
        const loaded = `./${files.get(path)}.cjs`;
        return { contents: lateModule(loaded, await exportsOf(path)), resolveDir: packages };
      });
      esbuild.onResolve({ filter: /\.cjs$/ }, ({ path, kind }) =>
        kind === 'require-call' ? { path, external: true } : undefined,
      );
    },
  };
}

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

/** Gives the files of LATE_ENTRIES names by what is in them, as the others have: a command that runs meanwhile loads none of another build. */
export function nameByContents(files) {
  for (const name of Object.keys(LATE_ENTRIES)) {
    const text = files.get(`${name}.cjs`);
    const digest = createHash('sha256').update(text).digest('hex').slice(0, 8).toUpperCase();
    files.delete(`${name}.cjs`);
    files.set(`${name}-${digest}.cjs`, text);
    for (const [other, user] of files)
      files.set(other, user.replaceAll(`"./${name}.cjs"`, `"./${name}-${digest}.cjs"`));
  }
}
