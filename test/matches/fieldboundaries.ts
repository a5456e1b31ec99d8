/** What is asked of a field of the packet. */
import { type BuiltinChain, PROTOCOL, printAddress } from '@sockfilter/table';
import { address, type Boundaries, type Boundary, calls, ends } from './boundary.js';

const PORTS: readonly (readonly [word: string, from: number, to: number])[] = [
  ['0', 0, 0],
  ['80', 80, 80],
  ['80:90', 80, 90],
  ['255:256', 255, 256],
  [':1023', 0, 1023],
  ['1024:', 1024, 65_535],
  ['65535', 65_535, 65_535],
];

function ports(
  chain: BuiltinChain,
  option: string,
  field: 'sourcePort' | 'destinationPort',
  protocol: number,
): readonly Boundary[] {
  return PORTS.map(([word, from, to]) =>
    ends(chain, `${option} ${word}`, { field, from, to, most: 65_535, other: { protocol } }),
  );
}

/** Prefixes about the ends of the pieces in which diagrams ask for addresses. */
const PREFIXES = { 4: [1, 8, 15, 16, 17, 31, 32], 6: [1, 16, 17, 63, 64, 65, 112, 127, 128] };
const SAMPLE = {
  4: address('170.85.170.85'),
  6: address('fd55:aa55:aa55:aa55:aa55:aa55:aa55:aa55'),
};

function networks(
  chain: BuiltinChain,
  option: string,
  field: 'source' | 'destination',
): readonly Boundary[] {
  const prefixed = ([4, 6] as const).flatMap((family) =>
    PREFIXES[family].map((prefix) => {
      const width = BigInt(family === 4 ? 32 : 128);
      const rest = width - BigInt(prefix);
      const from = (SAMPLE[family] >> rest) << rest;
      const to = from + (1n << rest) - 1n;
      const word = `${printAddress(family, from)}/${prefix}`;
      const most = (1n << width) - 1n;
      return ends(chain, `${option} ${word}`, { field, from, to, most, other: { family } });
    }),
  );
  const holes = (
    word: string,
    family: 4 | 6,
    inside: readonly string[],
    outside: readonly string[],
  ) =>
    calls(chain, `${option} ${word}`, [
      ...inside.map((text) => [true, { family, [field]: address(text) }] as const),
      ...outside.map((text) => [false, { family, [field]: address(text) }] as const),
    ]);
  return [
    ...prefixed,
    holes(
      '10.0.1.0/255.0.255.0',
      4,
      ['10.0.1.0', '10.0.1.255', '10.255.1.255'],
      ['10.0.0.255', '10.0.2.0', '9.255.1.255', '11.0.1.0'],
    ),
    holes(
      'fd00::8/ffff:0:0:0:0:0:0:fff8',
      6,
      ['fd00::8', 'fd00::f', 'fd00:1::8', 'fd00:ffff:ffff:ffff:ffff:ffff:ffff:f'],
      ['fd00::7', 'fd00::10', 'fcff::8', 'fd01::8'],
    ),
  ];
}

const ofFamily = (option: string, family: 4 | 6) =>
  calls('CONNECT', option, [
    [true, { family }],
    [false, { family: family === 4 ? 6 : 4 }],
  ]);

/** The bytes of a name in 16, filled with NUL. */
const named = (...bytes: readonly number[]): bigint =>
  bytes.reduce((value, byte) => (value << 8n) | BigInt(byte), 0n) <<
  BigInt(8 * (16 - bytes.length));
const ETH = [...Buffer.from('eth')];
/** Names end in a NUL, so that two that follow each other are so far apart. */
const NAME = { most: named(...new Array<number>(15).fill(255)), step: 256n };

const devices = (chain: BuiltinChain, option: string): readonly Boundary[] => [
  ends(chain, `${option} eth+`, {
    field: 'device',
    from: named(...ETH),
    to: named(...ETH, ...new Array<number>(12).fill(255)),
    ...NAME,
  }),
  ends(chain, `${option} eth`, {
    field: 'device',
    from: named(...ETH),
    to: named(...ETH),
    ...NAME,
  }),
];

const { tcp, udp, udplite, icmp } = PROTOCOL;

const types = (option: string, field: 'source' | 'destination'): readonly Boundary[] => {
  const of = (word: string, family: 4 | 6, from: string, to: string, most: string) =>
    ends('SENDTO', `-m addrtype ~${option} ${word}`, {
      field,
      from,
      to,
      most: address(most),
      other: { family },
    });
  const [last4, last6] = ['255.255.255.255', 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'];
  return [
    of('MULTICAST', 4, '224.0.0.0', '239.255.255.255', last4),
    of('MULTICAST', 6, 'ff00::', last6, last6),
    of('BROADCAST', 4, last4, last4, last4),
    of('UNICAST', 4, '240.0.0.0', '255.255.255.254', last4),
    of('UNICAST,BROADCAST', 4, '240.0.0.0', last4, last4),
    // The address before it is unspecified.
    calls('SENDTO', `-m addrtype ~${option} UNICAST`, [
      [true, { [field]: 1n }],
      [true, { [field]: address('223.255.255.255') }],
      [false, { [field]: address('224.0.0.0') }],
      [true, { family: 6, [field]: 1n }],
      [true, { family: 6, [field]: address('feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff') }],
      [false, { family: 6, [field]: address('ff00::') }],
    ]),
  ];
};

const GROUPS =
  '-G web --id 3 --path /web\n-G below --id 5 --path /web/a\n-G other --id 4 --path /webs';

const ids = (word: string, from: number, to: number) =>
  ends('CONNECT', `-m cgroup ~--id ${word}`, { field: 'group', from, to, most: 2 ** 32 - 1 });

const owners = (option: string, field: 'uid' | 'gid'): readonly Boundary[] =>
  [
    ['0', 0, 0],
    ['1000-65536', 1000, 65_536],
    ['65535', 65_535, 65_535],
    ['4294967294', 2 ** 32 - 2, 2 ** 32 - 2],
  ].map(([word = '', from = 0, to = 0]) =>
    // 2^32-1 is nobody.
    ends('CONNECT', `-m owner ~${option} ${word}`, { field, from, to, most: 2 ** 32 - 2 }),
  );

const marks = (word: string, inside: readonly number[], outside: readonly number[]) =>
  calls('CONNECT', `-m mark ~--mark ${word}`, [
    ...inside.map((mark) => [true, { mark }] as const),
    ...outside.map((mark) => [false, { mark }] as const),
  ]);

const inList = (
  chain: BuiltinChain,
  option: string,
  field: 'sourcePort' | 'destinationPort',
): readonly Boundary[] => [
  calls(chain, `-p udp -m multiport ~${option} 80,90:92,65535`, [
    ...[80, 90, 92, 65_535].map((port) => [true, { protocol: udp, [field]: port }] as const),
    ...[79, 81, 89, 93, 65_534].map((port) => [false, { protocol: udp, [field]: port }] as const),
  ]),
];

const between = (option: string, field: 'source' | 'destination'): readonly Boundary[] => {
  const of = (family: 4 | 6, from: string, to: string) =>
    ends('CONNECT', `-m iprange ~${option} ${from}-${to}`, {
      field,
      from,
      to,
      most: (1n << BigInt(family === 4 ? 32 : 128)) - 1n,
      other: { family },
    });
  return [
    of(4, '10.0.255.254', '10.1.0.1'),
    of(4, '10.0.0.5', '10.0.0.5'),
    of(4, '240.0.0.0', '255.255.255.255'),
    of(6, 'fd00::ffff', 'fd00::1:0'),
    of(6, 'fd00::ffff:ffff:ffff:ffff', 'fd01::'),
  ];
};

export const FIELD_BOUNDARIES: Boundaries = {
  'ip ipv4': [ofFamily('-4', 4)],
  'ip ipv6': [ofFamily('-6', 6)],
  'ip source': networks('CONNECT', '~-s', 'source'),
  'ip destination': networks('CONNECT', '~-d', 'destination'),
  'ip in-interface': devices('ACCEPT', '~-i'),
  'ip out-interface': devices('CONNECT', '~-o'),
  'ip protocol': [
    calls('CONNECT', '~-p udp', [
      [true, { protocol: udp }],
      [false, { protocol: tcp }],
      [false, { protocol: icmp, sourcePort: 0, destinationPort: 0 }],
    ]),
    calls('SENDTO', '~-p udplite', [
      [true, { protocol: udplite }],
      [false, { protocol: udp }],
    ]),
  ],
  'tcp sport': ports('CONNECT', '-p tcp ~--sport', 'sourcePort', tcp),
  'tcp dport': ports('CONNECT', '-p tcp ~--dport', 'destinationPort', tcp),
  'tcp tcp-flags': [
    calls('CONNECT', '-p tcp ~--tcp-flags SYN,ACK SYN', [[true, {}]]),
    calls('CONNECT', '-p tcp ~--tcp-flags ALL SYN', [[true, {}]]),
    calls('CONNECT', '-p tcp ~--tcp-flags ACK ACK', [[false, {}]]),
    calls('CONNECT', '-p tcp ~--tcp-flags SYN NONE', [[false, {}]]),
    calls('BIND', '-p tcp ~--tcp-flags SYN SYN', [[false, {}]]),
  ],
  'udp sport': ports('SENDTO', '-p udp ~--sport', 'sourcePort', udp),
  'udp dport': ports('RECVFROM', '-p udp ~--dport', 'destinationPort', udp),
  'udplite sport': ports('SENDTO', '-p udplite ~--sport', 'sourcePort', udplite),
  'udplite dport': ports('RECVFROM', '-p udplite ~--dport', 'destinationPort', udplite),
  'multiport sports': inList('SENDTO', '--sports', 'sourcePort'),
  'multiport dports': inList('SENDTO', '--dports', 'destinationPort'),
  'multiport ports': [
    ...inList('SENDTO', '--ports', 'sourcePort'),
    ...inList('SENDTO', '--ports', 'destinationPort'),
  ],
  'iprange src-range': between('--src-range', 'source'),
  'iprange dst-range': between('--dst-range', 'destination'),
  'addrtype src-type': types('--src-type', 'source'),
  'addrtype dst-type': [
    ...types('--dst-type', 'destination'),
    calls('BIND', '-m addrtype ~--dst-type UNSPEC', [
      [true, { destination: 0n }],
      [false, { destination: 1n }],
      [true, { family: 6, destination: 0n }],
      [false, { family: 6, destination: 1n }],
    ]),
  ],
  'cgroup id': [
    ids('0', 0, 0),
    ids('3:65536', 3, 65_536),
    ids('4294967295', 2 ** 32 - 1, 2 ** 32 - 1),
  ],
  'cgroup path': [
    calls(
      'CONNECT',
      '-m cgroup ~--path /web',
      [
        [true, { group: 3 }],
        [true, { group: 5 }],
        [false, { group: 2 }],
        [false, { group: 4 }],
        [false, { group: 6 }],
      ],
      GROUPS,
    ),
  ],
  'owner uid-owner': owners('--uid-owner', 'uid'),
  'owner gid-owner': owners('--gid-owner', 'gid'),
  'comm comm': [
    ends('CONNECT', '-m comm ~--comm eth', {
      field: 'comm',
      from: named(...ETH),
      to: named(...ETH),
      ...NAME,
    }),
  ],
  'netns inode': [
    ends('CONNECT', '-m netns ~--inode 65535-65536', {
      field: 'netns',
      from: 65_535,
      to: 65_536,
      most: 2 ** 32 - 1,
    }),
  ],
  'comment comment': 'restricts nothing',
  'socket local': [
    ...networks('CONNECT', '-m socket ~--local', 'source'),
    ...networks('ACCEPT', '-m socket ~--local', 'destination'),
  ],
  'socket local-port': [
    ...ports('SENDTO', '-m socket ~--local-port', 'sourcePort', udp),
    ...ports('RECVFROM', '-m socket ~--local-port', 'destinationPort', udp),
    ...ports('BIND', '-m socket ~--local-port', 'destinationPort', tcp),
  ],
  'socket remote': [
    ...networks('CONNECT', '-m socket ~--remote', 'destination'),
    ...networks('ACCEPT', '-m socket ~--remote', 'source'),
  ],
  'socket remote-port': [
    ...ports('SENDTO', '-m socket ~--remote-port', 'destinationPort', udp),
    ...ports('RECVFROM', '-m socket ~--remote-port', 'sourcePort', udp),
  ],
  'mark mark': [
    marks('0', [0], [1]),
    marks('4294967295', [2 ** 32 - 1], [2 ** 32 - 2]),
    marks('0x10/0xf0', [0x10, 0x1f, 0xffff_ff1f], [0x0f, 0x20, 0xffff_ff20]),
    // Never: it has a bit outside the mask.
    marks('0x11/0x10', [], [0x10, 0x11, 0x01]),
  ],
};
