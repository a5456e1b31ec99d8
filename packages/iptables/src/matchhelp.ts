/** `-m cgroup --help`: the options of one match or target, from the rows that parse them. */
import {
  BUILTIN_CHAINS,
  isMatchName,
  isTargetKind,
  REJECT_ERRNO,
  TARGETS,
  type ValueKind,
} from '@sockfilter/table';
import { matchDescriptor } from './ruledraft.js';
import { SYNTAX, TARGET_SYNTAX } from './syntax.js';
import { LOG_LEVELS } from './values/log.js';

/** How a value of each kind is shown where one is to be put. */
const PLACEHOLDERS: Readonly<Record<ValueKind, string>> = {
  none: '',
  protocol: 'PROTOCOL',
  network: 'ADDRESS[/MASK]',
  addressRange: 'FROM[-TO]',
  portRange: 'PORT[:PORT]',
  portList: 'PORT[:PORT][,PORT...]',
  addressTypes: 'TYPE[,TYPE...]',
  groupRange: 'ID[:ID]',
  groupPath: 'CGROUP',
  ownerRange: 'ID[-ID]',
  tcpFlags: 'MASK FLAGS',
  text: 'TEXT',
  prefix: 'TEXT',
  logLevel: LOG_LEVELS.join('|'),
  count: 'NUMBER',
  word: 'WORD',
  probability: 'PROBABILITY',
  timeOfDay: 'HH:MM[:SS]',
  date: 'YYYY[-MM[-DD[Thh[:mm[:ss]]]]]',
  weekdays: 'DAY[,DAY...]',
  monthdays: 'DAY[,DAY...]',
  rate: 'NUMBER[/second|/minute|/hour|/day]',
  keyFields: 'srcip|srcport|dstip|dstport|group[,...]',
  label: 'NAME',
  mark: 'MARK[/MASK]',
  xmark: 'MARK[/MASK]',
  bits: 'BITS',
  endpoint: 'ADDRESS[-ADDRESS][:PORT[-PORT]]|[ADDRESS[-ADDRESS]]:PORT[-PORT]',
  toPort: 'PORT[-PORT]',
  detail: 'NAME',
  setRef: 'SET src|dst[,src|dst]',
  errno: Object.keys(REJECT_ERRNO).join('|'),
};

function matchHelp(name: string): string {
  if (!isMatchName(name)) return '';
  const { options } = matchDescriptor(name);
  const lines = Object.entries(SYNTAX[name].options).map(([option, { long }]) => {
    const described = options[option];
    const value = described ? (described.choices?.join('|') ?? PLACEHOLDERS[described.value]) : '';
    const names = long.map((each) => `--${each}`).join(', ');
    return `${described?.negatable ? '[!] ' : '    '}${names} ${value}`.trimEnd();
  });
  const sugar = Object.entries(SYNTAX[name].sugar ?? {}).map(
    ([long, { option, words }]) => `[!] --${long}: as --${option} ${words.join(' ')}`,
  );
  return `${name} match options:\n${[...lines, ...sugar].map((line) => `${line}\n`).join('')}`;
}

function targetHelp(name: string): string {
  const kind = Object.keys(TARGETS)
    .filter(isTargetKind)
    .find((each) => TARGETS[each].word === name);
  if (!kind) return '';
  const { options, absent } = TARGETS[kind];
  const lines = Object.entries(TARGET_SYNTAX[kind].options).map(([option, { long }]) => {
    const value = options[option];
    const names = long.map((each) => `--${each}`).join(', ');
    return `    ${names} ${value ? PLACEHOLDERS[value.value] : ''}`.trimEnd();
  });
  const chains = BUILTIN_CHAINS.filter((chain) => absent[chain] !== undefined);
  const where =
    chains.length === 0 ? [] : [`not in ${chains.join(' and ')}, nor in chains that they reach`];
  const takes = lines.length === 0 ? [`${name} takes no options`] : [`${name} target options:`];
  return [...takes, ...lines, ...where].map((line) => `${line}\n`).join('');
}

/** Help for what stands beside `--help`; empty where nothing does. */
export function extensionHelp(matches: readonly string[], target: string | undefined): string {
  const parts = [...new Set(matches)].map(matchHelp);
  return [...parts, ...(target === undefined ? [] : [targetHelp(target)])].join('\n');
}
