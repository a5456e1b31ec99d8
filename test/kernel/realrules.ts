/** Random rules, in the save format, about the addresses, ports, groups and users of real calls. */
import type { BuiltinChain } from '@sockfilter/table';
import { BUILTIN_CHAINS } from '@sockfilter/table';
import type { Random } from '../arbitrary/random.js';

const ADDRESSES = [
  [
    '10.9.9.1',
    '10.9.9.2',
    '127.0.0.1',
    '0.0.0.0',
    '10.9.9.0/24',
    '127.0.0.0/8',
    '10.9.0.1/255.255.0.255',
  ],
  ['fd00:9::1', 'fd00:9::2', '::1', '::', 'fd00:9::/64', '::/96'],
] as const;
const LOCAL_PORTS = ['0', '3001', '3002:3003', '32768:65535'];
const REMOTE_PORTS = ['2001', '2002', '2003', '2001:2002', '2002:2004'];
const PROTOCOLS: Readonly<Record<BuiltinChain, readonly string[]>> = {
  BIND: ['', '', 'tcp', 'udp', 'udplite'],
  ACCEPT: ['', '', 'tcp'],
  CONNECT: ['', '', 'tcp', 'tcp', 'udp', 'icmp'],
  SENDTO: ['', '', 'udp', 'udp', 'udplite'],
  RECVFROM: ['', '', 'udp', 'udp', 'udplite'],
};
const IDS = ['0', '5', '6', '7', '5:6', '7:4294967295'];
const UIDS = ['0', '1000', '65534', '1-1000'];
/** A call never gives these by itself. */
const ERRNOS = ['EPERM', 'EACCES', 'ETIMEDOUT', 'EHOSTUNREACH'];

/** @param chain undefined for a user chain that any chain may call */
function rule(chain: BuiltinChain | undefined, paths: readonly string[], random: Random): string {
  const outward = chain === 'CONNECT' || chain === 'SENDTO';
  const inward = chain === 'ACCEPT' || chain === 'RECVFROM';
  const not = () => (random.oneIn(5) ? '! ' : '');
  const family = random.pick(ADDRESSES);
  const address = () => random.pick(family);
  const words: string[] = [];
  const ports = () => random.pick(chain === 'BIND' ? LOCAL_PORTS : REMOTE_PORTS);
  const protocol = random.pick(chain ? PROTOCOLS[chain] : ['', 'tcp', 'udp']);
  if (protocol) words.push(`-p ${protocol}`);
  if (protocol && protocol !== 'icmp') {
    if (random.oneIn(3)) words.push(`${not()}--dport ${ports()}`);
    if (chain && chain !== 'BIND' && random.oneIn(4))
      words.push(`${not()}--sport ${random.pick(LOCAL_PORTS)}`);
    if (random.oneIn(8)) words.push(`-m multiport ${not()}--dports 2001,2003,3001:3002`);
  }
  // No call goes to an unspecified address: the kernel makes it another.
  const reached = outward ? family.filter((text) => text !== '0.0.0.0' && text !== '::') : family;
  if (random.oneIn(2)) words.push(`${not()}-d ${random.pick(reached)}`);
  if (chain && chain !== 'BIND' && random.oneIn(4)) words.push(`${not()}-s ${address()}`);
  if (random.oneIn(8)) words.push(random.pick(['-4', '-6']));
  if (random.oneIn(4)) words.push(`-m cgroup ${not()}--id ${random.pick(IDS)}`);
  else if (random.oneIn(8)) words.push(`-m cgroup ${not()}--path ${random.pick(paths)}`);
  if (random.oneIn(6)) words.push(`-m owner ${not()}--uid-owner ${random.pick(UIDS)}`);
  if (!inward && chain && random.oneIn(8))
    words.push(`-m owner ${not()}--gid-owner ${random.pick(['0', '100', '65534'])}`);
  if (random.oneIn(8)) words.push(`-m socket ${not()}--local ${address()}`);
  if (outward && random.oneIn(8))
    words.push(`-m socket ${not()}--remote-port ${random.pick(REMOTE_PORTS)}`);
  const targets = ['-j ACCEPT', '-j ACCEPT', '-j DROP', '', '-j RETURN'];
  if (chain) targets.push('-j U', '-g U');
  if (chain && !inward) targets.push(`-j REJECT --reject-with ${random.pick(ERRNOS)}`);
  // `-4` beside addresses of the other family is refused when typed.
  const text = words.filter(
    (word) =>
      !(
        /^-[46]$/.test(word) &&
        words.some((w) => w.includes('-d ') || w.includes('-s ') || w.includes('--local '))
      ),
  );
  return `-A ${chain ?? 'U'} ${[...text, random.pick(targets)].join(' ')}`;
}

/** A rule set whose groups have some of the ids 5, 6 and 7. */
export function makeRules(
  groups: readonly { readonly id: number; readonly path: string }[],
  random: Random,
): string {
  const declared = groups.filter(() => !random.oneIn(3));
  const paths = groups.map(({ path }) => path);
  const some = (most: number) => Array.from({ length: random.below(most + 1) });
  const lines = [
    '*socket',
    ...BUILTIN_CHAINS.map((chain) => `:${chain} ${random.oneIn(5) ? 'DROP' : 'ACCEPT'} [0:0]`),
    ':U - [0:0]',
    ...declared.map(({ id, path }) => `-G g${id} --id ${id} --path ${path}`),
    // Where neither ACCEPT nor RECVFROM has a rule or refuses, nothing is attached that would count.
    rule('ACCEPT', paths, random),
    ...BUILTIN_CHAINS.flatMap((chain) => some(5).map(() => rule(chain, paths, random))),
    ...some(4).map(() => rule(undefined, paths, random)),
    'COMMIT',
  ];
  return `${lines.join('\n')}\n`;
}
