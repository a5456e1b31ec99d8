/** What the tests of an iptables rule are to a socket call. */
import type { DumpOption, DumpRule } from './dump.js';

/** Tests that a rule of ours can say, and what is to be said of the others. */
export interface Tests {
  /** In the words of a rule of ours. */
  readonly words: readonly string[];
  /** Tests of the source, which a socket that is not bound has not got yet. */
  readonly sources: readonly SourceTest[];
  /** The loopback device in other words, which match less or more. */
  readonly device: Approximation | undefined;
  /** Why a call can never match. */
  readonly never: string | undefined;
  /** What can't be said: without it the rule matches more. */
  readonly lost: readonly string[];
}

/** A test that a call has in other words only. */
interface Approximation {
  readonly words: readonly string[];
  /** It matches more than the original, else less. */
  readonly more: boolean;
  readonly reason: string;
}

export interface SourceTest {
  readonly words: readonly string[];
  readonly negated: boolean;
  /** The words of the same for a socket that has no source. */
  readonly unbound: readonly string[];
}

/** The loopback device: what comes or goes by it has a loopback address. */
interface DeviceTest {
  readonly side: '-s' | '-d';
  readonly negated: boolean;
  readonly words: readonly string[];
}

type Judged =
  | { readonly words: readonly string[] }
  | { readonly source: SourceTest }
  | { readonly device: DeviceTest }
  | { readonly never: string }
  | { readonly lost: string };

const NOTHING: Judged = { words: [] };

/** Matches that are ours too; of the others only the options count. */
const MODULES = ['tcp', 'udp', 'udplite', 'multiport', 'iprange', 'owner', 'comment'];

/** Options that are ours too. */
const SAME =
  /^(-p|--protocol|-d|--destination|--dst|--dport|--destination-port|--dports|--tcp-flags|--syn|--dst-range|--comment|--uid-owner|--gid-owner)$/;

const SOURCE = /^(-s|--source|--src|--sport|--source-port|--sports|--src-range)$/;

const spelled = ({ name, negated, words }: DumpOption): readonly string[] => [
  ...(negated ? ['!'] : []),
  name,
  ...words,
];

function judgeSource(option: DumpOption, family: 4 | 6): Judged {
  const isPort = /sport|source-port/.test(option.name);
  const unspecified = family === 4 ? '0.0.0.0/32' : '::/128';
  const single = option.name.endsWith('s') && isPort ? '--sports' : '--sport';
  const unbound = isPort ? [single, '0'] : ['-s', unspecified];
  return { source: { words: spelled(option), negated: option.negated, unbound } };
}

/** Connection states, of which a call that starts something is NEW. */
function judgeState({ negated, words: [list = ''] }: DumpOption): Judged {
  const isNew = list.split(',').includes('NEW') !== negated;
  return isNew ? NOTHING : { never: `\`${negated ? '! ' : ''}${list}\`: a socket call is NEW` };
}

/** The loopback device as the addresses that are reached by it alone. */
function judgeDevice({ name, negated, words: [device = ''] }: DumpOption, family: 4 | 6): Judged {
  const isIn = /^(-i|--in-interface)$/.test(name);
  if (device !== 'lo') return { lost: `a socket call has no device \`${device}\`` };
  const network = family === 4 ? '127.0.0.0/8' : '::1/128';
  const side = isIn ? '-s' : '-d';
  return { device: { side, negated, words: [...(negated ? ['!'] : []), side, network] } };
}

const LOOPBACK = /^(127\.|::1(\/|$))/;

/** The device beside an address on the same side of the rule. */
function judgeBeside(
  { side, negated }: DeviceTest,
  tests: readonly DumpOption[],
): Judged | undefined {
  const names =
    side === '-s' ? /^(-s|--source|--src|--src-range)$/ : /^(-d|--destination|--dst|--dst-range)$/;
  const beside = tests.find(({ name }) => names.test(name));
  if (!beside) return undefined;
  if (negated && !beside.negated && LOOPBACK.test(beside.words[0] ?? ''))
    return { never: 'a loopback address comes and goes by the loopback device alone' };
  return { lost: 'the loopback device beside an address' };
}

function judgeOption(option: DumpOption, family: 4 | 6, inward: boolean): Judged {
  const { name, negated, words } = option;
  const [first = ''] = words;
  if (name === '-m' || name === '--match')
    return MODULES.includes(first) ? { words: ['-m', first] } : NOTHING;
  if (SAME.test(name)) return { words: spelled(option) };
  if (SOURCE.test(name)) return judgeSource(option, family);
  if (/^--(ct)?state$/.test(name)) return judgeState(option);
  if (/^(-i|-o|--(in|out)-interface)$/.test(name)) return judgeDevice(option, family);
  if (name === '--dst-type' && first === 'LOCAL' && inward)
    return negated ? { never: 'what reaches a socket is for an address of ours' } : NOTHING;
  if (/^(-f|--fragment)$/.test(name))
    return negated ? NOTHING : { never: 'a socket call is no fragment' };
  return { lost: `sockfilter has no \`${name}\`` };
}

/** A host talks with itself by that device under its other addresses too. */
function approximate({ words, negated }: DeviceTest): Approximation {
  return {
    words,
    more: negated,
    reason: 'the loopback device also has the own addresses of the host',
  };
}

/** `inward`: in chains that see what reaches a socket only. */
export function classify({ tests }: DumpRule, family: 4 | 6, inward: boolean): Tests {
  const words: string[] = [];
  const sources: SourceTest[] = [];
  const lost: string[] = [];
  let device: Approximation | undefined;
  let never: string | undefined;
  for (const option of tests) {
    const first = judgeOption(option, family, inward);
    const judged = ('device' in first && judgeBeside(first.device, tests)) || first;
    if ('words' in judged) words.push(...judged.words);
    else if ('device' in judged) device = approximate(judged.device);
    else if ('source' in judged) sources.push(judged.source);
    else if ('never' in judged) never ??= judged.never;
    else lost.push(judged.lost);
  }
  return { words, sources, device, never, lost };
}
