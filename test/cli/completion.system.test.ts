/** Completion in the real shells: bash, zsh and fish, each with the file that the package has. */
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { BUILTIN_CHAINS } from '@sockfilter/table';
import { COMMANDS } from '../../packages/cli/src/commandrow.js';
import { completionCases } from '../../packages/cli/src/completion/cases.js';
import { SHELLS, type Shell } from '../../packages/cli/src/completion/shell.js';
import { describeProgram } from '../harness/needing.js';
import { program, Workplace } from './command.js';

const SCRIPTS = join(__dirname, '../../packages/cli/dist/completion');

/** How each shell is asked what can stand in the place of a line's last word. */
const ASK: Readonly<Record<Shell, (line: string) => readonly string[]>> = {
  bash: (line) => [
    ...['--norc', '--noprofile', '-c'],
    `source ${SCRIPTS}/sockfilter.bash
     read -ra COMP_WORDS <<< "\${1/=/ = }"; [[ $1 != *' ' ]] || COMP_WORDS+=('')
     COMP_CWORD=$(( \${#COMP_WORDS[@]} - 1 )); compopt() { :; }
     _sockfilter; printf '%s\\n' "\${COMPREPLY[@]}"`,
    ...['bash', line],
  ],
  // Completion proper is the line editor's: its words are those that it is given to add.
  zsh: (line) => [
    ...['-f', '-c'],
    `compdef() { :; }; source ${SCRIPTS}/_sockfilter
     compadd() { shift; print -l -- \${(P)1}; }
     compset() { words[CURRENT]=\${words[CURRENT]#*=}; }
     _files() { local f; for f in \${words[CURRENT]}*(N); print -r -- $f; }
     ask() { local -a words; words=(\${(z)1}); [[ $1 != *' ' ]] || words+=(''); local CURRENT=$#words
       local current=\${words[CURRENT]#--*=}; _sockfilter | while read -r word; do
       [[ $word == \${current}* ]] && print -r -- $word; done; true }
     ask "$1"`,
    ...['zsh', line],
  ],
  fish: (line) => [
    ...['--no-config', '-c'],
    `source ${SCRIPTS}/sockfilter.fish; complete -C "$argv[1]" | string replace -r '\\t.*' ''; true`,
    line,
  ],
};

/** Lines, the words that must be offered, and one that must not. */
const LINES: readonly (readonly [line: string, words: readonly string[], absent?: string])[] = [
  ['sockfilter ', ['check', 'explain', 'group', 'restore'], '-A'],
  ['sockfilter -', ['-A', '--append', '--file', '-j', '--jump'], '--sports'],
  ['sockfilter --file rules -A ', [...BUILTIN_CHAINS, 'mine']],
  ['sockfilter --file rules -X ', ['mine'], 'BIND'],
  ['sockfilter -P BIND ', ['ACCEPT', 'DROP'], 'REJECT'],
  ['sockfilter --file rules -A BIND -j ', ['ACCEPT', 'DROP', 'REJECT', 'RETURN', 'mine'], 'BIND'],
  ['sockfilter --file rules -A BIND -g m', ['mine']],
  ['sockfilter -A BIND -m ', ['cgroup', 'multiport', 'owner', 'socket'], 'ip'],
  ['sockfilter -A BIND -p u', ['udp', 'udplite'], 'tcp'],
  ['sockfilter -A BIND -m multiport --', ['--dports', '--ports', '--jump'], '--uid-owner'],
  ['sockfilter -A BIND -p tcp --d', ['--dport', '--destination'], '--dports'],
  ['sockfilter -A CONNECT -j REJECT --r', ['--reject-with'], '--dport'],
  ['sockfilter -A CONNECT -j REJECT --reject-with EH', ['EHOSTUNREACH'], 'EPERM'],
  ['sockfilter --file rules -A BIND -m cgroup --id ', ['web']],
  ['sockfilter group ', ['add', 'delete', 'list', 'move'], 'check'],
  ['sockfilter --file rules group delete ', ['web']],
  ['sockfilter check --fo', ['--format'], '--file'],
  ['sockfilter check --format=j', ['json', 'junit'], 'text'],
  ['sockfilter check --format g', ['github'], 'json'],
  ['sockfilter check r', ['rules'], 'other'],
  ['sockfilter rules SF00', ['SF001', 'SF002'], 'SF101'],
  ['sockfilter query ', ['accept', 'refuse']],
  ['sockfilter review --gate ', ['no-new-access', 'report', 'same']],
  ['sockfilter --fi', ['--file']],
  ['sockfilter completion ', [...SHELLS]],
];

for (const shell of SHELLS)
  describeProgram(shell, shell, () => {
    let place: Workplace;
    let log: string;
    beforeAll(() => {
      place = new Workplace();
      place.write('rules', '*socket\n-N mine\n-G web --id 3 --path /web\nCOMMIT\n');
      place.write('other', '');
      log = place.path('started');
      mkdirSync(place.path('bin'));
      const script = `#!/bin/sh\necho x >> '${log}'\nexec '${process.execPath}' '${program('sockfilter')}' "$@"\n`;
      writeFileSync(place.path('bin/sockfilter'), script);
      chmodSync(place.path('bin/sockfilter'), 0o755);
    });
    afterAll(() => place.remove());

    const ask = (line: string) =>
      execFileSync(shell, ASK[shell](line), {
        cwd: place.folder,
        encoding: 'utf8',
        env: {
          HOME: place.folder,
          PATH: [place.path('bin'), process.env.PATH].join(delimiter),
          SOCKFILTER_STATE_DIR: place.path('state'),
        },
      })
        .split('\n')
        .map((word) => word.replace(/^--[a-z-]+=/, '').trim());

    test('every kind of word', () => {
      for (const [line, words, absent = 'never'] of LINES) {
        place.write('started', '');
        const offered = ask(line);
        expect([line, offered]).toEqual([line, expect.arrayContaining([...words])]);
        expect([line, offered]).not.toEqual([line, expect.arrayContaining([absent])]);
        // Only what the table knows costs the start of a process.
        expect([line, place.read('started') !== '']).toEqual([line, line.includes('--file rules')]);
      }
    });
  });

describe('what completion knows is what there is', () => {
  let place: Workplace;
  beforeAll(() => {
    place = new Workplace();
  });
  afterAll(() => place.remove());

  test.each(COMMANDS.map((row) => [row.words, row] as const))('sockfilter %s', (words, row) => {
    const { stdout } = place.expectStatus([...words.split(' '), '--help'], 0);
    const [options = ''] = stdout.split('Examples:');
    const named = [...options.matchAll(/^ +(?:-\w, )?--([a-z0-9-]+)/gm)].map(
      ([, name = '']) => name,
    );
    const known = completionCases().options.find(({ patterns }) => patterns.includes(words));
    expect(known?.words.toSorted()).toEqual(named.map((name) => `--${name}`).toSorted());
    expect(stdout).toContain(row.describe);
    for (const example of row.examples) expect(stdout).toContain(`  sockfilter ${example}\n`);
  });
});
