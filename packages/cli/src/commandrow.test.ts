/** The rows of commands, held to what those who read them take for granted. */
import {
  COMMAND_NAMES,
  COMMANDS,
  commandRow,
  examplesOf,
  rowsBelow,
  subcommandsOf,
} from './commandrow.js';

test.each(COMMANDS.map((row) => [row.words, row] as const))(
  '%s is found by its words',
  (words, row) => {
    expect(commandRow(words.split(' '))).toBe(row);
    expect(commandRow([...words.split(' '), 'x'])).toBe(row);
  },
);

test.each([[[]], [['group']], [['group', 'ad']], [['add']], [['save add', '']], [['-A', 'BIND']]])(
  '%j is no command',
  (words) => {
    expect(commandRow(words)).toBeUndefined();
  },
);

test('a command that has no other below it has words behind it of any kind', () => {
  expect(commandRow(['save', 'add'])?.words).toBe('save');
  expect(subcommandsOf('save')).toEqual([]);
});

test('those below a name are those whose first word it is', () => {
  expect(subcommandsOf('group')).toEqual(['add', 'list', 'delete', 'move']);
  expect(rowsBelow('se')).toEqual([]);
  const below = COMMAND_NAMES.flatMap((name) => rowsBelow(name));
  const alone = COMMANDS.filter(({ words }) => !words.includes(' '));
  expect(new Set([...below, ...alone])).toEqual(new Set(COMMANDS));
});

test('each name stands once, and no command is named as a group of commands is', () => {
  expect(new Set(COMMAND_NAMES).size).toBe(COMMAND_NAMES.length);
  for (const name of COMMAND_NAMES)
    expect([name, commandRow([name]) === undefined]).toEqual([name, rowsBelow(name).length > 0]);
});

test.each(COMMANDS.map(({ words, args }) => [words, args] as const))(
  '%s: what may be left out stands behind what may not, and the last alone stands several times',
  (_, args) => {
    const optional = args.map((each) => each.optional ?? false);
    expect(optional).toEqual(optional.toSorted());
    expect(args.slice(0, -1).some(({ many }) => many)).toBe(false);
  },
);

test('examples are shown as they are typed, a line each', () => {
  expect(examplesOf(COMMANDS.filter(({ words }) => words === 'status'))).toBe(
    'Examples:\n  sockfilter status\n  sockfilter status --json\n  sockfilter status --verify\n',
  );
});
