/** What can stand at a place of a rule file. */
import { SYNTAX, TARGET_SYNTAX } from '@sockfilter/iptables';
import { BUILTIN_CHAINS, isMatchName, isTargetKind, MATCHES, TARGETS } from '@sockfilter/table';
import type { Opened } from './opened.js';
import { tokensOf } from './symbols.js';

const LINES = ['*socket', 'COMMIT', '-A', '-N', '-P', '-G'];
const PROTOCOLS = ['tcp', 'udp', 'udplite', 'icmp', 'ipv6-icmp'];

const TARGET_WORDS = Object.values(TARGETS).flatMap(({ word }) => word ?? []);

function optionsOf(name: string): readonly string[] {
  if (!isMatchName(name)) return [];
  const { options, sugar = {} } = SYNTAX[name];
  return [
    ...Object.values(options).flatMap(({ long, short }) => [
      ...long.map((word) => `--${word}`),
      ...(short === undefined ? [] : [`-${short}`]),
    ]),
    ...Object.keys(sugar).map((word) => `--${word}`),
  ];
}

function targetOptions(word: string): readonly string[] {
  const kind = Object.keys(TARGETS)
    .filter(isTargetKind)
    .find((each) => TARGETS[each].word === word);
  if (!kind) return [];
  return Object.values(TARGET_SYNTAX[kind].options).flatMap(({ long }) =>
    long.map((each) => `--${each}`),
  );
}

/** The words that fit before the character, whatever has been typed of the last. */
export function completionsAt(opened: Opened, line: number, character: number): readonly string[] {
  const { chains, groups } = opened.table;
  const typed = opened.lineText(line).slice(0, character);
  const words = tokensOf(typed).map(({ text }) => text);
  const before = /\s$/.test(typed) || typed === '' ? words : words.slice(0, -1);
  const previous = before.at(-1);
  const names = chains.map(({ name }) => name);
  const own = names.filter((name) => !BUILTIN_CHAINS.some((chain) => chain === name));
  if (previous === undefined) return LINES;
  if (/^(-[AIDRC]|--append|--insert|--delete)$/.test(previous)) return names;
  if (previous === '-P') return BUILTIN_CHAINS;
  if (before.at(-2) === '-P') return ['ACCEPT', 'DROP'];
  if (previous === '-j' || previous === '--jump') return [...TARGET_WORDS, ...own];
  if (previous === '-g' || previous === '--goto') return own;
  if (previous === '-m' || previous === '--match')
    return Object.keys(MATCHES).filter((name) => name !== 'ip');
  if (previous === '-p' || previous === '--protocol') return PROTOCOLS;
  if (previous === '--id') return groups.map(({ name }) => name);
  if (before[0] === '-G') return ['--id', '--path'];
  const after = (options: RegExp) => before.filter((_, at) => options.test(before[at - 1] ?? ''));
  const loaded = after(/^(-m|--match|-p|--protocol)$/);
  return [
    ...['-m', '-j', '-g', '!'],
    ...['ip', ...loaded].flatMap(optionsOf),
    ...after(/^(-j|--jump)$/).flatMap(targetOptions),
  ];
}
