/** Every help that holds a spelling or a command is carried out, and what comes of it is read again. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { type Diagnostic, NO_NAMES } from '@sockfilter/language';
import { TARGETS } from '@sockfilter/table';
import { forLength } from '../../../test/harness/length.js';
import { UNAVAILABLE_MATCHES, UNAVAILABLE_TARGETS } from './extensions.js';
import { commandLine, parseCommand, parseSave, unfitNames } from './index.js';
import { lexLine } from './lexer.js';

const names = { ...NO_NAMES, service: (name: string) => (name === 'http' ? 80 : undefined) };
const CHAINS = ':office - [0:0]\n:silent - [0:0]\n-A ACCEPT -j silent';
const { table } = parseSave(`*socket\n${CHAINS}\nCOMMIT\n`, 'table', { names });

/** All that is wrong with a command line, its words and what the table lacks. */
function mistakes(line: string): readonly Diagnostic[] {
  const argv = lexLine(line, 'line', 1).words.map(({ text }) => text);
  const parsed = parseCommand(argv, { names, groups: [] });
  if (!parsed.command) return parsed.diagnostics;
  const { place, chain, target } = parsed;
  const places = { place, chain: chain?.span, target: target?.span };
  return unfitNames(table, parsed.command, places, { names, groups: [] });
}

/** What the help says to write in the place's stead; undefined for help of another form. */
function replacements(help: string): readonly string[] | undefined {
  const said = /(?:did you mean|write|it could be) (`[^`]+`(?:(?:, | or )`[^`]+`)*)/.exec(
    help,
  )?.[1];
  return said === undefined
    ? undefined
    : [...said.matchAll(/`([^`]+)`/g)].flatMap(([, word]) => word ?? []);
}

/** Helps that hold a spelling and no replacement, each for a reason. */
const OTHER_FORMS = [
  // The table can't be asked from here.
  /^the chains are /,
  // A command of its own, run in the command line's tests.
  /^try `sockfilter --help`/,
  /`set add --resolve`$/,
  /^create the chain first: `-N /,
  /^declare it first: `:/,
  /^start with a line `\*socket`$/,
  /^the only table is `\*socket`$/,
  /^a name starts with neither /,
];

const key = ({ code, message }: Diagnostic) => `${code} ${message}`;

/** What is still wrong, or newly wrong, when the text stands in the place's stead. */
function afterwards(line: string, { span, ...rest }: Diagnostic, text: string): string | undefined {
  const before = new Set(mistakes(line).map(key));
  const from = span.column - 1;
  const edited = line.slice(0, from) + text + line.slice(from + span.length);
  const after = mistakes(edited);
  const stays = after.some((each) => key(each) === key({ span, ...rest }));
  // What a word that was not understood needs beside it can be told only now.
  const fresh = after.filter((each) => each.code !== 'missing' && !before.has(key(each)));
  if (!stays && fresh.length === 0) return undefined;
  return `${line} -> ${edited}: ${after.map(key).join('; ')}`;
}

/** Carries the help out; what is wrong with it. */
function follow(line: string, diagnostic: Diagnostic): readonly string[] {
  const { help = '' } = diagnostic;
  const found = replacements(help);
  if (!found) {
    const isOther = !help.includes('`') || OTHER_FORMS.some((form) => form.test(help));
    return isOther ? [] : [`no form of help: ${help}`];
  }
  const faults = found.map((text) => afterwards(line, diagnostic, text));
  // Of what an abbreviation could be, one is meant.
  if (diagnostic.code === 'ambiguous-option' && faults.includes(undefined)) return [];
  return faults.filter((fault) => fault !== undefined);
}

/** The line as it is cited in its diagnostics. */
function cited(line: string): string {
  return commandLine(lexLine(line, 'line', 1).words.map(({ text }) => text)).source.text;
}

function followAll(line: string): readonly string[] {
  const shown = cited(line);
  return mistakes(shown).flatMap((diagnostic) => follow(shown, diagnostic));
}

const golden = readFileSync(resolve('packages/iptables/src/diagnostics.golden'), 'utf8')
  .split('\n')
  .filter((line) => line.startsWith('> '))
  .map((line) => line.slice(2));

const MISTYPED = [
  '-A OUTPUT -p tcp --dport 80 -j ACCEPT',
  '-A OUTPUT -j ACCEPT',
  '-A INPUT -j DROP',
  '-A INPUT -p tcp --dport 80 -j DROP',
  '-A INPUT -p udp -s 10.0.0.1 -j DROP',
  '-A INPUT -j REJECT',
  '-A FORWARD -j DROP',
  '-A PREROUTING -j DROP',
  '-A bind -j DROP',
  '-A CONECT -j DROP',
  '-A nothing-near -j DROP',
  '-X CONECT',
  '-F ofice',
  '-L nochain',
  '-P bind DROP',
  '-P OUTPUT DROP',
  '-P BIND accept',
  '-A CONNECT -j accept',
  '-A CONNECT -j ACCPT',
  '-A CONNECT -j ofice',
  '-A CONNECT -g Office',
  '-A silent -j REJCT',
  '-A ACCEPT -j REJECT',
  '-A ACCEPT -j REJECT --reject-with icmp-port-unreachable',
  '-A CONNECT -j REJECT --reject-with tcp-reset',
  '-A CONNECT -d 172.17.0.2-172.17.0.254 -j DROP',
  '-A CONNECT ! -d 172.17.0.2-172.17.0.254 -j DROP',
  '-A CONNECT -s fd00::1-fd00::5 -j DROP',
  '-A CONNECT -p tcp --dport 80,443 -j DROP',
  '-A CONNECT -p tcp ! --dport 80,443:500 -j DROP',
  '-A CONNECT -p tcp --sport 80,http -j DROP',
  '-A CONNECT -p tcp --dport 8000-8080 -j DROP',
  '-A CONNECT -p tcp -m multiport --dports 80,8000-8080 -j DROP',
  '-A CONNECT -m owner --uid-owner 5:6 -j DROP',
  '-A CONNECT -m cgroup --id 5-6 -j DROP',
  '-A CONNECT -p tcp,udp --dport 53 -j DROP',
  '-A CONNECT -p TCPP --dport 53 -j DROP',
  '-A CONNECT ! --dport 53 -j DROP',
  '-A CONNECT -p icmp --dport 53 -j DROP',
  '-A CONNECT --dport 80 -p all -j DROP',
  '-A CONNECT -d 10.1 -j DROP',
  '-A CONNECT -d 10 -j DROP',
  '-A CONNECT -d fe80::1%eth0 -j DROP',
  '-A CONNECT -d 10.0.0.2/32 \u2013j DROP',
  '-A CONNECT -d \u201c10.0.0.2\u201d -j DROP',
  '-A CONNECT -d\u00a010.0.0.2 -j DROP',
  '-A CONNECT -d \uff11\uff10.0.0.1 -j DROP',
  '-A CONNECT -p tcp --dport 080 -j DROP',
  '-A CONNECT -p tcp --dport 90:80 -j DROP',
  '-A CONNECT -d ! 10.0.0.0/8 -j DROP',
  '-A CONNECT --jmp DROP',
  '-A CONNECT --uid-owner 0 -j DROP',
  '-A CONNECT --set-mss 1000',
  '-A CONNECT --set-mark 1',
  '-A CONNECT -p tcp --dports 80',
  '-A CONNECT -m multiprt --dports 80',
];

test.each([...golden, ...MISTYPED])('the help for %s', (line) => {
  expect(followAll(line)).toEqual([]);
});

const SOUND = [
  '-A CONNECT -p tcp --dport 80:90 -d 10.0.0.0/8 -j DROP',
  '-A SENDTO -p udp --sport 53 ! -s 10.0.0.1 -j ACCEPT',
  '-A BIND -m cgroup --id 3:5 -m comment --comment text -j office',
  '-A CONNECT -m owner --uid-owner 0-5 -j REJECT --reject-with EACCES',
  '-A office -p tcp -m multiport --dports 1,2:3 -m iprange --src-range 10.0.0.1-10.0.0.9 -g silent',
  '-A CONNECT -p tcp --syn -m socket --remote 10.0.0.1 --remote-port 5 -j RETURN',
];

/** Every slip of the finger at a place of the line. */
function* slips(line: string, at: number): Generator<string> {
  const [head, here, next, tail] = [
    line.slice(0, at),
    line.charAt(at),
    line.charAt(at + 1),
    line.slice(at + 2),
  ];
  yield head + next + tail;
  yield head + here + here + next + tail;
  yield head + next + here + tail;
  yield head +
    (here === here.toUpperCase() ? here.toLowerCase() : here.toUpperCase()) +
    next +
    tail;
  if (here === '-') yield `${head}\u2013${next}${tail}`;
  for (const letter of 'aeiX0-:,/.!') yield head + letter + next + tail;
}

/** What is wrong with the helps for the line: those after which the same mistake is there still. */
function vain(line: string): readonly string[] {
  const shown = cited(line);
  return mistakes(shown).flatMap((diagnostic) =>
    (replacements(diagnostic.help ?? '') ?? [])
      .map((text) => {
        const from = diagnostic.span.column - 1;
        return shown.slice(0, from) + text + shown.slice(from + diagnostic.span.length);
      })
      .filter((edited) => mistakes(edited).map(key).includes(key(diagnostic)))
      .map((edited) => `${shown}: ${diagnostic.help}: ${edited}`),
  );
}

test.each(SOUND)('the help for each slip of the finger in %s', (line) => {
  const stride = forLength({ long: 1, short: 5 });
  const lines = [...line].flatMap((_, at) => [...slips(line, at)]);
  expect(lines.filter((_, n) => n % stride === 0).flatMap(vain)).toEqual([]);
});

test('a range of three ends has no help that says one of its halves', () => {
  expect(mistakes('-A CONNECT -p tcp -m multiport --dports 1:2:3')).toMatchObject([
    { message: 'invalid port `2:3`', help: undefined },
  ]);
});

/** Options of our own targets that take no value: a word behind one is a mistake of its own. */
const FLAGS = Object.values(TARGETS).flatMap(({ options }) =>
  Object.entries(options).flatMap(([name, { value }]) => (value === 'none' ? [name] : [])),
);

test.each([
  ...Object.entries(UNAVAILABLE_MATCHES).map(([name, row]) => ['-m', name, row] as const),
  ...Object.entries(UNAVAILABLE_TARGETS).map(([name, row]) => ['-j', name, row] as const),
])('%s %s is refused once, whatever its options', (flag, name, { reason, options }) => {
  const words = options.map((option) => `--${option} 1 two`).join(' ');
  const found = mistakes(`-A CONNECT ${flag} ${name} ${words}`);
  expect(found.map(({ message }) => message)).toEqual([
    `${flag === '-m' ? 'match' : 'target'} \`${name}\` is not available: ${reason}`,
  ]);
  for (const option of options) {
    const [alone, ...more] = mistakes(
      `-A CONNECT --${option}${FLAGS.includes(option) ? '' : ' 1'}`,
    );
    expect(more).toEqual([]);
    expect(alone?.help ?? '').not.toContain('did you mean');
  }
});
