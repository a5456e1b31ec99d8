/** Calls at the ends of what a rule says. */
import {
  type BuiltinChain,
  CHAINS,
  type Field,
  flagsOf,
  type Packet,
  readAddress,
  usualProtocol,
} from '@sockfilter/table';

/** What the machine is like when the call is made. */
export interface Moment {
  readonly uptime: bigint;
  /** Seconds since 1970 by UTC. */
  readonly time: number;
  readonly random: number;
}

export interface Step {
  readonly packet: Packet;
  readonly moment: Moment;
  readonly matches: boolean;
}

export interface Boundary {
  readonly chain: BuiltinChain;
  /** `~` is where `!` may stand; there all is the other way round. */
  readonly options: string;
  /** Sets and groups, as save files have them. */
  readonly before: string;
  /** Calls one after the other. */
  readonly steps: readonly Step[];
}

/** By match and option; a text says why there is nothing to try. */
export type Boundaries = Readonly<Record<string, readonly Boundary[] | string>>;

export type Change = Partial<Omit<Packet, 'chain'>>;

export const address = (text: string): bigint => {
  const found = readAddress(text);
  if (!found) throw new TypeError(`${text} is no address`);
  return found.value;
};

/** Where nothing else is said. */
export const MOMENT: Moment = { uptime: 1_000_000_000_000n, time: 1_000_000_000, random: 0 };

function packetOf(chain: BuiltinChain, change: Change = {}): Packet {
  const { family = 4, protocol = usualProtocol(chain) } = change;
  const [here, there] = family === 4 ? ['10.9.9.1', '10.9.9.2'] : ['fd00:9::1', 'fd00:9::2'];
  const isBind = chain === 'BIND';
  return {
    chain,
    group: 0,
    family,
    protocol,
    source: isBind ? 0n : address(here),
    destination: address(there),
    sourcePort: isBind ? 0 : 1024,
    destinationPort: 443,
    flags: flagsOf(chain, protocol),
    uid: 1000,
    gid: CHAINS[chain].ids === 'caller' ? 100 : 0,
    mark: 0,
    ...change,
  };
}

export const calls = (
  chain: BuiltinChain,
  options: string,
  changes: readonly (readonly [matches: boolean, change: Change])[],
  before = '',
): Boundary => ({
  chain,
  options,
  before,
  steps: changes.map(([matches, change]) => ({
    packet: packetOf(chain, change),
    moment: MOMENT,
    matches,
  })),
});

/** Calls at moments, of what asks for more than the call. */
export const moments = (
  options: string,
  steps: readonly (readonly [matches: boolean, moment: Partial<Moment>, change?: Change])[],
): Boundary => ({
  chain: 'CONNECT',
  options,
  before: '',
  steps: steps.map(([matches, moment, change]) => ({
    packet: packetOf('CONNECT', change),
    moment: { ...MOMENT, ...moment },
    matches,
  })),
});

const NUMBERS: readonly Field[] = [
  'group',
  'protocol',
  'sourcePort',
  'destinationPort',
  'flags',
  'uid',
  'gid',
  'mark',
];

const changed = (field: Field, value: bigint, other: Change): Change => ({
  ...other,
  [field]: NUMBERS.includes(field) ? Number(value) : value,
});

interface Ends {
  readonly field: Field;
  readonly from: bigint | number | string;
  readonly to: bigint | number | string;
  /** The greatest value that there is. */
  readonly most: bigint | number;
  /** The distance of two values that can be; 1 if absent. */
  readonly step?: bigint;
  readonly other?: Change;
  readonly before?: string;
}

const numberOf = (value: bigint | number | string): bigint =>
  typeof value === 'string' ? address(value) : BigInt(value);

/** The first, the last, one before and one past, as far as they are. */
export function ends(chain: BuiltinChain, options: string, what: Ends): Boundary {
  const { field, step = 1n, other = {}, before } = what;
  const [from, to, most] = [numberOf(what.from), numberOf(what.to), numberOf(what.most)];
  const outside = [from - step, to + step].filter((value) => value >= 0n && value <= most);
  return calls(
    chain,
    options,
    [
      ...[from, to].map((value) => [true, changed(field, value, other)] as const),
      ...outside.map((value) => [false, changed(field, value, other)] as const),
    ],
    before,
  );
}
