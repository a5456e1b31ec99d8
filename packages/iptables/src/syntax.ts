/** How each match is written: spellings of its options, and how a listing shows them. */
import type { Names } from '@sockfilter/language';
import { MAX_MARK, type MatchName, type TargetKind } from '@sockfilter/table';
import { unquoteSaved } from './quote.js';

export interface OptionSyntax {
  /** Long names without dashes; where there is no short one, the first is printed. */
  readonly long: readonly string[];
  readonly short?: string;
  /** Commas make alternatives, one rule each. */
  readonly alternatives?: boolean;
  /** Whose names the value may use. */
  readonly lookup?: keyof Names;
  /** Text in a listing; `text` is the value as printed, with `!` before it if negated. */
  readonly list: (text: string, negated: boolean) => string;
}

/** Another way to write an option with a fixed value. */
interface OptionSugar {
  readonly option: string;
  readonly words: readonly string[];
}

export interface MatchSyntax {
  readonly options: Readonly<Record<string, OptionSyntax>>;
  readonly sugar?: Readonly<Record<string, OptionSugar>>;
  /** What a listing says where it is no list of the options; `text` gives an option's value as printed. */
  readonly list?: (text: (option: string) => string | undefined) => string;
}

/** `dpt:80`, `dpts:80:90`, `dpt:!80`. */
const port = (short: string, ...long: readonly string[]): OptionSyntax => ({
  long,
  list: (text) => `${short}${text.includes(':') ? 's' : ''}:${text}`,
});

const ports = {
  sport: port('spt', 'sport', 'source-port'),
  dport: port('dpt', 'dport', 'destination-port'),
};

/** `! owner UID match 0`. */
const worded = (words: string, ...long: readonly string[]): OptionSyntax => ({
  long,
  list: (text, negated) => `${negated ? '! ' : ''}${words} ${text.replace(/^!/, '')}`,
});

/** The same with the sign behind the words, as the value has it: `source IP range ! 10.0.0.1-10.0.0.9`. */
const signed = (words: string, sign: string, ...long: readonly string[]): OptionSyntax => ({
  long,
  list: (text, negated) => `${words} ${negated ? sign : ''}${text.replace(/^!/, '')}`,
});

/** Shown in columns of their own, not in the text after them. */
const column = { list: () => '' };

export const SYNTAX: Readonly<Record<MatchName, MatchSyntax>> = {
  ip: {
    options: {
      ipv4: { long: ['ipv4'], short: '4', ...column },
      ipv6: { long: ['ipv6'], short: '6', ...column },
      source: { long: ['source', 'src'], short: 's', alternatives: true, ...column },
      destination: { long: ['destination', 'dst'], short: 'd', alternatives: true, ...column },
      'in-interface': { ...worded('in', 'in-interface'), short: 'i' },
      'out-interface': { ...worded('out', 'out-interface'), short: 'o' },
      protocol: { long: ['protocol', 'proto'], short: 'p', ...column },
    },
  },
  tcp: {
    options: {
      ...ports,
      'tcp-flags': { long: ['tcp-flags'], list: (text) => `flags:${text.replace(' ', '/')}` },
    },
    sugar: { syn: { option: 'tcp-flags', words: ['FIN,SYN,RST,ACK', 'SYN'] } },
  },
  udp: { options: ports },
  udplite: { options: ports },
  multiport: {
    options: {
      sports: signed('multiport sports', ' !', 'sports', 'source-ports'),
      dports: signed('multiport dports', ' !', 'dports', 'destination-ports'),
      ports: signed('multiport ports', ' !', 'ports', 'port'),
    },
  },
  iprange: {
    options: {
      'src-range': signed('source IP range', '! ', 'src-range'),
      'dst-range': signed('destination IP range', '! ', 'dst-range'),
    },
  },
  addrtype: {
    options: {
      'src-type': signed('src-type', '!', 'src-type'),
      'dst-type': signed('dst-type', '!', 'dst-type'),
    },
    list: (text) => {
      const part = (name: string) => (text(name) === undefined ? [] : [`${name} ${text(name)}`]);
      return ['ADDRTYPE match', ...part('src-type'), ...part('dst-type')].join(' ');
    },
  },
  cgroup: { options: { id: worded('cgroup id', 'id'), path: worded('cgroup path', 'path') } },
  owner: {
    options: {
      'uid-owner': { ...worded('owner UID match', 'uid-owner'), lookup: 'user' },
      'gid-owner': { ...worded('owner GID match', 'gid-owner'), lookup: 'group' },
    },
  },
  comm: { options: { comm: worded('comm', 'comm') } },
  netns: { options: { inode: { ...worded('netns inode', 'inode', 'path'), lookup: 'netns' } } },
  comment: {
    options: {
      comment: {
        long: ['comment'],
        list: (text) => `/* ${unquoteSaved(text)} */`,
      },
    },
  },
  socket: {
    options: {
      local: worded('socket local', 'local'),
      'local-port': worded('socket local port', 'local-port'),
      remote: worded('socket remote', 'remote'),
      'remote-port': worded('socket remote port', 'remote-port'),
    },
  },
  limit: {
    options: {
      limit: worded('limit: avg', 'limit'),
      'limit-burst': worded('burst', 'limit-burst'),
    },
    list: (text) => `limit: avg ${text('limit')} burst ${text('limit-burst') ?? 5}`,
  },
  hashlimit: {
    options: {
      'hashlimit-upto': worded('limit: up to', 'hashlimit-upto', 'hashlimit'),
      'hashlimit-above': worded('limit: above', 'hashlimit-above'),
      'hashlimit-burst': worded('burst', 'hashlimit-burst'),
      'hashlimit-mode': worded('mode', 'hashlimit-mode'),
      'hashlimit-name': worded('name', 'hashlimit-name'),
      'hashlimit-htable-size': worded('htable-size', 'hashlimit-htable-size'),
      'hashlimit-htable-max': worded('htable-max', 'hashlimit-htable-max'),
      'hashlimit-htable-gcinterval': worded('htable-gcinterval', 'hashlimit-htable-gcinterval'),
      'hashlimit-htable-expire': worded('htable-expire', 'hashlimit-htable-expire'),
      'hashlimit-srcmask': worded('srcmask', 'hashlimit-srcmask'),
      'hashlimit-dstmask': worded('dstmask', 'hashlimit-dstmask'),
    },
    // As iptables lists it, which does not show the name.
    list: (text) => {
      const part = (option: string, word: string) =>
        text(option) === undefined ? [] : [`${word} ${text(option)}`];
      const same = (...words: readonly string[]) =>
        words.flatMap((word) => part(`hashlimit-${word}`, word));
      const mode = text('hashlimit-mode')?.replaceAll(',', '-');
      return [
        ...part('hashlimit-upto', 'limit: up to'),
        ...part('hashlimit-above', 'limit: above'),
        ...part('hashlimit-burst', 'burst'),
        ...(mode === undefined ? [] : [`mode ${mode}`]),
        ...same('htable-size', 'htable-max', 'htable-gcinterval', 'htable-expire'),
        ...same('srcmask', 'dstmask'),
      ].join(' ');
    },
  },
  quota: { options: { quota: worded('quota:', 'quota') } },
  time: {
    options: {
      timestart: worded('TIME from', 'timestart'),
      timestop: worded('to', 'timestop'),
      monthdays: worded('on days', 'monthdays'),
      weekdays: worded('on', 'weekdays'),
      datestart: worded('starting from', 'datestart'),
      datestop: worded('until date', 'datestop'),
      kerneltz: worded('kerneltz', 'kerneltz'),
      utc: worded('utc', 'utc'),
      contiguous: worded('contiguous', 'contiguous'),
    },
    list: (text) => {
      const part = (name: string, word: string) =>
        text(name) === undefined ? [] : [`${word} ${text(name)}`.trimEnd()];
      return [
        'TIME',
        ...part('timestart', 'from'),
        ...part('timestop', 'to'),
        ...part('weekdays', 'on'),
        ...part('monthdays', 'on'),
        ...part('datestart', 'starting from'),
        ...part('datestop', 'until date'),
        ...part('kerneltz', 'kerneltz'),
        ...part('contiguous', 'contiguous'),
      ].join(' ');
    },
  },
  mark: {
    options: {
      mark: signed('mark match', '! ', 'mark'),
    },
  },
  set: {
    options: {
      'match-set': worded('match-set', 'match-set'),
      'return-nomatch': worded('return-nomatch', 'return-nomatch'),
    },
  },
  statistic: {
    options: {
      mode: worded('statistic mode', 'mode'),
      probability: worded('probability', 'probability'),
      every: worded('every', 'every'),
      packet: worded('packet', 'packet'),
    },
  },
};

export interface TargetSyntax {
  /** The option that names it. */
  readonly flag: 'j' | 'g';
  /** In the order in which they are printed. */
  readonly options: Readonly<Record<string, OptionSyntax>>;
  /** What a listing adds. */
  readonly remark?: string;
  /** What a listing says where it is no list of the options; `text` gives an option's value as printed. */
  readonly list?: MatchSyntax['list'];
}

const AUDIT_SYNTAX = { audit: { long: ['audit'], list: () => 'audit' } } as const;

const plain: TargetSyntax = { flag: 'j', options: {} };

/** As iptables lists it: by what it does to the mark, where one word says that. */
function listMark(xmark: string): string {
  const [value = 0, mask = 0] = xmark.split('/').map(Number);
  if (value === 0) return `MARK and 0x${(MAX_MARK - mask).toString(16)}`;
  const hex = `0x${value.toString(16)}`;
  if (value === mask) return `MARK or ${hex}`;
  if (mask === 0) return `MARK xor ${hex}`;
  return mask === MAX_MARK ? `MARK set ${hex}` : `MARK xset ${xmark}`;
}

export const TARGET_SYNTAX: Readonly<Record<TargetKind, TargetSyntax>> = {
  accept: plain,
  drop: { flag: 'j', options: AUDIT_SYNTAX },
  reject: {
    flag: 'j',
    options: {
      'reject-with': { long: ['reject-with'], list: (text) => `reject-with ${text}` },
      ...AUDIT_SYNTAX,
    },
  },
  return: plain,
  log: {
    flag: 'j',
    options: {
      'log-prefix': worded('prefix', 'log-prefix'),
      'log-level': worded('level', 'log-level'),
      'log-uid': worded('uid', 'log-uid'),
    },
    // As iptables lists it: 8 is the flag of the uid, 4 the level that is not said.
    list: (text) => {
      const prefix = text('log-prefix');
      const flags = text('log-uid') === undefined ? 0 : 8;
      const said = `LOG flags ${flags} level ${text('log-level') ?? 4}`;
      return prefix === undefined ? said : `${said} prefix "${unquoteSaved(prefix)}"`;
    },
  },
  nflog: {
    flag: 'j',
    options: {
      'nflog-prefix': worded('nflog-prefix', 'nflog-prefix'),
      'nflog-group': worded('nflog-group', 'nflog-group'),
    },
  },
  trace: plain,
  mark: {
    flag: 'j',
    options: {
      'set-xmark': worded('MARK xset', 'set-xmark'),
      'set-mark': worded('MARK set', 'set-mark'),
      'and-mark': worded('MARK and', 'and-mark'),
      'or-mark': worded('MARK or', 'or-mark'),
      'xor-mark': worded('MARK xor', 'xor-mark'),
    },
    list: (text) => listMark(text('set-xmark') ?? ''),
  },
  dnat: {
    flag: 'j',
    options: {
      'to-destination': worded('to:', 'to-destination'),
      random: worded('random', 'random'),
      persistent: worded('persistent', 'persistent'),
    },
    list: (text) =>
      [
        `to:${text('to-destination')}`,
        ...['random', 'persistent'].filter((name) => text(name) !== undefined),
      ].join(' '),
  },
  redirect: {
    flag: 'j',
    options: { 'to-ports': worded('redir ports', 'to-ports'), random: worded('random', 'random') },
    list: (text) =>
      [
        ...(text('to-ports') === undefined ? [] : [`redir ports ${text('to-ports')}`]),
        ...(text('random') === undefined ? [] : ['random']),
      ].join(' '),
  },
  jump: plain,
  goto: { flag: 'g', options: {}, remark: '[goto]' },
};

/** The option as it is printed: `-s`, `--dport`. */
export function spellOption({ short, long }: OptionSyntax): string {
  return short === undefined ? `--${long[0]}` : `-${short}`;
}

export function matchSyntax(match: MatchName): MatchSyntax {
  return SYNTAX[match];
}

/** The syntax of an option that the match has. */
export function optionSyntax(match: MatchName, option: string): OptionSyntax {
  const syntax = SYNTAX[match].options[option];
  if (!syntax) throw new TypeError(`match ${match} has no syntax for ${option}`);
  return syntax;
}

/** An option of a match as it is printed. */
export function optionWord(match: MatchName, option: string): string {
  return spellOption(optionSyntax(match, option));
}
