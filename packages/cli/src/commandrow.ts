/**
 * The commands that are words, a row for each: what help, suggestions and completion say of them. What
 * yargs takes is held against these rows by a test.
 */
import { FORMATS, REGION_KEYS, SEVERITIES } from '@sockfilter/policy/words';
import { detailRecord, FAMILIES, SET_TYPE_NAMES, STATE_NAMES } from '@sockfilter/table';

/** What a word can be: nothing that is known, or something that completion offers. */
export type Filler =
  | 'flag'
  | 'text'
  | 'file'
  /** A file that is written. */
  | 'output'
  | 'chain'
  | 'group'
  | 'set'
  | 'code'
  | readonly string[];

interface Argument {
  readonly name: string;
  readonly filler: Filler;
  readonly optional?: boolean;
  /** The last one may stand several times. */
  readonly many?: boolean;
}

export interface CommandRow {
  /** `save`, `group add`. */
  readonly words: string;
  readonly describe: string;
  readonly args: readonly Argument[];
  /** By long name. */
  readonly options: Readonly<Record<string, Filler>>;
  /** What it works on: the table in force, that or a saved one, or nothing but the files it is given. */
  readonly scope: 'live' | 'table' | 'files';
  /** As typed behind `sockfilter`. */
  readonly examples: readonly [string, string, ...string[]];
}

const REPORT = {
  format: FORMATS,
  'fail-on': SEVERITIES,
  'exit-zero': 'flag',
  all: 'flag',
} as const;

const REGION = Object.fromEntries(
  REGION_KEYS.map((key): [string, Filler] => {
    if (key === 'chain' || key === 'group') return [key, key];
    return [key, 'text'];
  }),
);

const group = { name: 'name', filler: 'group' } as const;
const set = { name: 'name', filler: 'set' } as const;
const element = { name: 'element', filler: 'text' } as const;
const words = { name: 'words', filler: 'text', optional: true, many: true } as const;
const paths = { name: 'paths', filler: 'file', many: true } as const;

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

export const COMMANDS: readonly CommandRow[] = [
  {
    words: 'save',
    describe: 'print the table in the format of iptables-save',
    args: [],
    options: {
      counters: 'flag',
      output: 'output',
      table: ['socket'],
      json: 'flag',
      version: 'flag',
    },
    scope: 'table',
    examples: ['save > web.rules', 'save -c -f web.rules'],
  },
  {
    words: 'restore',
    describe: 'put a saved rule file in force, all of it or nothing',
    args: [{ name: 'rules', filler: 'file', optional: true }],
    options: {
      json: 'flag',
      noflush: 'flag',
      test: 'flag',
      counters: 'flag',
      label: 'text',
      confirm: 'text',
      'reset-state': 'flag',
      'fail-closed': 'flag',
      version: 'flag',
    },
    scope: 'table',
    examples: ['restore --test web.rules', 'restore -c < web.rules'],
  },
  {
    words: 'confirm',
    describe: 'keep the table that `restore --confirm` has put in force',
    args: [],
    options: {},
    scope: 'live',
    examples: ['confirm', 'confirm --wait 5'],
  },
  {
    words: 'undo',
    describe: 'put the table before back: of a trial at once, else of the history',
    args: [],
    options: {},
    scope: 'live',
    examples: ['undo', 'undo --wait 5'],
  },
  {
    words: 'group add',
    describe: 'declare a group, and print its id',
    args: [{ name: 'name', filler: 'text' }],
    options: { path: 'text', id: 'text' },
    scope: 'table',
    examples: ['group add web', 'group add db --id 7 --path /db.slice'],
  },
  {
    words: 'group list',
    describe: 'list the groups',
    args: [],
    options: { json: 'flag' },
    scope: 'table',
    examples: ['group list', 'group list --json'],
  },
  {
    words: 'group delete',
    describe: 'forget a group; its id is not given out again',
    args: [group],
    options: { force: 'flag' },
    scope: 'table',
    examples: ['group delete web', 'group delete web --force'],
  },
  {
    words: 'group move',
    describe: 'move processes into a group',
    args: [group, { name: 'pid', filler: 'text', many: true }],
    options: {},
    scope: 'live',
    examples: ['group move web $$', 'group move web --wait 5 $$'],
  },
  {
    words: 'set create',
    describe: 'make a set',
    args: [{ name: 'name', filler: 'text' }, { name: 'type', filler: SET_TYPE_NAMES }, words],
    options: { exist: 'flag' },
    scope: 'table',
    examples: ['set create office net', 'set create banned ip,port timeout 300 maxelem 1000'],
  },
  {
    words: 'set add',
    describe: 'add to a set in force, at once and without a commit',
    args: [set, element, words],
    options: { exist: 'flag', resolve: 'flag', server: 'text' },
    scope: 'table',
    examples: [
      'set add office 10.0.0.0/8',
      'set add banned 10.0.0.5,tcp:80 timeout 60',
      'set add mirrors host.example --resolve',
    ],
  },
  {
    words: 'set del',
    describe: 'take out of a set',
    args: [set, element],
    options: { exist: 'flag' },
    scope: 'table',
    examples: ['set del office 10.0.0.0/8', 'set del --exist office 10.9.0.0/16'],
  },
  {
    words: 'set test',
    describe: 'say whether a set has an element, or a network that holds it',
    args: [set, element],
    options: {},
    scope: 'table',
    examples: ['set test office 10.0.0.5', '--file web.rules set test office 10.0.0.5'],
  },
  {
    words: 'set list',
    describe: 'list sets with what they hold',
    args: [{ ...set, optional: true }],
    options: { json: 'flag' },
    scope: 'table',
    examples: ['set list office', 'set list --json'],
  },
  {
    words: 'set flush',
    describe: 'empty a set, or all',
    args: [{ ...set, optional: true }],
    options: {},
    scope: 'table',
    examples: ['set flush office', 'set flush'],
  },
  {
    words: 'set refresh',
    describe: 'ask DNS again for the host names in a set, or in all',
    args: [{ ...set, optional: true }],
    options: { server: 'text' },
    scope: 'table',
    examples: ['set refresh office', 'set refresh office --server 10.0.0.53'],
  },
  {
    words: 'set destroy',
    describe: 'remove a set, or all; none that a rule asks',
    args: [{ ...set, optional: true }],
    options: {},
    scope: 'table',
    examples: ['set destroy office', 'set destroy'],
  },
  {
    words: 'set rename',
    describe: 'rename a set, also in the rules that ask it',
    args: [set, { name: 'to', filler: 'text' }],
    options: {},
    scope: 'table',
    examples: ['set rename office home', '--file web.rules set rename office home'],
  },
  {
    words: 'set swap',
    describe: 'give each of two sets what the other holds, at one moment',
    args: [set, { name: 'to', filler: 'set' }],
    options: {},
    scope: 'table',
    examples: ['set swap office new', '--file web.rules set swap office new'],
  },
  {
    words: 'exec',
    describe: 'run a command in a group, with inherited sockets closed',
    args: [],
    options: { group: 'group', 'keep-sockets': 'flag' },
    scope: 'live',
    examples: ['exec --group web -- true', 'exec -g web --keep-sockets -- true'],
  },
  {
    words: 'explain',
    describe: 'say what becomes of a call, and which rule decides',
    args: [{ name: 'chain', filler: 'chain', optional: true }],
    options: {
      last: 'flag',
      group: 'group',
      pid: 'text',
      proto: ['tcp', 'udp', 'udplite', 'icmp', 'ipv6-icmp'],
      src: 'text',
      dst: 'text',
      uid: 'text',
      gid: 'text',
      mark: 'text',
      ...detailRecord(() => 'text' as const),
      state: STATE_NAMES,
      time: 'text',
      rules: 'flag',
      json: 'flag',
    },
    scope: 'table',
    examples: [
      'explain BIND --proto tcp --dst 10.0.0.5:80',
      'explain CONNECT --group web --dst [fd00::1]:443 --rules',
      'explain --last',
      'explain CONNECT --pid $$ --dst 10.0.0.5:443',
    ],
  },
  {
    words: 'monitor',
    describe: 'print what is refused, logged and traced, as it happens',
    args: [],
    options: {
      refused: 'flag',
      audited: 'flag',
      passed: 'flag',
      group: 'group',
      chain: 'chain',
      rule: 'text',
      json: 'flag',
      rate: 'text',
      summary: 'flag',
      journal: 'flag',
    },
    scope: 'live',
    examples: ['monitor --refused --summary', 'monitor --json --chain CONNECT --group web'],
  },
  {
    words: 'trace',
    describe: 'for calls that match, print each rule that was asked',
    args: [{ name: 'chain', filler: 'chain' }],
    options: { count: 'text', json: 'flag' },
    scope: 'live',
    examples: [
      'trace CONNECT -p tcp --dport 443',
      'trace --json CONNECT -m cgroup --id 3 -d 10.0.0.0/8',
    ],
  },
  {
    words: 'metrics',
    describe: 'print what is in force in numbers, as OpenMetrics',
    args: [],
    options: { listen: 'text', output: 'output', prometheus: 'flag' },
    scope: 'live',
    examples: ['metrics', 'metrics --prometheus --output sockfilter.prom'],
  },
  {
    words: 'dashboard',
    describe: 'show what happens as a page in a browser',
    args: [],
    options: { listen: 'text', remote: 'flag', passed: 'flag' },
    scope: 'live',
    examples: ['dashboard', 'dashboard --listen 127.0.0.1:0 --passed'],
  },
  {
    words: 'status',
    describe: 'say what is attached, and how big it is',
    args: [],
    options: { json: 'flag' },
    scope: 'live',
    examples: ['status', 'status --json'],
  },
  {
    words: 'doctor',
    describe: 'say what this machine can do, by trying',
    args: [],
    options: { json: 'flag' },
    scope: 'live',
    examples: ['doctor', 'doctor --json'],
  },
  {
    words: 'install-service',
    describe: 'have systemd restore a rule file at boot, before the network',
    args: [],
    options: { fail: ['open', 'closed'], rules: 'file', journal: 'flag', print: 'flag' },
    scope: 'live',
    examples: [
      'install-service --fail closed --print',
      'install-service --journal --print',
      'install-service --fail open --rules /etc/sockfilter/rules --print',
    ],
  },
  {
    words: 'teardown',
    describe: 'remove every trace from the kernel',
    args: [],
    options: {},
    scope: 'live',
    examples: ['teardown', '--root /web.slice teardown'],
  },
  {
    words: 'check',
    describe: 'say what is wrong with rule files',
    args: [paths],
    options: { ...REPORT, kernel: 'text', exclude: 'text', 'require-reason': 'flag' },
    scope: 'files',
    examples: ['check web.rules', 'check . --kernel 6.1 --fail-on warning --format github'],
  },
  {
    words: 'test',
    describe: 'hold rule files against their expectations',
    args: [{ ...paths, optional: true }],
    options: { ...REPORT, exclude: 'text', 'pass-with-no-tests': 'flag' },
    scope: 'files',
    examples: ['test', 'test rules --pass-with-no-tests --format junit=results.xml'],
  },
  {
    words: 'diff',
    describe: 'say what a change means for calls',
    args: [{ ...paths, optional: true }],
    options: {
      ...REPORT,
      since: 'text',
      'no-new-access': 'flag',
      fetch: 'flag',
      exclude: 'text',
      intended: 'file',
      report: 'output',
    },
    scope: 'table',
    examples: ['diff web.rules new.rules', 'diff --since origin/main --no-new-access rules'],
  },
  {
    words: 'review',
    describe: 'diff --since, test and check in one report, for pull requests',
    args: [{ ...paths, optional: true }],
    options: {
      ...REPORT,
      since: 'text',
      gate: ['report', 'no-new-access', 'same'],
      fetch: 'flag',
      exclude: 'text',
      kernel: 'text',
      'require-reason': 'flag',
    },
    scope: 'files',
    examples: ['review --since origin/main', 'review rules --gate same --format markdown'],
  },
  {
    words: 'query',
    describe: 'list the calls that are accepted or refused',
    args: [
      { name: 'verdict', filler: ['accept', 'refuse'] },
      { name: 'rules', filler: 'file', optional: true },
    ],
    options: {
      ...REGION,
      state: STATE_NAMES,
      time: 'text',
      matrix: 'flag',
      report: 'output',
      json: 'flag',
    },
    scope: 'table',
    examples: [
      'query accept web.rules --chain BIND',
      'query refuse web.rules --chain CONNECT --remote 10.0.0.0/8',
    ],
  },
  {
    words: 'simplify',
    describe: 'print an equivalent rule file with fewer rules',
    args: [{ name: 'rules', filler: 'file' }],
    options: {},
    scope: 'files',
    examples: ['simplify web.rules', 'simplify web.rules > new.rules'],
  },
  {
    words: 'rules',
    describe: 'list the codes of findings, or explain one',
    args: [{ name: 'code', filler: 'code', optional: true }],
    options: { json: 'flag' },
    scope: 'files',
    examples: ['rules', 'rules SF001'],
  },
  {
    words: 'schema',
    describe: 'print a JSON schema: of files that people write, tables in JSON, and answers',
    args: [
      {
        name: 'kind',
        filler: ['expectations', 'intended', 'diff', 'query', 'event', 'table'],
        optional: true,
      },
    ],
    options: {},
    scope: 'files',
    examples: ['schema', 'schema intended'],
  },
  {
    words: 'learn',
    describe: 'make a rule file that allows the calls that events tell of',
    args: [{ name: 'events', filler: 'file', optional: true, many: true }],
    options: {
      group: 'text',
      rules: 'file',
      prefix: 'text',
      prefix6: 'text',
      for: 'text',
      live: 'flag',
      into: 'output',
      write: 'flag',
    },
    scope: 'table',
    examples: [
      'learn events.jsonl',
      'learn --into web.rules events.jsonl',
      'learn --group web --prefix 24 --rules web.rules events.jsonl',
    ],
  },
  {
    words: 'import',
    describe: 'make a rule file of the rules of iptables, nft, systemd or Kubernetes',
    args: [{ name: 'files', filler: 'file', many: true }],
    options: {
      from: ['iptables-save', 'nft-json', 'systemd-unit', 'networkpolicy'],
      'chain-map': 'text',
      group: 'text',
      path: 'text',
      id: 'text',
      pods: 'file',
      tests: 'output',
      report: 'output',
    },
    scope: 'files',
    examples: [
      'import --from iptables-save dump > host.rules',
      'import --from nft-json ruleset.json --chain-map input=ACCEPT:RECVFROM',
      'import --from systemd-unit nginx.service --tests nginx.test.yaml',
      'import --from networkpolicy policy.yaml --pods pods.yaml',
    ],
  },
  {
    words: 'export',
    describe: 'print a table for nft, or as JSON for other tools',
    args: [{ name: 'rules', filler: 'file', optional: true }],
    options: { to: ['nft', 'json'], report: 'output' },
    scope: 'table',
    examples: ['export --to nft web.rules > web.nft', 'export --to json web.rules'],
  },
  ...FAMILIES.map(
    (family): CommandRow => ({
      words: `network.ipv${family}`,
      describe: `print, add to or delete from the IPv${family} addresses that a group may bind`,
      args: [
        { name: 'group', filler: 'group' },
        { name: 'change', filler: ['add', 'del'], optional: true },
        { name: 'address', filler: 'text', optional: true },
      ],
      options: {},
      scope: 'table',
      examples: [
        `network.ipv${family} web`,
        `network.ipv${family} web add ${family === 4 ? '10.0.0.5' : 'fd00::5'}`,
      ],
    }),
  ),
  {
    words: 'lsp',
    describe: 'serve editors with what rule files say, over standard input and output',
    args: [],
    options: {},
    scope: 'files',
    examples: ['lsp < /dev/null', 'lsp < /dev/null > /dev/null'],
  },
  {
    words: 'completion',
    describe: 'print a script that completes commands in bash, zsh or fish',
    args: [{ name: 'shell', filler: SHELLS, optional: true }],
    options: {},
    scope: 'files',
    examples: ['completion bash', 'completion fish'],
  },
];

/** The first words: `save`, `group`. */
export const COMMAND_NAMES: readonly string[] = [
  ...new Set(COMMANDS.map(({ words }) => words.replace(/ .*/, ''))),
];

/** The commands whose first word is the name. */
export function rowsBelow(name: string): readonly CommandRow[] {
  return COMMANDS.filter(({ words }) => words.startsWith(`${name} `));
}

/** What such a command does: `add`, `list`. */
export function subcommandsOf(name: string): readonly string[] {
  return rowsBelow(name).map(({ words }) => words.slice(name.length + 1));
}

/** The row of the words of a command line, global options taken out. */
export function commandRow(words: readonly string[]): CommandRow | undefined {
  const [name = '', sub = ''] = words;
  return COMMANDS.find((row) => row.words === name || row.words === `${name} ${sub}`);
}

/** Their examples as help shows them. */
export function examplesOf(rows: readonly CommandRow[]): string {
  const lines = rows.flatMap(({ examples }) => examples.map((each) => `  sockfilter ${each}\n`));
  return `Examples:\n${lines.join('')}`;
}
