/**
 * What the documents show is true: their console examples run and print what they say, their rules
 * parse, and their links lead somewhere. Rule files are documents too.
 *
 *     ```console         commands after `$ `, run in a scratch folder with SOCKFILTER_FILE=my.rules
 *     ```console live    the same on a live table, below a control group of the test's own
 *     ```rules           a rule file, or lines of one
 *
 * In what a command prints `...` stands for any text on its line, and a line `...` for any lines. The
 * examples of one document follow one another: each goes on where the last one ended.
 */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseSave, printSave } from '@sockfilter/iptables';
import { NO_NAMES } from '@sockfilter/language';
import { CgroupTree } from './harness/cgroups.js';
import {
  agrees,
  type Block,
  REPOSITORY,
  readBlocks,
  readDocument,
  readSteps,
  runSteps,
  Scratch,
} from './harness/documents.js';
import { describeKernel } from './harness/kernel.js';

/** Languages of fenced blocks that are shown and not run here: test/nftables runs those of its package. */
const SHOWN = ['sh', 'text', 'ini', 'ts', 'yaml', 'js', 'js skip'];

/** The anchor that a heading gets. */
function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .trim()
    .replaceAll(' ', '-');
}

function withoutBlocks(markdown: string): string {
  return markdown.replace(/^```[\s\S]*?^```$/gm, '');
}

/** The links of a document that lead nowhere; `read` gives another document, or undefined. */
function brokenLinks(
  path: string,
  markdown: string,
  read: (path: string) => string | undefined,
): readonly string[] {
  const targets = [...withoutBlocks(markdown).matchAll(/\]\(([^)\s]+)\)/g)].map(
    ([, to]) => to ?? '',
  );
  return targets.filter((target) => {
    if (/^[a-z]+:/.test(target)) return false;
    const [file = '', anchor] = target.split('#');
    const text = file === '' ? markdown : read(join(dirname(path), file));
    if (text === undefined) return true;
    if (anchor === undefined) return false;
    const headings = [...withoutBlocks(text).matchAll(/^#+ (.*)$/gm)].map(([, heading]) => heading);
    return !headings.some((heading) => anchorOf(heading ?? '') === anchor);
  });
}

/** What is wrong with a rule file, or with lines of one. */
function ruleFaults(text: string): readonly string[] {
  const whole = text.includes('*socket') ? text : `*socket\n${text}\nCOMMIT\n`;
  return parseSave(whole, 'rules', { names: NO_NAMES }).diagnostics.map(({ message }) => message);
}

const DOCUMENTS = [
  'README.md',
  'CHANGELOG.md',
  'CONTRIBUTING.md',
  'SECURITY.md',
  ...readdirSync(join(REPOSITORY, 'packages')).map((name) => `packages/${name}/README.md`),
  ...readdirSync(join(REPOSITORY, 'docs')).map((name) => `docs/${name}`),
].filter((path) => path.endsWith('.md') && existsSync(join(REPOSITORY, path)));

/** Pages of findings are run by findings.system.test.ts. */
const PAGES = readdirSync(join(REPOSITORY, 'docs/findings')).map((name) => `docs/findings/${name}`);

const RULE_FILES = readdirSync(join(REPOSITORY, 'rules')).filter((name) => name.endsWith('.rules'));

function blocksOf(path: string, language: string): readonly Block[] {
  return readBlocks(readDocument(path)).filter((block) => block.language === language);
}

test.each([...DOCUMENTS, ...PAGES])('%s has links that lead somewhere', (path) => {
  const read = (other: string) => {
    const entry = statSync(join(REPOSITORY, other), { throwIfNoEntry: false });
    return entry?.isFile() ? readDocument(other) : entry && '';
  };
  expect(brokenLinks(path, readDocument(path), read)).toEqual([]);
});

describe.each(DOCUMENTS)('%s', (path) => {
  test('has blocks of known languages only', () => {
    const known = ['console', 'console live', 'rules', ...SHOWN];
    const blocks = readBlocks(readDocument(path));
    expect(blocks.filter(({ language }) => !known.includes(language))).toEqual([]);
  });

  const rules = blocksOf(path, 'rules');
  if (rules.length > 0)
    test.each(rules)('rules at line $line parse', ({ text }) => {
      expect(ruleFaults(text)).toEqual([]);
    });

  const consoles = blocksOf(path, 'console');
  if (consoles.length > 0)
    describe('on a rule file', () => {
      let scratch: Scratch;
      beforeAll(() => {
        scratch = new Scratch(undefined);
      });
      afterAll(() => scratch?.remove());
      test.each(consoles)('console at line $line', ({ text }) => {
        runSteps(text, scratch);
      });
    });
});

const live = DOCUMENTS.flatMap((path) =>
  blocksOf(path, 'console live').map((block) => ({ path, ...block })),
);

describeKernel('documents on a live table', () => {
  const scratches = new Map<string, Scratch>();
  afterAll(async () => {
    for (const scratch of scratches.values()) {
      scratch.run('sockfilter -w teardown');
      scratch.remove();
    }
    await CgroupTree.removeAll();
  });

  test.each(live)('$path, line $line', async ({ path, text }) => {
    let scratch = scratches.get(path);
    if (!scratch) {
      scratch = new Scratch((await CgroupTree.create()).path);
      scratches.set(path, scratch);
    }
    runSteps(text, scratch);
  });
});

describe('rules/', () => {
  test.each(RULE_FILES)('%s parses, and is in canonical form but for comments', (name) => {
    const path = join('rules', name);
    const text = readDocument(path);
    const { table, diagnostics } = parseSave(text, path, { names: NO_NAMES });
    expect(diagnostics).toEqual([]);
    const bare = text.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('#'));
    expect(printSave(table)).toBe(`${bare.join('\n')}\n`);
    expect(text).toMatch(/^# /);
  });

  test('is mentioned, each file of it', () => {
    const text = DOCUMENTS.map(readDocument).join('\n');
    expect(RULE_FILES.filter((name) => !text.includes(name))).toEqual([]);
  });
});

describe('the checks themselves', () => {
  test('read blocks and steps', () => {
    const blocks = readBlocks('a\n```console\n$ echo 1\n1\n$ true\n```\n```rules\n-A X\n```\n');
    expect(blocks.map(({ language, line }) => `${language} ${line}`)).toEqual([
      'console 3',
      'rules 8',
    ]);
    expect(readSteps(blocks[0]?.text ?? '')).toEqual([
      { command: 'echo 1', output: '1' },
      { command: 'true', output: '' },
    ]);
    expect(readSteps('$ a \\\n  b\nc')).toEqual([{ command: 'a \\\n  b', output: 'c' }]);
    expect(readSteps('$ cat <<E\n> b\n> E\nb')).toEqual([
      { command: 'cat <<E\nb\nE', output: 'b' },
    ]);
    expect(() => readBlocks('```console\n$ echo 1\n')).toThrow('has no end');
    expect(() => readSteps('echo 1')).toThrow('no command before');
  });

  test.each([
    ['1', '1\n', true],
    ['', '', true],
    ['', '1\n', false],
    ['1', '', false],
    ['1', '1\n2\n', false],
    ['1.2', '1x2\n', false],
    ['id ... of 3', 'id 17 of 3\n', true],
    ['id ... of 3', 'id 17 of 4\n', false],
    ['1\n...\n4', '1\n2\n3\n4\n', true],
    ['1\n...\n4', '1\n2\n3\n', false],
  ])('%j agrees with %j: %s', (shown, text, expected) => {
    expect(agrees(shown, text)).toBe(expected);
  });

  test('find output that differs', async () => {
    const scratch = new Scratch(undefined);
    try {
      runSteps('$ sockfilter -S BIND\n-P BIND ACCEPT', scratch);
      expect(() => runSteps('$ sockfilter -S BIND\n-P BIND DROP', scratch)).toThrow();
      expect(() => runSteps('$ sockfilter -A BIND --dprt 80', scratch)).toThrow();
    } finally {
      scratch.remove();
    }
  });

  test('find rules that do not parse', () => {
    expect(ruleFaults('-A BIND -j ACCEPT')).toEqual([]);
    expect(ruleFaults('-A BIND -j NOWHERE')).not.toEqual([]);
    expect(ruleFaults('*socket\n-A BIND -j ACCEPT\n')).not.toEqual([]);
  });

  test('find links that lead nowhere', () => {
    const files: Readonly<Record<string, string>> = { 'docs/b.md': '# One & two\n' };
    const broken = (text: string) => brokenLinks('docs/a.md', text, (path) => files[path]);
    expect(broken('[b](b.md) [b](b.md#one--two) [w](https://x.y/z) [a](#here)\n# Here')).toEqual(
      [],
    );
    expect(broken('[c](c.md) [b](b.md#three) [a](#there)\n# Here')).toEqual([
      'c.md',
      'b.md#three',
      '#there',
    ]);
  });
});
