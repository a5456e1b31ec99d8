/** The grammar that editors colour rule files by, held against the language's own tables, both ways. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { COMMAND_SPELLINGS, lexLine, SYNTAX, TARGET_SYNTAX } from '@sockfilter/iptables';
import { BUILTIN_CHAINS, MATCHES, SET_TYPES, TARGETS } from '@sockfilter/table';
import { createOnigScanner, createOnigString, loadWASM } from 'vscode-oniguruma';
import { INITIAL, parseRawGrammar, Registry } from 'vscode-textmate';

const TOP = join(__dirname, '../..');
const FILE = join(TOP, 'packages/vscode/syntaxes/sockfilter-rules.tmLanguage.json');
const SCOPE = 'source.sockfilter-rules';
const SUFFIX = '.sockfilter-rules';
const text = readFileSync(FILE, 'utf8');
const { repository }: { readonly repository: Readonly<Record<string, object>> } = JSON.parse(text);

interface Piece {
  readonly word: string;
  /** The innermost scope, without what they all end in; empty for what is plain. */
  readonly scope: string;
}

/** The pieces of lines, blanks left out. */
let colour: (line: string) => readonly Piece[];

beforeAll(async () => {
  const wasm = readFileSync(require.resolve('vscode-oniguruma/release/onig.wasm'));
  await loadWASM(wasm);
  const registry = new Registry({
    onigLib: Promise.resolve({
      createOnigScanner: (patterns) => createOnigScanner(patterns),
      createOnigString: (line) => createOnigString(line),
    }),
    loadGrammar: async () => parseRawGrammar(text, FILE),
  });
  const grammar = await registry.loadGrammar(SCOPE);
  if (!grammar) throw new Error('there is no grammar');
  colour = (line) => {
    const { tokens, ruleStack } = grammar.tokenizeLine(line, INITIAL);
    // No line leaves anything open for the next.
    expect(grammar.tokenizeLine('-', ruleStack).tokens).toHaveLength(1);
    const pieces: Piece[] = [];
    for (const { startIndex, endIndex, scopes } of tokens) {
      const word = line.slice(startIndex, endIndex);
      const scope = (scopes.at(-1) ?? '').replace(SCOPE, '').replace(SUFFIX, '');
      const before = pieces.at(-1);
      // The quotes are pieces of their own.
      if (before && scope !== '' && before.scope === scope)
        pieces.splice(-1, 1, { word: before.word + word, scope });
      else if (word.trim() !== '') pieces.push({ word: word.trim(), scope });
    }
    return pieces;
  };
});

/** What the last word of the line is coloured as. */
const last = (line: string) => colour(line).at(-1);

const OPTION = 'entity.other.attribute-name.option';
const COMMAND = 'keyword.control.command';

/** The alternatives of the group of a pattern in which the word stands. */
function alternatives(part: string, word: string): readonly string[] {
  const pattern = JSON.stringify(repository[part]).replaceAll('\\\\', '\\');
  const groups = [...pattern.matchAll(/\((?:\?:)?([\w:,|-]+)\)/g)].map(([, list = '']) =>
    list.split('|'),
  );
  const found = groups.find((group) => group.includes(word));
  if (!found) throw new Error(`no list of ${part} has ${word}`);
  return found.toSorted();
}

const longOptions = [...Object.values(SYNTAX), ...Object.values(TARGET_SYNTAX)].flatMap((row) => [
  ...Object.values(row.options).flatMap(({ long }) => long),
  ...('sugar' in row ? Object.keys(row.sugar ?? {}) : []),
]);
const shortOptions = Object.values(SYNTAX).flatMap(({ options }) =>
  Object.values(options).flatMap(({ short }) => short ?? []),
);
/** Those of rules that are no command. */
const COUNTERS = 'set-counters';
/** Options that have patterns of their own, for what stands behind them. */
const OWN_LONG = ['protocol', 'proto'];

test('every built-in chain, target, match and set type is coloured, and nothing is for one', () => {
  const targets = Object.values(TARGETS).flatMap(({ word }) => word ?? []);
  const matches = Object.keys(MATCHES).filter((name) => name !== 'ip');
  const types = Object.entries(SET_TYPES).flatMap(([name, { ipset }]) => [name, ipset]);
  for (const chain of BUILTIN_CHAINS)
    expect(last(`-A ${chain}`)).toEqual({ word: chain, scope: 'support.type.chain' });
  for (const target of targets)
    expect(last(`-A BIND -j ${target}`)).toEqual({ word: target, scope: 'keyword.control.target' });
  for (const match of matches)
    expect(last(`-A BIND -m ${match}`)).toEqual({ word: match, scope: 'support.class.match' });
  for (const type of types)
    expect(last(`create s ${type}`)).toEqual({ word: type, scope: 'support.type.set' });
  for (const part of ['chain', 'policy'])
    expect(alternatives(part, 'BIND')).toEqual(BUILTIN_CHAINS.toSorted());
  expect(alternatives('jump', 'ACCEPT')).toEqual(targets.toSorted());
  expect(alternatives('match', 'tcp')).toEqual(matches.toSorted());
  expect(alternatives('set', 'ip')).toEqual(types.toSorted());
  expect(last('-A BIND -j elsewhere')?.scope).toBe('entity.name.function.chain');
  expect(last('-A BIND -m conntrack')?.scope).toBe('');
});

test('every option is coloured, and nothing is for one', () => {
  for (const option of [...longOptions, COUNTERS]) {
    expect(last(`-A BIND --${option}`)).toEqual({ word: `--${option}`, scope: OPTION });
    expect(colour(`-A BIND --${option}=1`)[2]?.scope).toBe(OPTION);
  }
  for (const option of shortOptions)
    expect(last(`-A BIND -${option}`)).toEqual({ word: `-${option}`, scope: OPTION });
  const wanted = new Set([...longOptions, COUNTERS]);
  for (const own of OWN_LONG) wanted.delete(own);
  expect(alternatives('option', 'comment')).toEqual([...wanted].toSorted());
  expect(last('-A BIND --state')?.scope).toBe('');
});

test('every command that edits a table is coloured', () => {
  const commands = COMMAND_SPELLINGS.filter(({ short = 'A' }) => /[A-Z]/.test(short)).filter(
    ({ long }) => !long.some((name) => /^(version|line-numbers|json|file|root)$/.test(name)),
  );
  expect(commands.length).toBeGreaterThan(10);
  for (const { long, short } of commands) {
    for (const name of long)
      expect(last(`--${name}`)).toEqual({ word: `--${name}`, scope: COMMAND });
    if (short) expect(last(`-${short}`)).toEqual({ word: `-${short}`, scope: COMMAND });
  }
  const long = commands.flatMap((row) => row.long).toSorted();
  expect(alternatives('chain', 'append')).toEqual(long);
});

test('a line of each kind', () => {
  const shown = (line: string) => colour(line).map(({ word, scope }) => `${word} ${scope}`.trim());
  expect(
    shown('[12:0] -A BIND ! -d 10.0.0.5/32 -p tcp -m comment --comment "a \\" -j b" -j ACCEPT'),
  ).toEqual([
    '[12:0] constant.numeric.counter',
    `-A ${COMMAND}`,
    'BIND support.type.chain',
    '! keyword.operator.negation',
    `-d ${OPTION}`,
    '10.0.0.5/32 constant.numeric',
    `-p ${OPTION}`,
    'tcp constant.language.protocol',
    '-m keyword.operator.match',
    'comment support.class.match',
    `--comment ${OPTION}`,
    '"a  string.quoted.double',
    '\\" constant.character.escape',
    '-j b" string.quoted.double',
    '-j keyword.operator.jump',
    'ACCEPT keyword.control.target',
  ]);
  expect(shown(':BIND DROP [0:0] --audit')).toEqual([
    ': punctuation.definition.chain',
    'BIND support.type.chain',
    'DROP keyword.control.target',
    '[0:0] constant.numeric.counter',
    `--audit ${OPTION}`,
  ]);
  expect(shown('-G web --id 3 --path "/web.slice"')).toEqual([
    `-G ${COMMAND}`,
    'web entity.name.type.group',
    `--id ${OPTION}`,
    '3 constant.numeric',
    `--path ${OPTION}`,
    '"/web.slice" string.quoted.double',
  ]);
  expect(shown('add office 10.0.0.0/8 timeout 60')).toEqual([
    `add ${COMMAND}`,
    'office variable.other.set',
    '10.0.0.0/8 constant.numeric',
    `timeout ${OPTION}`,
    '60 constant.numeric',
  ]);
  expect(shown('  # -A BIND')).toEqual(['# -A BIND comment.line.number-sign']);
  expect(shown('*socket')).toEqual(['*socket entity.name.section']);
  expect(shown('COMMIT')).toEqual(['COMMIT keyword.control.commit']);
  expect(shown('-A office -s fd00::/8 -g inner')).toEqual([
    `-A ${COMMAND}`,
    'office entity.name.function.chain',
    `-s ${OPTION}`,
    'fd00::/8 constant.numeric',
    '-g keyword.operator.jump',
    'inner entity.name.function.chain',
  ]);
});

const documents = ['language.md', 'operations.md'].flatMap((name) => [
  ...readFileSync(join(TOP, 'docs', name), 'utf8').matchAll(/^```rules\n([\s\S]*?)^```/gm),
]);
const examples = [
  ...documents.map(([, example = '']) => example),
  ...readdirSync(join(TOP, 'rules'))
    .filter((name) => name.endsWith('.rules'))
    .map((name) => readFileSync(join(TOP, 'rules', name), 'utf8')),
];

test('in the examples of the documents no option is left plain, and words end where the parser ends them', () => {
  expect(examples.length).toBeGreaterThan(8);
  for (const line of examples.flatMap((example) => example.split('\n'))) {
    const pieces = colour(line);
    expect([
      line,
      pieces.filter(({ word, scope }) => scope === '' && /(^|\s)-/.test(word)),
    ]).toEqual([line, []]);
    if (/^\s*(#|:|$)/.test(line)) continue;
    // Each piece begins at a word of the parser, or is a part of what stands in quotes.
    const starts = lexLine(line, 'rules', 1).words.map(({ span }) => span.column - 1);
    let at = 0;
    for (const { word, scope } of pieces) {
      at = line.indexOf(word, at);
      if (!/^(string|constant\.character)/.test(scope)) expect(starts).toContain(at);
      at += word.length;
    }
  }
});

test('the manifest names files that are there, and the grammar by its scope', () => {
  const manifest = JSON.parse(readFileSync(join(TOP, 'packages/vscode/package.json'), 'utf8'));
  const [language] = manifest.contributes.languages;
  const [grammar] = manifest.contributes.grammars;
  expect(grammar).toMatchObject({ language: language.id, scopeName: SCOPE });
  expect(join(TOP, 'packages/vscode', grammar.path)).toBe(FILE);
  JSON.parse(readFileSync(join(TOP, 'packages/vscode', language.configuration), 'utf8'));
  const source = readFileSync(join(TOP, 'packages/vscode/src/extension.ts'), 'utf8');
  expect(source).toContain(`'${language.id}'`);
  for (const setting of Object.keys(manifest.contributes.configuration.properties))
    expect(source).toContain(`'${setting}'`);
  for (const { command } of manifest.contributes.commands) expect(source).toContain(`'${command}'`);
});
