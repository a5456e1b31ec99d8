/** What is asked of a named set. */
import { PROTOCOL, type SetType } from '@sockfilter/table';
import { address, type Boundaries, type Boundary, calls, ends } from './boundary.js';

const { udp } = PROTOCOL;

/** Which ends a set is asked for, and the field that is looked at. */
const SIDES = [
  ['src', 'source', 'sourcePort'],
  ['dst', 'destination', 'destinationPort'],
] as const;

/** For each type, an element's first packet and last. */
export const SET_BOUNDARIES: Readonly<Record<SetType, readonly Boundary[]>> = {
  ip: SIDES.flatMap(([side, field]) => [
    ends('CONNECT', `-m set ~--match-set s ${side}`, {
      field,
      from: '10.0.0.255',
      to: '10.0.0.255',
      most: 2n ** 32n - 1n,
      before: 'create s ip\nadd s 10.0.0.255',
    }),
    ends('CONNECT', `-m set ~--match-set s ${side}`, {
      field,
      from: 'fd00::1:0',
      to: 'fd00::1:0',
      most: 2n ** 128n - 1n,
      other: { family: 6 },
      before: 'create s ip family inet6\nadd s fd00::1:0',
    }),
  ]),
  net: SIDES.flatMap(([side, field]) => [
    ends('CONNECT', `-m set ~--match-set s ${side}`, {
      field,
      from: '10.170.0.0',
      to: '10.171.255.255',
      most: 2n ** 32n - 1n,
      before: 'create s net\nadd s 10.170.0.0/15',
    }),
    ends('CONNECT', `-m set ~--match-set s ${side}`, {
      field,
      from: 'fd00:aaaa::',
      to: 'fd00:aaab:ffff:ffff:ffff:ffff:ffff:ffff',
      most: 2n ** 128n - 1n,
      other: { family: 6 },
      before: 'create s net family inet6\nadd s fd00:aaaa::/31',
    }),
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
  'ip,port': SIDES.flatMap(([side, field, portField]) => {
    const options = `-m set ~--match-set s ${side},${side}`;
    const before = 'create s ip,port\nadd s 10.0.0.255,tcp:80';
    const own = { [field]: address('10.0.0.255') };
    const most = 2n ** 32n - 1n;
    return [
      ends('CONNECT', options, {
        field: portField,
        from: 80,
        to: 80,
        most: 65_535,
        other: own,
        before,
      }),
      ends('CONNECT', options, {
        field,
        from: '10.0.0.255',
        to: '10.0.0.255',
        most,
        other: { [portField]: 80 },
        before,
      }),
      calls('CONNECT', options, [[false, { ...own, [portField]: 80, protocol: udp }]], before),
    ];
  }),
  'net,port': SIDES.flatMap(([side, field, portField]) => {
    const options = `-m set ~--match-set s ${side},${side}`;
    const before = 'create s net,port\nadd s 10.170.0.0/15,tcp:80';
    const [from, to] = ['10.170.0.0', '10.171.255.255'];
    const own = { [field]: address(to) };
    const most = 2n ** 32n - 1n;
    return [
      ends('CONNECT', options, {
        field: portField,
        from: 80,
        to: 80,
        most: 65_535,
        other: own,
        before,
      }),
      ends('CONNECT', options, { field, from, to, most, other: { [portField]: 80 }, before }),
      calls('CONNECT', options, [[false, { ...own, [portField]: 80, protocol: udp }]], before),
    ];
  }),
};

export const MEMBER_BOUNDARIES: Boundaries = {
  'set match-set': Object.values(SET_BOUNDARIES).flat(),
  'set return-nomatch': [
    ends('CONNECT', '-m set --match-set s dst --return-nomatch', {
      field: 'destination',
      from: '10.1.0.0',
      to: '10.1.255.255',
      most: 2n ** 32n - 1n,
      before: 'create s net\nadd s 10.0.0.0/8\nadd s 10.1.0.0/16 nomatch',
    }),
  ],
};
