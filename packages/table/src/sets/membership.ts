/** Whether a packet is in a set: the reference meaning, and the same as tests of fields. */
import type { Clause, Test } from '../clause.js';
import type { Family, Field, Packet } from '../packet.js';
import { PORT_PROTOCOLS } from '../protocol.js';
import { type Range, rangeSet, valueSet } from '../valueset.js';
import { addressBits } from '../words/address.js';
import type { NamedSet, SetElement } from './namedset.js';
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

/** Whether the packet is in the set; `elapsed` says of a timeout whether it is over. */
export function isMember(
  set: NamedSet,
  sides: readonly Side[],
  packet: Packet,
  elapsed: (timeout: number) => boolean = () => false,
): boolean {
  if (hasAddresses(set.type) && packet.family !== set.family) return false;
  const ends = sidesOf(set.type, sides);
  return set.elements.some(
    (element) =>
      holdsPacket(set, ends, element, packet) &&
      !(element.timeout !== undefined && elapsed(element.timeout)),
  );
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

const within = (field: Field, ranges: readonly Range[]): Test => ({
  field,
  set: rangeSet(ranges),
  negated: false,
});

/**
 * The packets that are in the set, as boxes: a packet of one of its family is in the set if all
 * tests of one of the boxes hold. Timeouts are not looked at.
 */
export function memberBoxes(set: NamedSet, sides: readonly Side[]): readonly (readonly Test[])[] {
  const { type, family, elements } = set;
  const ends = sidesOf(type, sides);
  if (elements.length === 0) return [];
  const ports = (some: readonly SetElement[]): Test[] =>
    ends.port
      ? [
          within(
            PORT[ends.port],
            some.map(({ port }): Range => [BigInt(port), BigInt(port)]),
          ),
        ]
      : [];
  if (!ends.address)
    return [
      [{ field: 'protocol', set: valueSet(...PORT_PROTOCOLS), negated: false }, ...ports(elements)],
    ];
  const field = ADDRESS[ends.address];
  const own: Test = { field: 'family', set: valueSet(family), negated: false };
  if (!ends.port)
    return [
      [
        own,
        within(
          field,
          elements.map((each) => rangeOf(family, each)),
        ),
      ],
    ];
  // Of each protocol: the addresses that have the same ports are one box.
  const services = new Map<string, SetElement[]>();
  for (const element of elements)
    push(services, `${element.protocol} ${element.address}/${element.prefix}`, element);
  const boxes = new Map<string, SetElement[][]>();
  for (const some of services.values()) {
    const list = some.map(({ port }) => port).sort((a, b) => a - b);
    push(boxes, `${some[0]?.protocol} ${list.join(' ')}`, some);
  }
  return [...boxes.values()].map((groups) => {
    const [first = []] = groups;
    const [element] = first;
    if (!element) throw new TypeError('a box without an element');
    return [
      own,
      { field: 'protocol' as const, set: valueSet(element.protocol), negated: false },
      within(
        field,
        groups.flatMap(([each]) => (each ? [rangeOf(family, each)] : [])),
      ),
      ...ports(first),
    ];
  });
}

function push<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const list = map.get(key);
  if (list) list.push(value);
  else map.set(key, [value]);
}
