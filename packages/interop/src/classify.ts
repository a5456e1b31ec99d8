/** What the tests of a foreign rule are to a socket call. */
import { type BuiltinChain, CHAINS, contains, type Family, PROTOCOL } from '@sockfilter/table';
import type { ForeignRule, Option, Test } from './packetfilter.js';

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

/** What a rule stands in, as far as its tests depend on it. */
export interface Surroundings {
  readonly family: Family;
  /** It sees what reaches a socket only. */
  readonly inward: boolean;
  /** Of that only what opens a connection of TCP. */
  readonly connects: boolean;
  /** Some packets are in no state of a connection. */
  readonly untracked: boolean;
  /** Its tests of sockets find the one that a packet reaches; else they match none of those. */
  readonly findsSockets: boolean;
}

/** Whether only what opens a connection comes by the chain. */
export function opensConnections(chain: BuiltinChain): boolean {
  const { protocol } = CHAINS[chain].bounds;
  return protocol !== undefined && !contains(protocol.set, BigInt(PROTOCOL.udp));
}

const NOTHING: Judged = { words: [] };

/** Matches that are ours too; of the others only the options count. */
const MODULES = [
  'tcp',
  'udp',
  'udplite',
  'multiport',
  'iprange',
  'owner',
  'comment',
  'time',
  'cgroup',
];

/** Options that are ours too. */
const SAME =
  /^(-d|--destination|--dst|--dport|--destination-port|--dports|--destination-ports|--tcp-flags|--syn|--dst-range|--comment|--uid-owner|--gid-owner|--timestart|--timestop|--datestart|--datestop|--monthdays|--weekdays|--kerneltz|--contiguous)$/;

const SOURCE = /^(-s|--source|--src|--sport|--source-port|--sports|--source-ports|--src-range)$/;

/** Those of which socket calls are judged, or whose sockets no hook sees: what a rule says of these is told. */
const PROTOCOLS = /^(0|1|6|17|33|58|132|136|all|icmp|tcp|udp|udplite|icmpv6|ipv6-icmp|sctp|dccp)$/i;

const spelled = ({ name, negated, words }: Option): readonly string[] => [
  ...(negated ? ['!'] : []),
  name,
  ...words,
];

function judgeSource(option: Option, family: Family): Judged {
  const isPort = /sport|source-port/.test(option.name);
  const unspecified = family === 4 ? '0.0.0.0/32' : '::/128';
  const single = option.name.endsWith('s') && isPort ? '--sports' : '--sport';
  const unbound = isPort ? [single, '0'] : ['-s', unspecified];
  return { source: { words: spelled(option), negated: option.negated, unbound } };
}

/** Connection states, of which a call that starts something is NEW. */
function judgeState({ negated, words: [list = ''] }: Option, untracked: boolean): Judged {
  const states = list.split(',');
  if (!states.includes('NEW') && states.some((state) => /^[SD]NAT$/.test(state)))
    return { lost: 'a call may be translated, or not' };
  const isNew = states.includes('NEW') !== negated;
  if (untracked && isNew !== (states.includes('UNTRACKED') !== negated))
    return { lost: 'what is not tracked is in no state that a call has' };
  return isNew ? NOTHING : { never: `\`${negated ? '! ' : ''}${list}\`: a socket call is NEW` };
}

/** The loopback device as the addresses that are reached by it alone. */
function judgeDevice({ name, negated, words: [device = ''] }: Option, family: Family): Judged {
  const isIn = /^(-i|--in-interface)$/.test(name);
  if (device !== 'lo') return { lost: `a socket call has no device \`${device}\`` };
  const network = family === 4 ? '127.0.0.0/8' : '::1/128';
  const side = isIn ? '-s' : '-d';
  return { device: { side, negated, words: [...(negated ? ['!'] : []), side, network] } };
}

const LOOPBACK = /^(127\.|::1(\/|$))/;

/** The device beside an address on the same side of the rule. */
function judgeBeside({ side, negated }: DeviceTest, tests: readonly Test[]): Judged | undefined {
  const names =
    side === '-s' ? /^(-s|--source|--src|--src-range)$/ : /^(-d|--destination|--dst|--dst-range)$/;
  const beside = tests.find((each): each is Option => 'name' in each && names.test(each.name));
  if (!beside) return undefined;
  if (negated && !beside.negated && LOOPBACK.test(beside.words[0] ?? ''))
    return { never: 'a loopback address comes and goes by the loopback device alone' };
  return { lost: 'the loopback device beside an address' };
}

function judgeProtocol(option: Option): Judged {
  const [protocol = ''] = option.words;
  if (PROTOCOLS.test(protocol)) return { words: spelled(option) };
  return option.negated ? NOTHING : { never: `no socket call has the protocol ${protocol}` };
}

/** A ping socket asks for echoes; nothing else of ICMP is a call. */
function judgeIcmpType({ negated, words: [type = ''] }: Option): Judged {
  if (type === 'any' || type === '255') return negated ? { never: 'no type at all' } : NOTHING;
  const isEcho = /^(echo-request|ping|8(\/0)?|128(\/0)?)$/.test(type);
  return isEcho !== negated ? NOTHING : { never: 'a ping socket asks for echoes' };
}

/** Addresses at which no connection of TCP is opened. */
const NOT_OWN = /^(MULTICAST|BROADCAST|BLACKHOLE|UNREACHABLE|PROHIBIT|THROW)$/;

/** What opens a connection is for an address of ours; a datagram may be for many. */
function judgeDestinationType(option: Option, { inward, connects }: Surroundings): Judged {
  const { name, negated, words } = option;
  const [list = ''] = words;
  const types = list.toUpperCase().split(',');
  if (types.every((type) => type === 'MULTICAST'))
    return { words: ['-m', 'addrtype', ...spelled(option)] };
  const isOwn = types.includes('LOCAL');
  if (!inward || !connects || !(isOwn || types.every((type) => NOT_OWN.test(type))))
    return { lost: `sockfilter has no \`${name}\`` };
  return isOwn !== negated
    ? NOTHING
    : { never: 'what opens a connection is for an address of ours' };
}

/** The same by what the link layer says. */
function judgePacketType(
  { name, negated, words: [type = ''] }: Option,
  { inward, connects }: Surroundings,
): Judged {
  const isOwn = /^(host|unicast)$/.test(type);
  if (!inward || !connects || !(isOwn || /^(multicast|broadcast)$/.test(type)))
    return { lost: `sockfilter has no \`${name}\`` };
  return isOwn !== negated ? NOTHING : { never: 'what opens a connection is for one host' };
}

/** Options of what sockfilter has too, but for calls. */
const OF_PACKETS = /^--(limit|limit-burst|quota|mode|probability|every|packet|hashlimit(-.*)?)$/;

function judgeCgroup(option: Option, { inward, findsSockets }: Surroundings): Judged {
  if (inward && !findsSockets) return { never: 'what reaches a listener has no control group yet' };
  const [path = ''] = option.words;
  return { words: spelled({ ...option, words: [`/${path.replace(/^\/+|\/+$/g, '')}`] }) };
}

function judgeOption(option: Option, around: Surroundings): Judged {
  const { name, negated, words } = option;
  const [first = ''] = words;
  if (name === '-m' || name === '--match')
    return MODULES.includes(first) ? { words: ['-m', first] } : NOTHING;
  if (/^(-p|--protocol|--proto)$/.test(name)) return judgeProtocol(option);
  if (name === '--path') return judgeCgroup(option, around);
  if (/^--[ug]id-owner$/.test(name) && around.inward)
    return { never: 'what reaches a socket has no owner' };
  if (SAME.test(name)) return { words: spelled(option) };
  if (SOURCE.test(name)) return judgeSource(option, around.family);
  if (/^--(ct)?state$/.test(name)) return judgeState(option, around.untracked);
  if (/^(-i|-o|--(in|out)-interface)$/.test(name)) return judgeDevice(option, around.family);
  if (name === '--dst-type') return judgeDestinationType(option, around);
  if (name === '--pkt-type') return judgePacketType(option, around);
  if (/^--icmp(v6)?-type$/.test(name)) return judgeIcmpType(option);
  if (/^(-f|--fragment)$/.test(name))
    return negated ? NOTHING : { never: 'a socket call is no fragment' };
  if (OF_PACKETS.test(name))
    return { lost: `\`${name}\` is of packets, and a call is not each of them` };
  return { lost: `sockfilter has no \`${name}\`` };
}

/** Of an address; of anything else either will do. */
function familyOf(test: Test): Family {
  return 'name' in test && test.words.some((each) => each.includes(':')) ? 6 : 4;
}

function judge(test: Test, around: Surroundings): Judged {
  return 'name' in test ? judgeOption(test, around) : test;
}

/** A host talks with itself by that device under its other addresses too. */
function approximate({ words, negated }: DeviceTest): Approximation {
  return {
    words,
    more: negated,
    reason: 'the loopback device also has the own addresses of the host',
  };
}

/** What the tests of a rule are to the calls that reach it. */
export function classify(
  { tests, family: own }: Pick<ForeignRule, 'tests' | 'family'>,
  around: Omit<Surroundings, 'family'>,
): Tests {
  const words: string[] = [];
  const sources: SourceTest[] = [];
  const lost: string[] = [];
  let device: Approximation | undefined;
  let never: string | undefined;
  for (const test of tests) {
    const first = judge(test, { ...around, family: own ?? familyOf(test) });
    const judged = ('device' in first && judgeBeside(first.device, tests)) || first;
    if ('words' in judged) words.push(...judged.words);
    else if ('device' in judged) device = approximate(judged.device);
    else if ('source' in judged) sources.push(judged.source);
    else if ('never' in judged) never ??= judged.never;
    else lost.push(judged.lost);
  }
  return { words, sources, device, never, lost };
}
