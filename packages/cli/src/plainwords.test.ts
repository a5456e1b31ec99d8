import fc from 'fast-check';
import type { Argv } from 'yargs';
import { COMMANDS } from './commandrow.js';
import { addCommands } from './commands.js';
import { CommandError } from './failure.js';
import { flagWithValue, readPlain } from './plainwords.js';
import type { CommandRow, Filler } from './rows/row.js';
import { baseParser } from './yargswords.js';

const GLOBALS = { root: '/', file: undefined, wait: 0 };

/** The parser, whose commands give `keep` what they are given and do nothing. */
function keeping(parser: Argv, keep: (values: object) => void): Argv {
  return new Proxy(parser, {
    get: (target, name, self) => {
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== 'function') return member;
      return (...args: readonly unknown[]) => {
        const [usage, describe, build, run] = args;
        const inside = (command: Argv) =>
          typeof build === 'function' ? build(keeping(command, keep)) : command;
        const given = name === 'command' ? [usage, describe, inside, run && keep] : args;
        const result: unknown = member.apply(target, given);
        return result === target ? self : result;
      };
    },
  });
}

/** What each of the two gives to the command; nothing if the words are not plain. */
async function readBoth(row: CommandRow, words: readonly string[]) {
  const kept: object[] = [];
  const declare = (parser: Argv) =>
    addCommands(
      keeping(parser, (values) => kept.push(values)),
      GLOBALS,
      [],
    );
  await readPlain(words, declare)?.();
  const [plain] = kept.splice(0);
  if (!plain) return {};
  try {
    await declare(baseParser({ words, row })).parseAsync([...words]);
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
  }
  return { plain, whole: kept[0] };
}

/** What is said, in order. Of yargs, what has the names of `plain`: it adds names for aliases, and some of its own. */
function said(values: object | undefined, plain: object) {
  return Object.entries(values ?? {})
    .filter(([key, value]) => value !== undefined && key in plain)
    .toSorted(([a], [b]) => (a < b ? -1 : 1));
}

const VALUE = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom('web', 'a.rules', '10.0.0.0/8', '!80:90', '007', '1e3') },
  {
    weight: 1,
    arbitrary: fc.constantFrom('', '-', '--', 'true', 'false', '"x"', "'y'", '-1', '__proto__'),
  },
  { weight: 1, arbitrary: fc.string({ unit: 'grapheme', maxLength: 4 }) },
);

function valueFor(filler: Filler): fc.Arbitrary<string> {
  if (typeof filler === 'string') return VALUE;
  return fc.oneof(
    { weight: 5, arbitrary: fc.constantFrom(...filler) },
    { weight: 1, arbitrary: VALUE },
  );
}

function optionOf([name, filler]: readonly [string, Filler]): fc.Arbitrary<readonly string[]> {
  if (filler === 'flag')
    return fc.oneof(
      { weight: 6, arbitrary: fc.constant([`--${name}`]) },
      {
        weight: 1,
        arbitrary: fc.constantFrom([`--${name}=true`], [`--no-${name}`], [`--${name}`, 'false']),
      },
    );
  return valueFor(filler).chain((value) =>
    fc.constantFrom([`--${name}`, value], [`--${name}=${value}`], [`--${name}`]),
  );
}

function wordsOf(row: CommandRow): fc.Arbitrary<readonly string[]> {
  const args = row.args.map(({ filler, optional, many }) =>
    fc.array(valueFor(filler), { minLength: optional ? 0 : 1, maxLength: many ? 3 : 1 }),
  );
  const options = Object.entries(row.options).map(optionOf);
  const option =
    options.length > 0 ? fc.array(fc.oneof(...options), { maxLength: 3 }) : fc.constant([]);
  const odd = fc.constantFrom(
    [],
    [],
    [],
    [],
    ['-h'],
    ['-x'],
    ['--help'],
    ['more'],
    ['-cn'],
    ['-c'],
    ['-f', 'o'],
  );
  return fc
    .tuple(fc.tuple(...args), option, odd)
    .chain(([positional, given, strange]) =>
      fc.shuffledSubarray([...positional.flat().map((word) => [word]), ...given, strange], {
        minLength: positional.flat().length + given.length + 1,
      }),
    )
    .map((parts) => [...row.words.split(' '), ...parts.flat()]);
}

const LONG = process.env.SOCKFILTER_LONG === '1';

test('words are read as yargs reads them, or not at all', async () => {
  const typed = fc
    .constantFrom(...COMMANDS)
    .chain((row) => fc.record({ row: fc.constant(row), words: wordsOf(row) }));
  let plainly = 0;
  const runs = LONG ? 5000 : 200;
  await fc.assert(
    fc.asyncProperty(typed, async ({ row, words }) => {
      const { plain, whole } = await readBoth(row, words);
      if (!plain) return;
      plainly++;
      expect(said(plain, plain)).toEqual(said(whole, plain));
    }),
    { numRuns: runs },
  );
  expect(plainly).toBeGreaterThan(runs / 5);
});

/** Shells and the options of every command take words out of these before they are read. */
const isWhole = (example: string) =>
  !/[<>|$&-] |^trace|--wait|--root|--file|-exist|-!/.test(`${example} `);

test('the examples of helps are plain', async () => {
  for (const row of COMMANDS)
    for (const example of row.examples.filter(isWhole)) {
      const { plain, whole } = await readBoth(row, example.split(' '));
      expect([example, plain]).toEqual([example, expect.anything()]);
      expect([example, said(plain, plain ?? {})]).toEqual([example, said(whole, plain ?? {})]);
    }
});

test.each([
  ['learn --live false'],
  ['learn --live=true'],
  ['learn --live --live'],
  ['learn --rules a --rules b'],
  ['learn --rules --live'],
  ['learn --rules'],
  ["learn 'a'"],
  ['learn -'],
  ['learn --no-live'],
  ['restore a b'],
  ['restore --rules a'],
  ['save -cf a'],
  ['save --table filter'],
  ['group add'],
  ['group'],
  ['export a'],
  ['import a --from nft-json --group 1 --path /a'],
  ['check a --help'],
])('%s is no plain reading', (line) => {
  const declare = (parser: Argv) => addCommands(parser, GLOBALS, []);
  expect(readPlain(line.split(' '), declare)).toBeUndefined();
});

describe('a flag that is given a value is refused, not taken for one that is not there', () => {
  const declare = (parser: Argv) => addCommands(parser, GLOBALS, []);
  const flags = COMMANDS.flatMap(({ words, options }) =>
    Object.keys(options)
      .filter((name) => options[name] === 'flag')
      .map((name) => `${words} --${name}`),
  );

  test.each(flags)('%s', (line) => {
    const words = line.split(' ');
    const flag = words.at(-1) ?? '';
    const given = (value: string) => [...words.slice(0, -1), 'a', `${flag}=${value}`];
    for (const value of ['yes', '1', '', 'TRUE', 'no'])
      expect(flagWithValue(given(value), declare)).toEqual([flag, value]);
    for (const value of ['true', 'false'])
      expect(flagWithValue(given(value), declare)).toBeUndefined();
  });

  test.each([
    ['save -c=1', '-c'],
    ['--test=yes restore a', '--test'],
    ['diff --noNewAccess=1 a b', '--noNewAccess'],
    ['save --help=no', '--help'],
  ])('%s', (line, flag) => {
    expect(flagWithValue(line.split(' '), declare)?.[0]).toBe(flag);
  });

  test.each(['save -f=a', 'save --output=a', 'group add a=b', 'restore a'])('not %s', (line) => {
    expect(flagWithValue(line.split(' '), declare)).toBeUndefined();
  });
});
