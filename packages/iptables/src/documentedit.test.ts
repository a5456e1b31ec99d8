import type { Table } from '@sockfilter/table';
import {
  applyEdit,
  editDocument,
  isEdit,
  NO_NAMES,
  parseCommand,
  parseSave,
  printSave,
} from './index.js';

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
  const { document, table: start, diagnostics } = parseSave(FILE, 'web.rules', { names: NO_NAMES });
  expect(diagnostics).toEqual([]);
  const context = { names: NO_NAMES, groups: start.groups };
  const table = commands.reduce((before: Table, text) => {
    const { command } = parseCommand(text.split(' '), context);
    if (!command || !isEdit(command)) throw new Error(text);
    return applyEdit(before, command);
  }, start);
  const text = editDocument(document, table);
  expect(printSave(parseSave(text, 'again', { names: NO_NAMES }).table)).toBe(printSave(table));
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
  const text = editDocument(document, { ...table, groups: [...table.groups, db] });
  expect(text).toBe(FILE.replace('/web.slice\n', '/web.slice\n-G db --id 4\n'));
});
