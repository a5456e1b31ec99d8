/** Which file imports what, read with the TypeScript parser, and what of it breaks the architecture. */
import { readdirSync, readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { dirname, join, normalize } from 'node:path';
import ts from 'typescript';

export interface Import {
  readonly specifier: string;
  /** Erased when compiled: orders nothing at run time. */
  readonly typeOnly: boolean;
}

/** A source file; `path` is relative to the directory that holds all packages. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

const nodesByFile = new WeakMap<SourceFile, readonly ts.Node[]>();

/** All nodes of the file, parsed once. */
export function nodesOf(file: SourceFile): readonly ts.Node[] {
  const known = nodesByFile.get(file);
  if (known) return known;
  const nodes: ts.Node[] = [];
  const visit = (node: ts.Node): void => {
    nodes.push(node);
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(file.path, file.text, ts.ScriptTarget.Latest, true));
  nodesByFile.set(file, nodes);
  return nodes;
}

function importOf(node: ts.Node): Import | undefined {
  const found = (name: ts.Node | undefined, typeOnly: boolean) =>
    name && ts.isStringLiteralLike(name) ? { specifier: name.text, typeOnly } : undefined;
  if (ts.isImportDeclaration(node))
    return found(node.moduleSpecifier, node.importClause?.isTypeOnly ?? false);
  if (ts.isExportDeclaration(node)) return found(node.moduleSpecifier, node.isTypeOnly);
  if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument))
    return found(node.argument.literal, true);
  if (!ts.isCallExpression(node)) return undefined;
  const { expression, arguments: words } = node;
  const loads =
    expression.kind === ts.SyntaxKind.ImportKeyword ||
    /^(require|createRequire\(.*\))$/s.test(expression.getText());
  return loads ? found(words[0], false) : undefined;
}

/** Everything that the file imports, exports from elsewhere or loads. */
export function importsOf(file: SourceFile): readonly Import[] {
  return nodesOf(file).flatMap((node) => importOf(node) ?? []);
}

const RESERVED = /^(console\.\w+|process\.(exit|exitCode|abort|stdout|stderr))$/;

/** The uses in a node, as `process.exit` is written: of the global name, taken out of it, or imported. */
function usesOf(node: ts.Node): readonly string[] {
  if (ts.isPropertyAccessExpression(node))
    return [
      node
        .getText()
        .replace(/\s|\?/g, '')
        .replace(/^globalThis\./, ''),
    ];
  if (ts.isVariableDeclaration(node) && ts.isObjectBindingPattern(node.name)) {
    const from = node.initializer?.getText() ?? '';
    return node.name.elements.map(
      ({ name, propertyName }) => `${from}.${(propertyName ?? name).getText()}`,
    );
  }
  if (!ts.isImportDeclaration(node) || !ts.isStringLiteral(node.moduleSpecifier)) return [];
  const module = node.moduleSpecifier.text.replace(/^node:/, '');
  const bindings = node.importClause?.namedBindings;
  // A name for all of it hides what is used.
  if (bindings === undefined || !ts.isNamedImports(bindings))
    return module === 'process'
      ? [`${module}.exit`]
      : module === 'console'
        ? [`${module}.log`]
        : [];
  return bindings.elements.map(
    ({ name, propertyName }) => `${module}.${(propertyName ?? name).getText()}`,
  );
}

/** What the file does that only a command may do: print, and end the process. */
export function commandUses(file: SourceFile): readonly string[] {
  return nodesOf(file)
    .flatMap(usesOf)
    .filter((use) => RESERVED.test(use));
}

/** What Node has beside its modules, and a browser has not. */
const NODE_ONLY =
  /^(Buffer|process|global|require|module|__dirname|__filename|setImmediate|clearImmediate|NodeJS)$/;

/** A name where it stands for a value or a type, and not for a member of something. */
function isFree(node: ts.Identifier): boolean {
  const { parent } = node;
  const isMember =
    (ts.isPropertyAccessExpression(parent) && parent.name === node) ||
    (ts.isPropertyAssignment(parent) && parent.name === node) ||
    ts.isPropertySignature(parent);
  return !isMember;
}

/** What of the file needs Node: its modules, and the names that it gives to all. */
function platformUses(file: SourceFile): readonly string[] {
  const modules = importsOf(file).flatMap(({ specifier }) =>
    isBuiltin(specifier) ? [specifier] : [],
  );
  const names = nodesOf(file).flatMap((node) =>
    ts.isIdentifier(node) && NODE_ONLY.test(node.text) && isFree(node) ? [node.text] : [],
  );
  return [...modules, ...new Set(names)];
}

/** What a package keeps for its tests: neither built nor part of the architecture. */
const TEST_SUPPORT = /(^|\/)testing\/|\.test\.ts$/;

/** All sources of the packages below the directory, without their tests. */
export function readSources(packages: string): readonly SourceFile[] {
  return readdirSync(packages).flatMap((name) => {
    const source = join(packages, name, 'src');
    return readdirSync(source, { recursive: true, encoding: 'utf8' })
      .filter((file) => /\.[cm]?tsx?$/.test(file) && !TEST_SUPPORT.test(file))
      .map((file) => ({
        path: join(name, 'src', file),
        text: readFileSync(join(source, file), 'utf8'),
      }));
  });
}

export interface Architecture {
  /** For each package the packages that it may import; all but cli itself for `everything`. */
  readonly arrows: Readonly<Record<string, readonly string[] | 'everything'>>;
  /** What packages give beside their index, for those who load no more than that. */
  readonly entries: readonly string[];
  /** Packages from elsewhere that only some of ours may import. */
  readonly restricted: Readonly<Record<string, readonly string[]>>;
  /** The packages that may print and end the process. */
  readonly commands: readonly string[];
  /** The packages that run in a browser as well. */
  readonly anywhere: readonly string[];
}

const packageOf = (path: string) => path.split('/')[0] ?? '';

function arrowFault(file: SourceFile, specifier: string, rules: Architecture): string | undefined {
  const own = packageOf(file.path);
  const allowed = rules.arrows[own];
  if (allowed === undefined) return `package ${own} has no place in the architecture`;
  if (specifier.startsWith('.')) {
    const target = normalize(join(dirname(file.path), specifier));
    if (!target.startsWith(`${own}/src/`)) return 'leaves its package by a path';
    return TEST_SUPPORT.test(target.replace(/\.js$/, '.ts')) ? 'is for tests only' : undefined;
  }
  const [, ours, deep] = /^@sockfilter\/([^/]+)(\/.*)?$/.exec(specifier) ?? [];
  if (ours !== undefined) {
    if (deep !== undefined && !rules.entries.includes(specifier))
      return 'reaches behind the index of a package';
    if (ours === own) return 'imports its own package by name';
    if (rules.arrows[ours] === undefined) return `package ${ours} has no place in the architecture`;
    if (rules.arrows[ours] === 'everything') return `nobody imports ${ours}`;
    return allowed === 'everything' || allowed.includes(ours)
      ? undefined
      : `${own} may not import ${ours}`;
  }
  const outside = specifier.split('/')[0] ?? '';
  const owners = rules.restricted[outside];
  return owners && !owners.includes(own) ? `${outside} belongs to ${owners.join(', ')}` : undefined;
}

/** Every arrow that is not allowed, and every use of what commands alone may do. */
export function architectureFaults(
  files: readonly SourceFile[],
  rules: Architecture,
): readonly string[] {
  return files.flatMap((file) => [
    ...importsOf(file).flatMap(({ specifier }) => {
      const fault = arrowFault(file, specifier, rules);
      return fault === undefined ? [] : [`${file.path}: \`${specifier}\`: ${fault}`];
    }),
    ...(rules.commands.includes(packageOf(file.path))
      ? []
      : commandUses(file).map((use) => `${file.path}: \`${use}\`: only a command may do that`)),
    ...(rules.anywhere.includes(packageOf(file.path))
      ? platformUses(file).map((use) => `${file.path}: \`${use}\`: a browser has no such thing`)
      : []),
  ]);
}

/** Loops among the files, by imports that are there at run time; each loop once. */
export function importCycles(files: readonly SourceFile[]): readonly string[] {
  const known = new Set(files.map(({ path }) => path));
  const edges = new Map(
    files.map((file) => [
      file.path,
      importsOf(file)
        .filter(({ specifier, typeOnly }) => specifier.startsWith('.') && !typeOnly)
        .map(({ specifier }) =>
          normalize(join(dirname(file.path), specifier)).replace(/\.js$/, '.ts'),
        )
        .filter((path) => known.has(path)),
    ]),
  );
  const cycles: string[] = [];
  const done = new Set<string>();
  function visit(path: string, way: readonly string[]): void {
    const at = way.indexOf(path);
    if (at >= 0) cycles.push([...way.slice(at), path].join(' -> '));
    if (at >= 0 || done.has(path)) return;
    for (const next of edges.get(path) ?? []) visit(next, [...way, path]);
    done.add(path);
  }
  for (const path of edges.keys()) visit(path, []);
  return cycles;
}
