import type { Box } from '@sockfilter/diagram';
import { describeBox } from './describe.js';

const groups = [
  { name: 'web', id: 3, path: undefined },
  { name: 'db', id: 4, path: undefined },
];

const at = (value: bigint) => [[value, value]] as const;

const ROWS: readonly (readonly [Box, string])[] = [
  [{}, 'every chain'],
  [{ chain: at(2n) }, 'CONNECT'],
  [{ chain: [[0n, 1n]] }, 'BIND/ACCEPT'],
  [{ chain: at(2n), group: at(3n), protocol: at(6n) }, 'CONNECT, group web (3), tcp'],
  [{ group: [[3n, 4n]] }, 'every chain, group web (3),db (4)'],
  [
    {
      group: [
        [0n, 2n],
        [4n, 2n ** 32n - 1n],
      ],
    },
    'every chain, group not web (3)',
  ],
  [{ group: at(0n) }, 'every chain, no group'],
  [{ group: [[1n, 2n ** 32n - 1n]] }, 'every chain, any group'],
  [{ family: at(6n) }, 'every chain, IPv6'],
  [
    { family: at(4n), destination: [[0x0a000000n, 0x0affffffn]], destinationPort: [[80n, 90n]] },
    'every chain, to 10.0.0.0/8 port 80-90',
  ],
  [
    {
      family: at(4n),
      destination: [
        [0n, 0x09ffffffn],
        [0x0b000000n, 0xffffffffn],
      ],
    },
    'every chain, to not 10.0.0.0/8',
  ],
  [{ family: at(6n), source: at(1n), sourcePort: at(53n) }, 'every chain, from ::1 port 53'],
  [{ chain: at(0n), family: at(4n), source: at(0n) }, 'BIND, IPv4'],
  [{ uid: at(0n), gid: [[1n, 9n]] }, 'every chain, uid 0, gid 1-9'],
  [{ destinationPort: [[1024n, 65535n]] }, 'every chain, to port 1024-65535'],
];

test.each(ROWS)('%j', (box, text) => {
  expect(describeBox(box, { groups })).toBe(text);
});
