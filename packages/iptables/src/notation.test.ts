import { applyEdit, isEdit, NO_NAMES } from '@sockfilter/language';
import type { Table } from '@sockfilter/table';
import { editSave, parseCommand, parseSave, printRuleFile } from './index.js';

const FILE = `# Who may do what

*socket
:BIND ACCEPT [0:0]
:web - [0:0]
-G web --id 3 --path /web.slice

# the web servers
-A BIND -m cgroup --id web   -j web
-A BIND -d 10.0.0.1,10.0.0.2 -j DROP   
-A web -ptcp --dport 443 -jACCEPT
# everything else
-A web -j RETURN
COMMIT
# the end
`;

function edited(...commands: readonly string[]): string {
  return editedFile(FILE, commands);
}

function editedFile(file: string, commands: readonly string[]): string {
  const { document, table: start, diagnostics } = parseSave(file, 'web.rules', { names: NO_NAMES });
  expect(diagnostics).toEqual([]);
  const context = { names: NO_NAMES, groups: start.groups };
  const table = commands.reduce((before: Table, text) => {
    const { command } = parseCommand(text.split(' '), context);
    if (!command || !isEdit(command)) throw new Error(text);
    return applyEdit(before, command);
  }, start);
  const text = editSave(document, table);
  const again = parseSave(text, 'again', { names: NO_NAMES });
  expect(printRuleFile(again.table)).toBe(printRuleFile(table));
  return text;
}

test('no edit leaves every byte', () => {
  expect(edited()).toBe(FILE);
});

test.each<[string[], [string, string]]>([
  [['-A BIND -j DROP'], ['-j DROP   \n', '-j DROP   \n-A BIND -j DROP\n']],
  [['-I BIND -p udp'], ['# the web servers\n', '-A BIND -p udp\n# the web servers\n']],
  [['-I web 2 -j DROP'], ['-jACCEPT\n', '-jACCEPT\n-A web -j DROP\n']],
  [['-A CONNECT -j DROP'], ['COMMIT\n', '-A CONNECT -j DROP\nCOMMIT\n']],
  [['-D web 1'], ['-A web -ptcp --dport 443 -jACCEPT\n', '']],
  [['-D BIND 2'], ['-A BIND -d 10.0.0.1,10.0.0.2 -j DROP   ', '-A BIND -d 10.0.0.2/32 -j DROP']],
  [
    ['-D BIND 2', '-D BIND 2'],
    ['-A BIND -d 10.0.0.1,10.0.0.2 -j DROP   \n', ''],
  ],
  [['-R web 2 -j DROP'], ['-A web -j RETURN', '-A web -j DROP']],
  [['-P BIND DROP'], [':BIND ACCEPT', ':BIND DROP']],
  [['-P ACCEPT DROP'], [':web - [0:0]\n', ':web - [0:0]\n:ACCEPT DROP [0:0]\n']],
  [['-N new'], [':web - [0:0]\n', ':web - [0:0]\n:new - [0:0]\n']],
])('%j touches its lines only', (commands, [from, to]) => {
  expect(edited(...commands)).toBe(FILE.replace(from, to));
});

test('a rule between those of one line splits it', () => {
  expect(edited('-I BIND 3 -j RETURN')).toBe(
    FILE.replace(
      '-A BIND -d 10.0.0.1,10.0.0.2 -j DROP   ',
      '-A BIND -d 10.0.0.1/32 -j DROP\n-A BIND -j RETURN\n-A BIND -d 10.0.0.2/32 -j DROP',
    ),
  );
});

test('renaming and deleting a chain', () => {
  expect(edited('-E web www')).toContain(
    '-A www -p tcp -m tcp --dport 443 -j ACCEPT\n# everything else',
  );
  const gone = edited('-F web', '-D BIND 1', '-X web');
  expect(gone).not.toContain('-A web');
  expect(gone).toContain(
    '# the web servers\n-A BIND -d 10.0.0.1,10.0.0.2 -j DROP   \n# everything else\nCOMMIT',
  );
});

test('groups come and go', () => {
  const { document, table } = parseSave(FILE, 'web.rules', { names: NO_NAMES });
  const db = { name: 'db', id: 4, path: undefined };
  const text = editSave(document, { ...table, groups: [...table.groups, db] });
  expect(text).toBe(FILE.replace('/web.slice\n', '/web.slice\n-G db --id 4\n'));
});

const COUNTED = `*socket
:BIND DROP [7:0]
:CONNECT ACCEPT [0:99]
:web - [0:0]
# five
[5:0]  -A BIND -ptcp --dport 80   -j ACCEPT
[4:300] -A BIND -d 10.0.0.1,10.0.0.2 -j web
-A BIND -p udp -c 6 0 -j DROP
-A BIND   -m cgroup --id 3   -j ACCEPT
[0:0]   -A web -j RETURN
[3:0] -A web -c 2 0 -j DROP
COMMIT
`;

test.each<[string[], ...[string, string][]]>([
  [[]],
  [['-A BIND -j DROP -c 9 0'], ['[0:0]   -A web', '[9:0] -A BIND -j DROP\n[0:0]   -A web']],
  [['-A web -j DROP -c 9 0'], ['COMMIT', '[9:0] -A web -j DROP\nCOMMIT']],
  [['-A web -j DROP -c 0 9'], ['COMMIT', '-A web -j DROP\nCOMMIT']],
  [['-I CONNECT -j DROP -c 9 0'], ['COMMIT', '[9:0] -A CONNECT -j DROP\nCOMMIT']],
  [
    ['-R BIND 1 -p udp -c 9 0'],
    ['[5:0]  -A BIND -ptcp --dport 80   -j ACCEPT', '[9:0] -A BIND -p udp'],
  ],
  [['-R BIND 1 -p udp'], ['[5:0]  -A BIND -ptcp --dport 80   -j ACCEPT', '-A BIND -p udp']],
  [['-D BIND 1'], ['[5:0]  -A BIND -ptcp --dport 80   -j ACCEPT\n', '']],
  [
    ['-Z'],
    ['[7:0]', '[0:0]'],
    ['[5:0]', '[0:0]'],
    ['[4:300]', '[0:0]'],
    [' -c 6 0', ''],
    ['[3:0] -A web -c 2 0', '-A web'],
  ],
  [['-Z BIND'], ['[7:0]', '[0:0]'], ['[5:0]', '[0:0]'], ['[4:300]', '[0:0]'], [' -c 6 0', '']],
  [['-Z BIND 1'], ['[5:0]', '[0:0]']],
  [['-Z BIND 5']],
  [['-Z CONNECT']],
  [
    ['-Z BIND 2'],
    [
      '[4:300] -A BIND -d 10.0.0.1,10.0.0.2 -j web',
      '-A BIND -d 10.0.0.1/32 -j web\n[4:0] -A BIND -d 10.0.0.2/32 -j web',
    ],
  ],
  [
    ['-Z BIND 1', '-D BIND 1'],
    ['[5:0]  -A BIND -ptcp --dport 80   -j ACCEPT\n', ''],
  ],
  [
    ['-Z BIND 1', '-I BIND 2 -j DROP'],
    ['[5:0]', '[0:0]'],
    ['[4:300]', '-A BIND -j DROP\n[4:300]'],
  ],
  [
    ['-E web www'],
    [':web - [0:0]\n', ':www - [0:0]\n'],
    [
      '[4:300] -A BIND -d 10.0.0.1,10.0.0.2 -j web',
      '[4:0] -A BIND -d 10.0.0.1/32 -j www\n[4:0] -A BIND -d 10.0.0.2/32 -j www',
    ],
    ['[0:0]   -A web', '-A www'],
    ['[3:0] -A web -c 2 0', '[2:0] -A www'],
  ],
  [['-P BIND ACCEPT'], [':BIND DROP [7:0]', ':BIND ACCEPT [7:0]']],
  [['-P BIND DROP']],
  [['-P CONNECT DROP'], [':CONNECT ACCEPT [0:99]', ':CONNECT DROP [0:0]']],
])('counters after %j', (commands, ...changes) => {
  const wanted = changes.reduce((text, [from, to]) => {
    expect(text).toContain(from);
    return text.replace(from, to);
  }, COUNTED);
  expect(editedFile(COUNTED, commands)).toBe(wanted);
});

test('a table that is printed anew has its counters', () => {
  const file = '*socket\n:BIND DROP [7:0]\n[5:0] -A BIND -j DROP\n-A BIND\n-D BIND 2\nCOMMIT\n';
  expect(editedFile(file, ['-A BIND -p tcp -c 9 0'])).toContain(
    '[5:0] -A BIND -j DROP\n[9:0] -A BIND -p tcp\n',
  );
});
