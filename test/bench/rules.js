/** Rule sets of a given size, in the words of each tool. No rule matches the calls that are timed. */

/** An address and a port of a rule; none is 10.9.9.1. */
function endpoint(n) {
  return { address: `10.${1 + (n % 7)}.${(n >> 8) & 255}.${n & 255}`, port: 1000 + (n % 50_000) };
}

const endpoints = (count) => Array.from({ length: count }, (_, n) => endpoint(n));

/** The same endpoints as bytes and text; those of IPv6 end in an address of IPv4. */
export function peers(count, family) {
  return endpoints(count).map(({ address, port }) => {
    const last = address.split('.').map(Number);
    if (family === 4) return { bytes: last, port, text: `${address}/32` };
    return { bytes: [0xfd, ...Array(11).fill(0), ...last], port, text: `fd00::${address}/128` };
  });
}

/** Rules of CONNECT that accept those. */
export function acceptingRules(count, family) {
  const rules = peers(count, family).map(
    ({ text, port }) => `-A CONNECT -d ${text} -p udp -m udp --dport ${port} -j ACCEPT`,
  );
  return ['*socket', ':CONNECT DROP [0:0]', ...rules, 'COMMIT', ''].join('\n');
}

/** In CONNECT, BIND or SENDTO; of all groups. */
export function sockfilterRules(count, chain, policy = 'ACCEPT') {
  const rules = endpoints(count).map(
    ({ address, port }) => `-A ${chain} -d ${address}/32 -p udp -m udp --dport ${port} -j DROP`,
  );
  return ['*socket', `:${chain} ${policy} [0:0]`, ...rules, 'COMMIT', ''].join('\n');
}

/** `groups` groups that share the rules evenly. */
export function groupedRules(count, groups) {
  const chains = ['BIND', 'ACCEPT', 'CONNECT', 'SENDTO', 'RECVFROM'];
  const rules = endpoints(count).map(({ address, port }, n) => {
    const chain = chains[n % chains.length];
    const protocol = chain === 'SENDTO' || chain === 'RECVFROM' ? 'udp' : 'tcp';
    const verdict = n % 3 === 0 ? 'DROP' : 'ACCEPT';
    return `-A ${chain} -d ${address}/${n % 2 === 0 ? 32 : 24} -p ${protocol} -m ${protocol} --dport ${port} -m cgroup --id ${1 + ((n * 7) % groups)} -j ${verdict}`;
  });
  return ['*socket', ...rules, 'COMMIT', ''].join('\n');
}

/**
 * As people write them: groups are declared, policies refuse, a host is left out of a network that is
 * let in, and each 500th rule is one that an earlier one covers.
 */
export function policyRules(count, groups) {
  const chains = ['BIND', 'ACCEPT', 'CONNECT', 'SENDTO', 'RECVFROM'];
  const declared = Array.from({ length: groups }, (_, n) => `-G g${n} --id ${1 + n} --path /g${n}`);
  const rules = Array.from({ length: count }, (_, n) => {
    const pair = n >> 1;
    const chain = chains[pair % chains.length];
    const group = `-m cgroup --id ${1 + (pair % groups)}`;
    const protocol = chain === 'SENDTO' || chain === 'RECVFROM' ? 'udp' : 'tcp';
    const network = `10.${(pair >> 8) & 255}.${pair & 255}`;
    const isCovered = n % 500 === 499;
    if (n % 2 === 0) return `-A ${chain} -d ${network}.7/32 ${group} -j DROP`;
    const address = isCovered ? `${network}.7/32` : `${network}.0/24`;
    const port = 1000 + (pair % 50_000);
    return `-A ${chain} -d ${address} -p ${protocol} -m ${protocol} --dport ${port} ${group} -j ACCEPT`;
  });
  const policies = chains.map((chain) => `:${chain} DROP [0:0]`);
  return ['*socket', ...policies, ...declared, ...rules, 'COMMIT', ''].join('\n');
}

const saved = (rules, groups = []) =>
  ['*socket', ':CONNECT DROP [0:0]', ...groups, ...rules, 'COMMIT', ''].join('\n');

const verdict = (n) => (n % 3 === 0 ? 'DROP' : 'ACCEPT');

const exactRule = (n, group) => {
  const { address, port } = endpoint(n);
  return `-A CONNECT -d ${address}/32 -p tcp -m tcp --dport ${port}${group} -j ${verdict(n)}`;
};

/** Files of a number of rules: of all groups, one group after the other, networks with ranges of ports. */
export const LAYOUTS = {
  exact: (count) => saved(Array.from({ length: count }, (_, n) => exactRule(n, ''))),
  'group first': (count) => {
    const groups = Math.max(10, count / 100);
    const declared = Array.from(
      { length: groups },
      (_, n) => `-G g${n} --id ${1 + n} --path /g${n}`,
    );
    const groupOf = (n) => 1 + Math.floor((n * groups) / count);
    const rules = Array.from({ length: count }, (_, n) =>
      exactRule(n, ` -m cgroup --id ${groupOf(n)}`),
    );
    return saved(rules, declared);
  },
  ranges: (count) =>
    saved(
      Array.from({ length: count }, (_, n) => {
        const network = `10.${(n >> 9) & 255}.${(n >> 1) & 255}.${(n & 1) * 128}/${25 + (n % 4)}`;
        const port = 1000 + (n % 97) * 10;
        return `-A CONNECT -d ${network} -p tcp -m tcp --dport ${port}:${port + 5 + (n % 50)} -j ${verdict(n)}`;
      }),
    ),
};

const repeat = (count, line) => Array.from({ length: count }, (_, n) => line(n));

/** Files of a number of what is no rule, or stands in each rule for itself. */
export const LISTS = {
  groups: (count) =>
    saved(
      [],
      repeat(count, (n) => `-G g${n} --id ${1 + n} --path /a/g${n}`),
    ),
  'paths in rules': (count) =>
    saved(repeat(count, (n) => `-A CONNECT -m cgroup --path /a/g${n} -j DROP`)),
  patterns: (count) =>
    saved(
      [],
      repeat(count, (n) => `-G g${n} --id ${1 + n} --path "/a${n}/g*"`),
    ),
  chains: (count) =>
    saved([
      ...repeat(count, (n) => `-N c${n}`),
      ...repeat(count, (n) => `-A CONNECT -d 10.${n >> 16}.${(n >> 8) & 255}.${n & 255} -j c${n}`),
      ...repeat(count, (n) => `-A c${n} -p tcp --dport 80 -j DROP`),
    ]),
};

/** Of UDP it looks each port up among the names of services. */
export function iptablesRules(count, protocol = 'udp') {
  const rules = endpoints(count).map(
    ({ address, port }) =>
      `-A OUTPUT -d ${address}/32 -p ${protocol} -m ${protocol} --dport ${port} -j DROP`,
  );
  return ['*filter', ':OUTPUT ACCEPT [0:0]', ...rules, 'COMMIT', ''].join('\n');
}

const nftTable = (lines) => ['table ip bench {', ...lines, '}', ''].join('\n');

export function nftRules(count) {
  const rules = endpoints(count).map(
    ({ address, port }) => `ip daddr ${address} udp dport ${port} drop`,
  );
  return nftTable(['chain output {', 'type filter hook output priority 0;', ...rules, '}']);
}

export function nftMap(count) {
  const elements = endpoints(count).map(({ address, port }) => `${address} . ${port} : drop`);
  return nftTable([
    'map verdicts {',
    'type ipv4_addr . inet_service : verdict;',
    ...(count > 0 ? [`elements = { ${[...new Set(elements)].join(', ')} }`] : []),
    '}',
    'chain output {',
    'type filter hook output priority 0;',
    'ip daddr . udp dport vmap @verdicts',
    '}',
  ]);
}
