/** Random named sets, and tables of which some rules ask them. */
import {
  addressBits,
  type Chain,
  elementAt,
  elementKey,
  type Family,
  hasAddresses,
  hasExceptions,
  hasPart,
  type Match,
  type MatchOption,
  type NamedSet,
  PORT_PROTOCOLS,
  partsOf,
  prefixMask,
  type Rule,
  SET_TYPE_NAMES,
  type SetElement,
  SIDES,
  type Table,
} from '@sockfilter/table';
import fc, { type Arbitrary } from 'fast-check';

/** Those that packets have: see table.ts. */
const ADDRESSES: Readonly<Record<Family, readonly bigint[]>> = {
  4: [0x0a000005n, 0x0a000006n, 0x0a0000ffn, 0x7f000001n, 0n, 0xffffffffn],
  6: [0n, 1n, 0x20010db8_00000000_00000000_00000005n, 2n ** 128n - 1n],
};
const PREFIXES: Readonly<Record<Family, readonly number[]>> = {
  4: [0, 8, 24, 30, 31, 32],
  6: [0, 1, 64, 127, 128],
};
const PORTS = [0, 1, 53, 80, 443, 65535];

function elementOf(
  set: Omit<NamedSet, 'elements'>,
  timeouts: readonly number[],
): Arbitrary<SetElement> {
  const { type, family } = set;
  const bits = addressBits(family);
  return fc
    .record({
      address: fc.constantFrom(...ADDRESSES[family]),
      length: fc.constantFrom(...PREFIXES[family]),
      protocol: fc.constantFrom(...PORT_PROTOCOLS),
      port: fc.constantFrom(...PORTS),
      timeout: fc.constantFrom(undefined, ...timeouts),
      nomatch: fc.boolean(),
      packets: fc.constantFrom(undefined, 1n, 2n ** 40n),
      comment: fc.constantFrom(undefined, 'a b', '"\\', 'ü'),
    })
    .map(({ address, length, protocol, port, timeout, ...said }): SetElement => {
      const prefix = hasPart(type, 'network') ? length : bits;
      const has = hasAddresses(type);
      return {
        address: has ? address & prefixMask(family, prefix) : 0n,
        prefix: has ? prefix : 0,
        protocol: hasPart(type, 'service') ? protocol : 0,
        port: hasPart(type, 'service', 'port') ? port : 0,
        timeout: set.timeout === undefined ? undefined : timeout,
        nomatch: hasExceptions(type) && said.nomatch,
        packets: set.counters ? said.packets : undefined,
        comment: set.comments ? said.comment : undefined,
      };
    });
}

/** The elements, and around each exception a network: alone it says nothing. */
function withNetworks(family: Family, elements: readonly SetElement[]): readonly SetElement[] {
  const all = new Map(elements.map((each) => [elementKey(each), each]));
  for (const each of elements.filter(({ nomatch }) => nomatch)) {
    const prefix = each.prefix >> 1;
    const address = each.address & prefixMask(family, prefix);
    const around = { ...each, nomatch: false, prefix, address };
    if (!all.has(elementKey(around))) all.set(elementKey(around), around);
  }
  return [...all.values()];
}

/** Sets of the name; what their elements have left to live is one of `timeouts`, in seconds, or for ever. */
export function setOf(name: string, timeouts: readonly number[]): Arbitrary<NamedSet> {
  return fc
    .record({
      type: fc.constantFrom(...SET_TYPE_NAMES),
      family: fc.constantFrom<Family>(4, 6),
      timeout: fc.constantFrom(undefined, ...(timeouts.length > 0 ? [0] : [])),
      counters: fc.boolean(),
      comments: fc.boolean(),
    })
    .chain(({ type, family, timeout, counters, comments }) => {
      const set = {
        name,
        type,
        family: hasAddresses(type) ? family : (4 as const),
        timeout,
        maxelem: 64,
        counters,
        comments,
      };
      return fc
        .uniqueArray(elementOf(set, timeouts), { maxLength: 6, selector: elementKey })
        .map((elements): NamedSet => ({ ...set, elements: withNetworks(set.family, elements) }));
    });
}

/** The chains, and those that they reach, whose calls have a peer. */
const HAS_PEER = ['ACCEPT', 'CONNECT', 'SENDTO', 'RECVFROM'];

/** A match that asks one of the sets; each bit of `roll` chooses. */
function asking({ name, type }: NamedSet, roll: number, chain: string): Match {
  const choices = HAS_PEER.includes(chain) ? SIDES : (['dst', 'dst'] as const);
  const sides = partsOf(type).map((_, n) => elementAt(choices, (roll >> n) & 1));
  const value = { kind: 'setRef', set: name, sides } as const;
  const asked: MatchOption = { name: 'match-set', negated: (roll & 4) !== 0, value };
  const isReversed = hasExceptions(type) && (roll & 32) !== 0;
  const reversed: MatchOption = { name: 'return-nomatch', negated: false, value: { kind: 'none' } };
  return { name: 'set', options: isReversed ? [asked, reversed] : [asked] };
}

/** Whether nothing in the rule is for the other family. */
function goesWith({ matches }: Rule, { type, family }: NamedSet): boolean {
  const isOther = ({ name, value }: MatchOption) =>
    ('family' in value && value.family !== family) || name === (family === 4 ? 'ipv6' : 'ipv4');
  return !hasAddresses(type) || !matches.some(({ options }) => options.some(isOther));
}

/**
 * Tables of which some rules ask sets, and the first of each built-in chain nothing else, so that its counter says what
 * the set does. What elements have left to live is one of `timeouts`, in seconds, or for ever.
 */
export function setTables(
  plain: Arbitrary<Table>,
  timeouts: readonly number[] = [],
): Arbitrary<Table> {
  const sets = fc.tuple(setOf('s', timeouts), setOf('t', timeouts));
  const rolls = fc.array(fc.nat({ max: 63 }), { minLength: 1, maxLength: 12 });
  return fc.tuple(plain, sets, rolls).map(([table, all, some]) => {
    let next = 0;
    const draw = () => {
      const roll = elementAt(some, next++ % some.length);
      return [roll, elementAt(all, (roll >> 3) & 1)] as const;
    };
    const counting = (chain: string): Rule => {
      const [roll, set] = draw();
      return { matches: [asking(set, roll, chain)], target: undefined, packets: 0n };
    };
    const add = (rule: Rule, chain: string): Rule => {
      const [roll, set] = draw();
      if ((roll & 16) !== 0 || !goesWith(rule, set)) return rule;
      return { ...rule, matches: [...rule.matches, asking(set, roll, chain)] };
    };
    const chains = table.chains.map((chain): Chain => {
      const rules = chain.rules.map((rule) => add(rule, chain.name));
      const first = chain.policy === undefined ? [] : [counting(chain.name)];
      return { ...chain, rules: [...first, ...rules] };
    });
    return { ...table, sets: all, chains };
  });
}
