/**
 * Imports judged by the real thing: iptables and nft load the original in a network namespace, real connections are
 * made, and those that the import accepts are those that got through.
 */
import { execFileSync } from 'node:child_process';
import {
  finishDraft,
  type PacketFilter,
  readDump,
  readRuleset,
  translate,
} from '@sockfilter/interop';
import { parseSave } from '@sockfilter/iptables';
import { NO_NAMES } from '@sockfilter/language';
import { type BuiltinChain, evaluate, readAddress } from '@sockfilter/table';
import { PACKET } from '../arbitrary/ordinary.js';
import { describeIptables } from '../harness/iptables.js';
import { NetworkNamespace } from '../harness/netns.js';
import { describeNft } from '../harness/nft.js';
import { invariantFaults } from './invariants.js';

const ADDRESSES = ['10.9.9.1', '10.9.9.2', '10.9.9.3', '127.0.0.1', 'fd00:9::1', 'fd00:9::2'];
const PORTS = [22, 80, 443, 5432, 8080];

/** `[from, to, port]`. */
type Attempt = readonly [string, string, number];

const isV6 = (address: string) => address.includes(':');
const ATTEMPTS: readonly Attempt[] = ADDRESSES.flatMap((from) =>
  ADDRESSES.filter((to) => isV6(to) === isV6(from)).flatMap((to) =>
    PORTS.map((port): Attempt => [from, to, port]),
  ),
);

const MAP = new Map<string, readonly BuiltinChain[]>([
  ['INPUT', ['ACCEPT']],
  ['OUTPUT', ['CONNECT', 'SENDTO']],
]);

async function imported(filter: PacketFilter) {
  const { text, remarks, invariants } = finishDraft(translate([filter], MAP, []));
  expect(remarks.filter(({ fate }) => fate === 'wider')).toEqual([]);
  expect(await invariantFaults(text, invariants)).toEqual([]);
  const { table, diagnostics } = parseSave(text, 'rules', { names: NO_NAMES });
  expect(diagnostics).toEqual([]);
  return ([from, to, port]: Attempt): boolean => {
    const [source, destination] = [from, to].map((each) => readAddress(each)?.value ?? 0n);
    const call = {
      ...PACKET,
      family: isV6(from) ? (6 as const) : (4 as const),
      source: source ?? 0n,
      sourcePort: 40000,
      destination: destination ?? 0n,
      destinationPort: port,
    };
    return (['CONNECT', 'ACCEPT'] as const).every(
      (chain) => evaluate(table, { ...call, chain }).errno === 0,
    );
  };
}

async function connected(network: NetworkNamespace): Promise<readonly boolean[]> {
  const output = await network.run(
    process.execPath,
    require.resolve('./connects-main.js'),
    JSON.stringify({ ports: PORTS, attempts: ATTEMPTS }),
  );
  return JSON.parse(output);
}

/** What got through and is refused by the import, and the other way round. */
async function differences(network: NetworkNamespace, filter: PacketFilter) {
  const accepts = await imported(filter);
  const real = await connected(network);
  expect(new Set(real)).toEqual(new Set([true, false]));
  const wider: Attempt[] = [];
  const narrower: Attempt[] = [];
  for (const [at, attempt] of ATTEMPTS.entries()) {
    if (accepts(attempt) && !real[at]) wider.push(attempt);
    if (!accepts(attempt) && real[at]) narrower.push(attempt);
  }
  return { wider, narrower };
}

const HOST = [
  '*raw',
  ':PREROUTING ACCEPT [0:0]',
  '-A PREROUTING -s 10.9.9.3/32 -p tcp --dport 443 -j DROP',
  'COMMIT',
  '*mangle',
  ':INPUT ACCEPT [0:0]',
  '-A INPUT -p tcp --dport 8080 -m comment --comment "never from outside" ! -s 10.9.9.1/32 -j DROP',
  'COMMIT',
  '*filter',
  ':INPUT DROP [0:0]',
  ':FORWARD DROP [0:0]',
  ':OUTPUT ACCEPT [0:0]',
  ':WEB - [0:0]',
  ':OFFICE - [0:0]',
  '-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT',
  '-A INPUT -m conntrack --ctstate INVALID -j DROP',
  '-A INPUT -s 127.0.0.0/8 -j ACCEPT',
  '-A INPUT -p tcp -m multiport --dports 80,443 -m conntrack --ctstate NEW -j WEB',
  '-A INPUT -p tcp -m tcp --dport 22 --tcp-flags FIN,SYN,RST,ACK SYN -g OFFICE',
  '-A INPUT -p tcp --dport 8080 -j ACCEPT',
  '-A INPUT -j REJECT --reject-with tcp-reset -p tcp',
  '-A WEB -s 10.9.9.2/32 -j RETURN',
  '-A WEB -j ACCEPT',
  '-A OFFICE -m iprange --src-range 10.9.9.1-10.9.9.2 -j ACCEPT',
  '-A OUTPUT -d 10.9.9.1/32 -p tcp --dport 80 -j REJECT --reject-with icmp-admin-prohibited',
  'COMMIT',
  '',
].join('\n');

const RULESET = `
table inet early {
  chain pre { type filter hook prerouting priority raw; policy accept;
    ip saddr 10.9.9.3 tcp dport 443 drop
  }
}
table ip own {
  set blocked { type ipv4_addr; flags interval; elements = { 10.9.9.3, 192.0.2.0/24 } }
  chain input { type filter hook input priority -5; policy accept;
    ip saddr @blocked tcp dport 22 reject with tcp reset
    ip saddr != { 10.9.9.1, 127.0.0.0/8 } tcp dport 8080 drop
  }
}
table inet filter {
  map ports { type inet_service : verdict; elements = { 22 : accept, 80 : jump web, 8080 : goto proxy } }
  chain web {
    ip saddr . tcp dport { 10.9.9.1 . 80, 10.9.9.2 . 80 } accept
    ip6 saddr fd00:9::1 accept
    return
  }
  chain proxy { meta nfproto ipv4 accept
  }
  chain input { type filter hook input priority 0; policy drop;
    ct state vmap { established : accept, related : accept, invalid : drop }
    ip saddr 127.0.0.1 accept
    tcp dport vmap @ports
    tcp dport 5432 tcp flags syn / fin,syn,rst,ack meta l4proto tcp ip6 saddr fd00:9::/64 accept
  }
  chain output { type filter hook output priority 0; policy accept;
    ip daddr 10.9.9.1 tcp dport { 22, 5000-6000 } reject with icmp admin-prohibited
  }
}
`;

/** util-linux runs a program in a namespace with it. */
const NSENTER = 'nsenter';

const load = (network: NetworkNamespace, input: string, ...words: readonly string[]) =>
  execFileSync(NSENTER, [`--net=${network.path}`, ...words], { input });

describeIptables('a dump of iptables-save', () => {
  afterAll(() => NetworkNamespace.removeAll());

  test('accepts the connections that iptables lets through', async () => {
    const network = await NetworkNamespace.create(ADDRESSES.filter((each) => each !== '127.0.0.1'));
    load(network, HOST, 'iptables-restore');
    const dump = await network.run('iptables-save');
    const closed = '*filter\n:INPUT DROP [0:0]\nCOMMIT\n';
    load(network, closed, 'ip6tables-restore');
    const filter = readDump({ name: 'dump', text: dump });
    const { wider, narrower } = await differences(network, filter);
    expect(wider.filter(([from]) => !isV6(from))).toEqual([]);
    expect(narrower).toEqual([]);
  });
});

describeNft('a ruleset of nft', () => {
  afterAll(() => NetworkNamespace.removeAll());

  test('accepts the connections that nft lets through', async () => {
    const network = await NetworkNamespace.create(ADDRESSES.filter((each) => each !== '127.0.0.1'));
    load(network, RULESET, 'nft', '-f', '-');
    const text = await network.run('nft', '-j', 'list', 'ruleset');
    const filter = readRuleset({ name: 'ruleset', text });
    expect(await differences(network, filter)).toEqual({ wider: [], narrower: [] });
  });
});
