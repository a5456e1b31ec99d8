/** What is asked of a named set. */
import { PROTOCOL, type SetType } from '@sockfilter/table';
import { address, type Boundaries, type Boundary, calls, ends } from './boundary.js';

const { udp } = PROTOCOL;

/** Which ends a set is asked for, and the field that is looked at. */
const SIDES = [
  ['src', 'source', 'sourcePort'],
  ['dst', 'destination', 'destinationPort'],
] as const;

const [IPV4, IPV6] = [2n ** 32n - 1n, 2n ** 128n - 1n];

/** An element, and its first address and last. */
type Addresses = readonly [element: string, from: string, to: string];

/** Sets of the type with one element, of either family. */
const ofAddresses = (type: SetType, four: Addresses, six: Addresses): readonly Boundary[] =>
  SIDES.flatMap(([side, field]) => {
    const options = `-m set ~--match-set s ${side}`;
    const row = ([element, from, to]: Addresses, family: string) => ({
      field,
      from,
      to,
      before: `create s ${type}${family}\nadd s ${element}`,
    });
    return [
      ends('CONNECT', options, { ...row(four, ''), most: IPV4 }),
      ends('CONNECT', options, {
        ...row(six, ' family inet6'),
        most: IPV6,
        other: { family: 6 },
      }),
    ];
  });

/** Sets of the type with one element and its port 80 of TCP. */
const ofPorts = (type: SetType, [element, from, to]: Addresses): readonly Boundary[] =>
  SIDES.flatMap(([side, field, portField]) => {
    const options = `-m set ~--match-set s ${side},${side}`;
    const before = `create s ${type}\nadd s ${element},tcp:80`;
    const own = { [field]: address(to) };
    const port = { [portField]: 80 };
    return [
      ends('CONNECT', options, {
        field: portField,
        from: 80,
        to: 80,
        most: 65_535,
        other: own,
        before,
      }),
      ends('CONNECT', options, { field, from, to, most: IPV4, other: port, before }),
      calls('CONNECT', options, [[false, { ...own, ...port, protocol: udp }]], before),
    ];
  });

const HOST: Addresses = ['10.0.0.255', '10.0.0.255', '10.0.0.255'];
const NETWORK: Addresses = ['10.170.0.0/15', '10.170.0.0', '10.171.255.255'];

/** For each type, an element's first packet and last. */
export const SET_BOUNDARIES: Readonly<Record<SetType, readonly Boundary[]>> = {
  ip: ofAddresses('ip', HOST, ['fd00::1:0', 'fd00::1:0', 'fd00::1:0']),
  net: ofAddresses('net', NETWORK, [
    'fd00:aaaa::/31',
    'fd00:aaaa::',
    'fd00:aaab:ffff:ffff:ffff:ffff:ffff:ffff',
  ]),
  port: SIDES.flatMap(([side, , field]) =>
    [0, 256, 65_535].map((port) =>
      ends('CONNECT', `-m set ~--match-set s ${side}`, {
        field,
        from: port,
        to: port,
        most: 65_535,
        before: `create s port\nadd s ${port}`,
      }),
    ),
  ),
  'ip,port': ofPorts('ip,port', HOST),
  'net,port': ofPorts('net,port', NETWORK),
};

export const MEMBER_BOUNDARIES: Boundaries = {
  'set match-set': Object.values(SET_BOUNDARIES).flat(),
  'set return-nomatch': [
    ends('CONNECT', '-m set --match-set s dst --return-nomatch', {
      field: 'destination',
      from: '10.1.0.0',
      to: '10.1.255.255',
      most: IPV4,
      before: 'create s net\nadd s 10.0.0.0/8\nadd s 10.1.0.0/16 nomatch',
    }),
  ],
};
