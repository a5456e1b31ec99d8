/** What is asked of a clock, of chance, and of the calls before. */
import { address, type Boundaries, type Change, MOMENT, type Moment, moments } from './boundary.js';

const { uptime: NOW } = MOMENT;
/** So many nanoseconds later. */
const after = (ns: bigint): Partial<Moment> => ({ uptime: NOW + ns });
const HALF = 500_000_000n;
const times = (options: string, inside: readonly number[], outside: readonly number[]) =>
  moments(`-m time ${options}`, [
    ...inside.map((time) => [true, { time }] as const),
    ...outside.map((time) => [false, { time }] as const),
  ]);
const clock = (hours: number, minutes = 0, seconds = 0) => 3600 * hours + 60 * minutes + seconds;
const DAY = clock(24);
/** 1970-01-01 was a Thursday, and so was 1970-01-08. */
const THURSDAY = 7 * DAY;

const hashlimit = (options: string) =>
  `-m hashlimit ${options} --hashlimit-burst 1 --hashlimit-name x`;
const perHour = (mode: string) => hashlimit(`--hashlimit-upto 1/hour ${mode}`);
/** The first call of a bucket, and one more in it; then one of another. */
const keyed = (mode: string, own: Change, other: Change) =>
  moments(perHour(`--hashlimit-mode ${mode}`), [
    [true, {}, own],
    [false, {}, own],
    [true, {}, other],
  ]);
const masked = (options: string, field: 'source' | 'destination') =>
  moments(perHour(options), [
    [true, {}, { [field]: address('10.0.1.0') }],
    [false, {}, { [field]: address('10.0.1.255') }],
    [true, {}, { [field]: address('10.0.2.0') }],
    [true, {}, { [field]: address('10.0.0.255') }],
  ]);

export const MOMENT_BOUNDARIES: Boundaries = {
  'limit limit': [
    moments('-m limit --limit 2/second --limit-burst 1', [
      [true, {}],
      [false, after(HALF - 1n)],
      [true, after(HALF)],
      [false, after(HALF)],
    ]),
  ],
  'limit limit-burst': [
    moments(
      '-m limit',
      [...new Array<true>(5).fill(true), false].map((matches) => [matches, {}]),
    ),
    moments('-m limit --limit-burst 2', [
      [true, {}],
      [true, {}],
      [false, {}],
    ]),
  ],
  'hashlimit hashlimit-upto': [
    moments(hashlimit('~--hashlimit-upto 2/second'), [
      [true, {}],
      [false, after(HALF - 1n)],
      [true, after(HALF)],
    ]),
  ],
  'hashlimit hashlimit-above': [
    moments(hashlimit('~--hashlimit-above 2/second'), [
      [false, {}],
      [true, after(HALF - 1n)],
      [false, after(HALF)],
    ]),
  ],
  'hashlimit hashlimit-burst': [
    moments('-m hashlimit --hashlimit-upto 1/hour --hashlimit-burst 2 --hashlimit-name x', [
      [true, {}],
      [true, {}],
      [false, {}],
    ]),
  ],
  'hashlimit hashlimit-mode': [
    keyed('srcip', { source: 1n }, { source: 2n }),
    keyed('dstip', { destination: 1n }, { destination: 2n }),
    keyed('srcport', { sourcePort: 255 }, { sourcePort: 256 }),
    keyed('dstport', { destinationPort: 255 }, { destinationPort: 256 }),
    keyed('group', { group: 65_535 }, { group: 65_536 }),
  ],
  'hashlimit hashlimit-srcmask': [
    masked('--hashlimit-mode srcip --hashlimit-srcmask 24', 'source'),
  ],
  'hashlimit hashlimit-dstmask': [
    masked('--hashlimit-mode dstip --hashlimit-dstmask 24', 'destination'),
  ],
  'hashlimit hashlimit-htable-max': 'the reference has room for all: test/kernel/hashlimit.test.ts',
  'hashlimit hashlimit-name': 'means nothing',
  'hashlimit hashlimit-htable-size': 'does nothing',
  'hashlimit hashlimit-htable-gcinterval': 'does nothing',
  'hashlimit hashlimit-htable-expire': 'does nothing',
  'statistic mode': 'the word for what the others say',
  'statistic probability': [
    moments('-m statistic --mode random ~--probability 0.5', [
      [true, { random: 0 }],
      [true, { random: 2 ** 30 - 1 }],
      [false, { random: 2 ** 30 }],
      [false, { random: 2 ** 31 - 1 }],
    ]),
  ],
  'statistic every': [
    moments('-m statistic --mode nth ~--every 3 --packet 0', [
      [true, {}],
      [false, {}],
      [false, {}],
      [true, {}],
    ]),
  ],
  'statistic packet': [
    moments('-m statistic --mode nth --every 3 --packet 2', [
      [false, {}],
      [false, {}],
      [true, {}],
      [false, {}],
    ]),
  ],
  'quota quota': [
    moments('-m quota ~--quota 2', [
      [true, {}],
      [true, {}],
      [false, {}],
      [false, {}],
    ]),
    moments('-m quota ~--quota 0', [[false, {}]]),
  ],
  'time timestart': [times('--timestart 10:00:01', [clock(10, 0, 1), DAY - 1], [clock(10), 0])],
  'time timestop': [
    times('--timestop 11:00:01', [0, clock(11, 0, 1)], [clock(11, 0, 2), DAY - 1]),
    // Past midnight.
    times(
      '--timestart 23:00 --timestop 1:00',
      [clock(23), 0, clock(1)],
      [clock(23) - 1, clock(1) + 1],
    ),
  ],
  'time monthdays': [times('~--monthdays 31', [30 * DAY, 31 * DAY - 1], [30 * DAY - 1, 31 * DAY])],
  'time weekdays': [
    times('~--weekdays Thu', [THURSDAY, THURSDAY + DAY - 1], [THURSDAY - 1, THURSDAY + DAY]),
    times('~--weekdays Sun', [3 * DAY, 4 * DAY - 1], [3 * DAY - 1, 4 * DAY]),
  ],
  'time datestart': [times('--datestart 1970-01-02T00:00:01', [DAY + 1], [DAY])],
  'time datestop': [times('--datestop 1970-01-02T00:00:01', [DAY + 1], [DAY + 2])],
  'time kerneltz': [
    // Where these tests run it is five hours and a half later than by UTC.
    times(
      '--timestart 10:00 --timestop 11:00 --kerneltz',
      [clock(4, 30), clock(5, 30)],
      [clock(4, 30) - 1, clock(5, 30) + 1],
    ),
  ],
  'time utc': [times('--timestart 10:00 --utc', [clock(10)], [clock(10) - 1])],
  'time contiguous': [
    times(
      '--timestart 23:00 --timestop 1:00 --weekdays Thu --contiguous',
      [THURSDAY + clock(23), THURSDAY + DAY, THURSDAY + DAY + clock(1)],
      [THURSDAY + clock(23) - 1, THURSDAY, THURSDAY + clock(1), THURSDAY + DAY + clock(1) + 1],
    ),
  ],
};
