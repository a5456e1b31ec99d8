/** The two ends, and the table that refuses one and allows the other. */
import type { BuiltinChain } from '@sockfilter/table';
import type { End } from './technique.js';

/** The port of the servers. */
export const PORT = 4000;

export const ENDS: { readonly refused: End; readonly allowed: End } = {
  refused: {
    name: 'refused',
    v4: '10.9.9.2',
    v6: 'fd00:9::2',
    multicast: '239.9.9.2',
    device: { name: 'dev2', v4: '10.77.2.1', broadcast: '10.77.2.255' },
    own: { v4: '10.9.9.4', v6: 'fd00:9::4', port: 7002 },
    given: { v4: '10.8.8.2', v6: 'fd00:8::2', own4: '10.8.8.4', own6: 'fd00:8::4' },
    group: 'guest',
  },
  allowed: {
    name: 'allowed',
    v4: '10.9.9.1',
    v6: 'fd00:9::1',
    multicast: '239.9.9.1',
    device: { name: 'dev1', v4: '10.77.1.1', broadcast: '10.77.1.255' },
    own: { v4: '10.9.9.3', v6: 'fd00:9::3', port: 7001 },
    given: { v4: '10.8.8.1', v6: 'fd00:8::1', own4: '10.8.8.3', own6: 'fd00:8::3' },
    group: 'friend',
  },
};

/** Network_ids of the policed groups; who has friend's may do all. */
const GROUPS = { guest: 6, friend: 3 };

/** Peers that everybody may reach, and that may reach everybody. */
const PEERS = [
  ENDS.allowed.v4,
  ENDS.allowed.v6,
  ENDS.allowed.multicast,
  ENDS.allowed.device.v4,
  ENDS.allowed.device.broadcast,
  '127.0.0.0/8',
  '::1',
];

/** What leads to an end by another name: what rules behind say of it decides. */
const givenRules = ({ v4, v6, own, given }: End): readonly string[] => [
  ...['CONNECT', 'SENDTO'].flatMap((chain) => [
    `-A ${chain} -d ${given.v4} -j DNAT --to-destination ${v4}`,
    `-A ${chain} -d ${given.v6} -j DNAT --to-destination ${v6}`,
  ]),
  `-A BIND -d ${given.own4} -j DNAT --to-destination ${own.v4}`,
  `-A BIND -d ${given.own6} -j DNAT --to-destination ${own.v6}`,
];

/** The table, with the groups below `root`. */
export function rulesOf(root: string): string {
  const { v4, v6, port } = ENDS.refused.own;
  const ports = ['tcp', 'udp', 'udplite'].map((name) => `-p ${name} --dport ${port}`);
  const allow = (chain: BuiltinChain, option: string) =>
    PEERS.map((peer) => `-A ${chain} ${option} ${peer} -j ACCEPT`);
  return [
    ...Object.entries(GROUPS).map(([name, id]) => `-G ${name} --id ${id} --path ${root}/${name}`),
    ...['CONNECT', 'SENDTO', 'ACCEPT', 'RECVFROM'].map((chain) => `-P ${chain} DROP`),
    ...Object.values(ENDS).flatMap(givenRules),
    ...['BIND', 'CONNECT', 'SENDTO', 'ACCEPT', 'RECVFROM'].map(
      (chain) => `-A ${chain} -m cgroup --id ${GROUPS.friend} -j ACCEPT`,
    ),
    ...[`-d ${v4}`, `-d ${v6}`, ...ports].map((what) => `-A BIND ${what} -j DROP`),
    ...allow('CONNECT', '-d'),
    ...allow('SENDTO', '-d'),
    ...allow('ACCEPT', '-s'),
    ...allow('RECVFROM', '-s'),
  ].join('\n');
}
