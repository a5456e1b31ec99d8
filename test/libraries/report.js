/**
 * What each library exports, with its types, as api.txt in its folder, so that a change of a public type is seen in review;
 * and index.d.cts of the package `sockfilter`, which is shipped as it is. `npm run api` writes them; with `--check` nothing
 * is written, and it exits with 1 where one is stale. The packages must be compiled.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { generateDtsBundle } from 'dts-bundle-generator';
import ts from 'typescript';

const top = fileURLToPath(new URL('../..', import.meta.url));
const packages = join(top, 'packages');
const cli = join(packages, 'cli');

const published = readdirSync(packages).filter((name) => {
  const file = join(packages, name, 'package.json');
  return name !== 'cli' && existsSync(file) && !JSON.parse(readFileSync(file, 'utf8')).private;
});
const entryOf = (name) => join(packages, name, 'dist/index.d.ts');

const program = ts.createProgram(published.map(entryOf), {
  module: ts.ModuleKind.NodeNext,
  target: ts.ScriptTarget.ES2023,
  noLib: true,
  types: [],
  skipLibCheck: true,
});
const checker = program.getTypeChecker();
const printer = ts.createPrinter({ removeComments: true });

const order = (a, b) => (a < b ? -1 : a > b ? 1 : 0);

/** The node with the members of unions in order: the compiler writes them in that in which it met them. */
function settled(node) {
  const source = node.getSourceFile();
  const textOf = (each) => printer.printNode(ts.EmitHint.Unspecified, each, source);
  const visitor = (context) => {
    const visit = (each) => {
      const inner = ts.visitEachChild(each, visit, context);
      if (!ts.isUnionTypeNode(inner)) return inner;
      const types = [...inner.types].sort((a, b) => order(textOf(a), textOf(b)));
      return ts.factory.updateUnionTypeNode(inner, ts.factory.createNodeArray(types));
    };
    return (root) => ts.visitNode(root, visit);
  };
  return ts.transform(node, [visitor]).transformed[0];
}

/** The declarations of a package's exports, and those that they name of its own and don't export, by name. */
function reportOf(name) {
  const folder = join(packages, name, 'dist/');
  const written = new Map();
  const resolved = (symbol) =>
    symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
  const add = (symbol, as) => {
    const known = written.get(symbol);
    if (known !== undefined) {
      if (as) known.names.add(as);
      return;
    }
    const own = (symbol.declarations ?? []).filter((node) =>
      node.getSourceFile().fileName.startsWith(folder),
    );
    if (own.length === 0) {
      if (as) written.set(symbol, { names: new Set([as]), texts: ['(of another package)'] });
      return;
    }
    if (own.some(ts.isTypeParameterDeclaration) || own.some((node) => !isTop(node))) return;
    const entry = { names: new Set(as ? [as] : []), texts: [] };
    written.set(symbol, entry);
    for (const node of own) {
      const whole = ts.isVariableDeclaration(node) ? node.parent.parent : node;
      const text = printer.printNode(
        ts.EmitHint.Unspecified,
        settled(whole),
        whole.getSourceFile(),
      );
      entry.texts.push(text.replace(/^export (declare )?|^declare /, ''));
      visit(whole);
    }
  };
  const isTop = (node) => {
    const whole = ts.isVariableDeclaration(node) ? node.parent.parent : node;
    return ts.isSourceFile(whole.parent);
  };
  const visit = (node) => {
    if (ts.isIdentifier(node)) {
      const symbol = checker.getSymbolAtLocation(node);
      if (symbol) add(resolved(symbol));
    }
    ts.forEachChild(node, visit);
  };
  const module = checker.getSymbolAtLocation(program.getSourceFile(entryOf(name)));
  for (const symbol of checker.getExportsOfModule(module)) add(resolved(symbol), symbol.name);
  const lines = [...written.values()].map(({ names, texts }) => ({
    key: [...names].sort().join(', '),
    text: texts.join('\n'),
  }));
  const said = lines
    .sort((a, b) => order(a.key, b.key) || order(a.text, b.text))
    .map(({ key, text }) => (key === '' ? `(not exported) ${text}` : `${key}: ${text}`));
  return `What the package exports; \`npm run api\` writes it.\n\n${said.join('\n')}\n`;
}

/** The types that the package `sockfilter` has, in one file that needs no other. */
function facadeTypes() {
  const entry = {
    filePath: join(cli, 'src/api/index.ts'),
    noCheck: true,
    output: { noBanner: true, exportReferencedTypes: false },
  };
  const [types] = generateDtsBundle([entry], {
    preferredConfigPath: join(top, 'test/libraries/tsconfig.json'),
  });
  const words = ['biome', 'format', '--stdin-file-path=types.d.cts'];
  return execFileSync('npx', words, { cwd: top, input: types, encoding: 'utf8' });
}

const made = new Map([
  ...published.map((name) => [join(packages, name, 'api.txt'), reportOf(name)]),
  [join(cli, 'index.d.cts'), facadeTypes()],
]);
const stale = [...made].filter(
  ([file, text]) => !existsSync(file) || readFileSync(file, 'utf8') !== text,
);
if (process.argv.includes('--check')) {
  for (const [file] of stale) console.error(`${file} is stale: \`npm run api\``);
  if (stale.length > 0) process.exitCode = 1;
} else for (const [file, text] of stale) writeFileSync(file, text);
