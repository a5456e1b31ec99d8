/** What the documents and the help name is there: options, codes, files and scripts; and what is there is named. */
import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { COMMAND_SPELLINGS, SYNTAX, TARGET_SYNTAX } from '@sockfilter/iptables';
import { isCode, REGION_KEYS } from '@sockfilter/policy';
import { MATCHES } from '@sockfilter/table';
import { COMMANDS } from '../../packages/cli/src/commandrow.js';
import { HELP } from '../../packages/cli/src/help.js';
import {
  UNAVAILABLE_MATCHES,
  UNAVAILABLE_OPTIONS,
  UNAVAILABLE_TARGETS,
} from '../../packages/iptables/src/extensions.js';
import { flagsIn, quoted } from '../harness/documentfacts.js';
import { REPOSITORY, readDocument } from '../harness/documents.js';

const DOCUMENTS = [
  ...['README.md', 'CHANGELOG.md', 'CONTRIBUTING.md', 'SECURITY.md'],
  ...readdirSync(join(REPOSITORY, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
  'packages/cli/README.md',
  'packages/nftables-json/README.md',
];

describe('the help of the command', () => {
  test('has every command, match and target', () => {
    const words = COMMANDS.map(({ words: name }) => name.replace(/ .*/, ''));
    expect(words.filter((name) => !new RegExp(`^  (.*, )?${name}\\b`, 'm').test(HELP))).toEqual([]);
    const plain = ['ip', 'tcp', 'udp', 'udplite'];
    const matches = Object.keys(MATCHES).filter((name) => !plain.includes(name));
    expect(matches.filter((name) => !HELP.includes(`-m ${name}`))).toEqual([]);
    const targets = Object.keys(TARGET_SYNTAX).filter((name) => !/^(jump|goto)$/.test(name));
    expect(targets.filter((name) => !HELP.includes(name.toUpperCase()))).toEqual([]);
  });
});

describe('names in the documents', () => {
  /** Of other programs and of scripts; `--option` stands for any. */
  const FOREIGN = [
    'ignore-scripts',
    'allow-scripts',
    'expose-gc',
    'fail-on-warn',
    'semantic',
    'check',
    'short',
    'only',
    'arch',
    'packed',
    'lost-writes',
    'power-cut',
    'reboot',
    'record',
    'release',
    'seed',
    'option',
    'allow-empty',
  ];
  const OWN = new Set([
    ...['file', 'root', 'wait', 'help', 'version', 'set-counters', 'atomic'],
    ...COMMANDS.flatMap(({ options }) => Object.keys(options)),
    ...COMMAND_SPELLINGS.flatMap(({ long }) => long),
    ...Object.values(SYNTAX).flatMap(({ options, sugar = {} }) => [
      ...Object.values(options).flatMap(({ long }) => long),
      ...Object.keys(sugar),
    ]),
    ...Object.values(TARGET_SYNTAX).flatMap(({ options }) =>
      Object.values(options).flatMap(({ long }) => long),
    ),
    ...Object.keys(UNAVAILABLE_OPTIONS),
    ...Object.values({ ...UNAVAILABLE_MATCHES, ...UNAVAILABLE_TARGETS }).flatMap(
      ({ options }) => options,
    ),
  ]);

  test.each(DOCUMENTS)('%s: options, codes, files and scripts are there', (path) => {
    const text = readDocument(path);
    const options = flagsIn(text).filter((name) => !OWN.has(name) && !FOREIGN.includes(name));
    expect(options).toEqual([]);
    expect((text.match(/\bSF\d{3}\b/g) ?? []).filter((code) => !isCode(code))).toEqual([]);
    const files = quoted(text).filter(
      (word) =>
        /^(packages|test|docs|rules)\/[\w./-]+$/.test(word) &&
        !word.includes('NAME') &&
        // Built where somebody asks for it.
        !/\/dist(\/|$)/.test(word),
    );
    const isThere = (file: string) =>
      existsSync(join(REPOSITORY, file)) || existsSync(join(REPOSITORY, dirname(path), file));
    expect(files.filter((file) => !isThere(file))).toEqual([]);
    const { scripts }: { readonly scripts: Readonly<Record<string, string>> } = JSON.parse(
      readDocument('package.json'),
    );
    const run = [...text.matchAll(/npm run (?:--\w+ )?([\w:]+)/g)].map(([, name = '']) => name);
    expect(run.filter((name) => !(name in scripts))).toEqual([]);
  });

  test('every option of a command is in one of them', () => {
    const all = new Set(DOCUMENTS.flatMap((path) => flagsIn(readDocument(path))));
    const regions: readonly string[] = REGION_KEYS;
    const missing = COMMANDS.flatMap(({ words, options }) =>
      Object.keys(options)
        .filter((name) => !all.has(name) && !regions.includes(name))
        .map((name) => `${words} --${name}`),
    );
    expect(missing).toEqual([]);
  });
});
