/** Whether a packet is in a set: the reference meaning, and the same as tests of fields. */
import type { Clause, Test } from '../clause.js';
import type { Family, Field, Packet } from '../packet.js';
import { PORT_PROTOCOLS } from '../protocol.js';
import { type Range, rangeSet, valueSet } from '../valueset.js';
import { addressBits } from '../words/address.js';
import { longest, type NamedSet, type SetElement } from './namedset.js';
import { hasAddresses, hasPart, partsOf, type SetType, type Side } from './settype.js';

/** What of the packet each part of an element is compared with. */
interface Sides {
  readonly address: Side | undefined;
  readonly port: Side | undefined;
}

export function sidesOf(type: SetType, sides: readonly Side[]): Sides {
  const of = (...wanted: readonly string[]) =>
    sides[partsOf(type).findIndex((p) => wanted.includes(p))];
  return { address: of('address', 'network'), port: of('port', 'service') };
}

const ADDRESS: Readonly<Record<Side, Field & ('source' | 'destination')>> = {
  src: 'source',
  dst: 'destination',
};
const PORT: Readonly<Record<Side, Field & ('sourcePort' | 'destinationPort')>> = {
  src: 'sourcePort',
  dst: 'destinationPort',
};

export function addressField(side: Side) {
  return ADDRESS[side];
}

export function portField(side: Side) {
  return PORT[side];
}

function holdsPacket(
  { type, family }: NamedSet,
  sides: Sides,
  element: SetElement,
  packet: Packet,
): boolean {
  if (sides.address) {
    const rest = BigInt(addressBits(family) - element.prefix);
    if (packet[ADDRESS[sides.address]] >> rest !== element.address >> rest) return false;
  }
  if (!sides.port) return true;
  if (packet[PORT[sides.port]] !== element.port) return false;
  return hasPart(type, 'service')
    ? packet.protocol === element.protocol
    : PORT_PROTOCOLS.includes(packet.protocol);
}

/** How a set is asked: `exceptions` asks for its exceptions, and not for what it has. */
export interface Asked {
  readonly sides: readonly Side[];
  readonly exceptions: boolean;
}

/** Whether the packet is in the set; `elapsed` says of a timeout whether it is over. */
export function isMember(
  set: NamedSet,
  { sides, exceptions }: Asked,
  packet: Packet,
  elapsed: (timeout: number) => boolean = () => false,
): boolean {
  if (hasAddresses(set.type) && packet.family !== set.family) return false;
  const ends = sidesOf(set.type, sides);
  const decides = longest(
    set.elements.filter(
      (element) =>
        holdsPacket(set, ends, element, packet) &&
        !(element.timeout !== undefined && elapsed(element.timeout)),
    ),
  );
  return decides?.nomatch === exceptions;
}

/** The family of the packets that a rule with the set matches, negated or not: as an address brings it. */
export function familyClauses(set: NamedSet): readonly Clause[] {
  return hasAddresses(set.type)
    ? [[{ field: 'family', set: valueSet(set.family), negated: false }]]
    : [];
}

function rangeOf(family: Family, { address, prefix }: SetElement): Range {
  const size = 1n << BigInt(addressBits(family) - prefix);
  return [address, address + size - 1n];
}

/** Whether none is an exception or, if exceptions are wanted, all are. */
const areAll = (elements: readonly SetElement[], exceptions: boolean) =>
  elements.every(({ nomatch }) => nomatch === exceptions);

/** The addresses of which the longest network is an exception, or is none. */
function rangesOf(
  family: Family,
  elements: readonly SetElement[],
  exceptions: boolean,
): readonly Range[] {
  if (areAll(elements, exceptions)) return elements.map((each) => rangeOf(family, each));
  const ranges: Range[] = [];
  /** The networks that hold the address at which the walk is, the longest last. */
  const open: { readonly to: bigint; readonly wanted: boolean }[] = [];
  let at = 0n;
  const passTo = (end: bigint) => {
    if (open.at(-1)?.wanted && at < end) ranges.push([at, end - 1n]);
    at = end;
  };
  const closeBefore = (start: bigint | undefined) => {
    for (
      let last = open.at(-1);
      last && (start === undefined || last.to < start);
      last = open.at(-1)
    ) {
      passTo(last.to + 1n);
      open.pop();
    }
  };
  const sorted = elements
    .map((element) => ({ range: rangeOf(family, element), element }))
    .sort((a, b) =>
      a.range[0] === b.range[0]
        ? a.element.prefix - b.element.prefix
        : a.range[0] < b.range[0]
          ? -1
          : 1,
    );
  for (const {
    range: [from, to],
    element,
  } of sorted) {
    closeBefore(from);
    passTo(from);
    open.push({ to, wanted: element.nomatch === exceptions });
  }
  closeBefore(undefined);
  return ranges;
}

const within = (field: Field, ranges: readonly Range[]): Test => ({
  field,
  set: rangeSet(ranges),
  negated: false,
});

/** Elements of one protocol and the same ports, which have the addresses of these ranges. */
interface ServiceBox {
  readonly protocol: number;
  readonly ports: readonly number[];
  readonly ranges: readonly Range[];
}

/** Where none is an exception: the networks that have the same ports are one box. */
function boxesByNetwork(family: Family, elements: readonly SetElement[]): readonly ServiceBox[] {
  const services = new Map<string, SetElement[]>();
  for (const element of elements)
    push(services, `${element.protocol} ${element.address}/${element.prefix}`, element);
  const boxes = new Map<string, { protocol: number; ports: number[]; ranges: Range[] }>();
  for (const some of services.values()) {
    const [element] = some;
    if (!element) throw new TypeError('a service without an element');
    const { protocol } = element;
    const ports = some.map(({ port }) => port).sort((a, b) => a - b);
    const key = `${protocol} ${ports.join(' ')}`;
    const box = boxes.get(key) ?? { protocol, ports, ranges: [] };
    boxes.set(key, box);
    box.ranges.push(rangeOf(family, element));
  }
  return [...boxes.values()];
}

/** An exception is one of networks with its own port: the ports that have the same addresses are one box. */
function boxesByPort(
  family: Family,
  elements: readonly SetElement[],
  exceptions: boolean,
): readonly ServiceBox[] {
  const services = new Map<string, SetElement[]>();
  for (const element of elements) push(services, `${element.protocol} ${element.port}`, element);
  const boxes = new Map<string, { protocol: number; ports: number[]; ranges: readonly Range[] }>();
  for (const some of services.values()) {
    const [element] = some;
    const ranges = rangesOf(family, some, exceptions);
    if (!element || ranges.length === 0) continue;
    const { protocol, port } = element;
    const key = `${protocol} ${ranges.join(' ')}`;
    const box = boxes.get(key) ?? { protocol, ports: [], ranges };
    boxes.set(key, box);
    box.ports.push(port);
  }
  return [...boxes.values()];
}

const portRanges = (ports: readonly number[]) =>
  ports.map((port): Range => [BigInt(port), BigInt(port)]);

/**
 * The packets that are in the set, as boxes: a packet of one of its family is in the set if all
 * tests of one of the boxes hold. Timeouts are not looked at.
 */
export function memberBoxes(
  set: NamedSet,
  { sides, exceptions }: Asked,
): readonly (readonly Test[])[] {
  const { type, family, elements } = set;
  const ends = sidesOf(type, sides);
  const portsIn = (ports: readonly number[]): Test[] =>
    ends.port ? [within(PORT[ends.port], portRanges(ports))] : [];
  if (!elements.some(({ nomatch }) => nomatch === exceptions)) return [];
  if (!ends.address)
    return [
      [
        { field: 'protocol', set: valueSet(...PORT_PROTOCOLS), negated: false },
        ...portsIn(elements.map(({ port }) => port)),
      ],
    ];
  const field = ADDRESS[ends.address];
  const own: Test = { field: 'family', set: valueSet(family), negated: false };
  if (!ends.port) return [[own, within(field, rangesOf(family, elements, exceptions))]];
  const boxes = areAll(elements, exceptions)
    ? boxesByNetwork(family, elements)
    : boxesByPort(family, elements, exceptions);
  return boxes.map(({ protocol, ports, ranges }) => [
    own,
    { field: 'protocol' as const, set: valueSet(protocol), negated: false },
    within(field, ranges),
    ...portsIn(ports),
  ]);
}

function push<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const list = map.get(key);
  if (list) list.push(value);
  else map.set(key, [value]);
}
