/** Answers about random small tables, held against all packets that matter to them. */

import {
  type Box,
  boxes,
  buildDiagram,
  decide,
  equals,
  everyWay,
  isCube,
  type Span,
  Universe,
} from '@sockfilter/diagram';
import {
  Comparison,
  checkFile,
  compileRegion,
  fileWithoutText,
  Query,
  type Region,
  regionOfBox,
  simplify,
  Tracer,
} from '@sockfilter/policy';
import {
  assumeFor,
  BUILTIN_CHAINS,
  type Chain,
  type CounterOwner,
  counterOwners,
  elementAt,
  evaluator,
  fieldValue,
  impossible,
  type Packet,
  placedTests,
  type Rule,
  rewrite,
  stepOf,
  type Table,
} from '@sockfilter/table';
import fc from 'fast-check';
import { opaqueTables } from '../arbitrary/opaque.js';
import { smallSpace, smallTables } from '../arbitrary/smalltable.js';
import { packets, tables } from '../arbitrary/table.js';
import { propertyRuns } from '../harness/length.js';
import { fileOf } from './rulefile.js';

const RUNS = { numRuns: propertyRuns(60) };

function isIn(box: Box, packet: Packet): boolean {
  return FIELDS.every((field) => {
    const spans: readonly Span[] | undefined = box[field];
    const value = fieldValue(packet, field);
    const isHit = (span: Span) =>
      isCube(span) ? (value & span.mask) === span.value : span[0] <= value && value <= span[1];
    return spans?.some(isHit) ?? true;
  });
}

const FIELDS = [
  'chain',
  'group',
  'family',
  'protocol',
  'source',
  'destination',
  'destinationPort',
  'sourcePort',
  'flags',
  'uid',
  'gid',
  'mark',
] as const;

function requireSame(actual: unknown, wanted: unknown, packet: Packet): void {
  if (actual === wanted) return;
  const shown = JSON.stringify(packet, (_, value) =>
    typeof value === 'bigint' ? `${value}` : value,
  );
  throw new Error(`${actual} in the place of ${wanted} for ${shown}`);
}

/** What rules may rewrite of it. */
const goesOnAs = ({ destination, destinationPort, mark }: Packet) =>
  `${destination} ${destinationPort} ${mark}`;

function withoutRule(table: Table, rule: Rule): Table {
  const chains = table.chains.map((chain) => ({
    ...chain,
    rules: chain.rules.filter((other) => other !== rule),
  }));
  return { ...table, chains };
}

/** The table with the rule first in its chain. */
function inFront(table: Table, rule: Rule): Table {
  const chains = table.chains.map((chain) => ({
    ...chain,
    rules: chain.rules.includes(rule) ? [rule, ...chain.rules] : chain.rules,
  }));
  return { ...table, chains };
}

function isInBuiltinChain(table: Table, rule: Rule): boolean {
  return table.chains.some(({ policy, rules }) => policy !== undefined && rules.includes(rule));
}

test('a walk is what evaluate() says, with and without a rule', () => {
  fc.assert(
    fc.property(tables(4), fc.array(packets, { minLength: 10, maxLength: 20 }), (table, calls) => {
      const decide = evaluator(table);
      const tracer = new Tracer(table);
      const rules = table.chains.flatMap((chain) => chain.rules);
      for (const [at, packet] of calls.entries()) {
        const { errno, packet: goesOn } = decide(packet);
        const decided = tracer.decide(packet);
        requireSame(decided.errno, errno, packet);
        requireSame(goesOnAs(rewrite(packet, decided.rewriting)), goesOnAs(goesOn), packet);
        requireSame(tracer.trace(packet).errno, errno, packet);
        const rule = rules[at % Math.max(1, rules.length)];
        if (!rule) continue;
        const other = evaluator(withoutRule(table, rule))(packet);
        requireSame(tracer.decide(packet, { without: rule }).errno, other.errno, packet);
      }
    }),
    RUNS,
  );
});

test('the ways of a call through the rules are those through the diagram', () => {
  fc.assert(
    fc.property(
      opaqueTables(tables(4)),
      fc.array(packets, { minLength: 10, maxLength: 20 }),
      (table, calls) => {
        const diagram = buildDiagram(table);
        const owners = counterOwners(table);
        const tests = placedTests(table);
        const tracer = new Tracer(table);
        const name = ({ chain, number }: CounterOwner) => `${chain.name} ${number}`;
        const shown = (said: ReadonlyMap<number, boolean>, more: readonly unknown[]) =>
          JSON.stringify([[...said], ...more]);
        for (const packet of calls) {
          const assume = assumeFor({ packet, sets: table.sets });
          const ways = everyWay(
            (answers) => decide(diagram, packet, answers),
            (n) => assume(elementAt(tests, n).test),
          ).map(({ said, result: { errno, decider, counted, packet: goesOn } }) =>
            shown(said, [errno, decider, counted.toSorted((a, b) => a - b), goesOn.mark]),
          );
          const walked = tracer
            .countedWays(packet)
            .map(({ said, result: { errno, decider, counted, rewriting } }) => {
              const counters = counted.map((owner) =>
                owners.findIndex((each) => name(each) === name(owner)),
              );
              const at = owners.findIndex((each) => name(each) === name(decider));
              const { mark } = rewrite(packet, rewriting);
              return shown(said, [errno, at, counters.toSorted((a, b) => a - b), mark]);
            });
          expect(walked).toEqual(ways);
        }
      },
    ),
    { numRuns: propertyRuns(20) },
  );
});

test('a change is every call whose verdict differs, and no other', () => {
  fc.assert(
    fc.property(smallTables, ([before, after]) => {
      const comparison = new Comparison(
        fileWithoutText('before', before),
        fileWithoutText('after', after),
      );
      const change = comparison.describe();
      const [old, now] = [evaluator(before), evaluator(after)];
      const kindOf = (packet: Packet) => {
        const [was, is] = [old(packet), now(packet)];
        const [a, b] = [was.errno, is.errno];
        if (a === b)
          return goesOnAs(was.packet) === goesOnAs(is.packet) ? 'none' : 'other rewriting';
        return b === 0 ? 'newly accepted' : a === 0 ? 'newly refused' : 'other errno';
      };
      let differs = 0;
      for (const packet of smallSpace(before, after)) {
        const regions = change.regions.filter(({ box }) => isIn(box, packet));
        const wanted = kindOf(packet);
        if (wanted !== 'none') differs++;
        requireSame(regions.length, wanted === 'none' ? 0 : 1, packet);
        requireSame(regions[0]?.kind ?? 'none', wanted, packet);
      }
      for (const { kind, witness } of change.regions)
        requireSame(kindOf(witness.packet), kind, witness.packet);
      const isOther = before.denyUnseen !== after.denyUnseen;
      expect(change.isSame).toBe(differs === 0 && !isOther);
      expect(comparison.findings(change).length).toBe(change.regions.length + Number(isOther));
    }),
    RUNS,
  );
});

test('a simplified table says the same with no more rules', () => {
  fc.assert(
    fc.property(smallTables, ([table]) => {
      const { table: simple, removed } = simplify(table);
      const count = ({ chains }: Table) => chains.flatMap(({ rules }) => rules).length;
      expect(count(simple)).toBe(count(table) - removed.length);
      expect(simple.denyUnseen).toBe(table.denyUnseen);
      const [a, b] = [evaluator(table), evaluator(simple)];
      for (const packet of smallSpace(table)) {
        const [now, was] = [b(packet), a(packet)];
        requireSame(now.errno, was.errno, packet);
        requireSame(goesOnAs(now.packet), goesOnAs(was.packet), packet);
      }
      const again = simplify(simple);
      expect(again.removed).toEqual([]);
    }),
    RUNS,
  );
});

test('no finding about a rule is false', () => {
  fc.assert(
    fc.property(smallTables, ([table]) => {
      const rules = table.chains.flatMap((chain) => chain.rules);
      const places = new Map(rules.map((rule, at) => [rule, at + 2]));
      const start = { file: 'x', line: 1, column: 1, length: 1 };
      const file = {
        ...fileWithoutText('x', table),
        placeOf: (owner: Rule | Chain) =>
          'matches' in owner ? { ...start, line: places.get(owner) ?? 1 } : start,
      };
      expect(places.size).toBe(rules.length);
      const space = smallSpace(table);
      const decide = evaluator(table);
      const { findings } = checkFile(file);
      for (const { code, place } of findings) {
        const rule = rules[place.line - 2];
        if (!rule) continue;
        const tracer = new Tracer(table);
        const other = evaluator(withoutRule(table, rule));
        for (const packet of space) {
          const met = () =>
            tracer
              .trace(packet)
              .steps.some(({ owner, failed }) => owner.rule === rule && failed.length === 0);
          if (code === 'SF001' || code === 'SF002' || code === 'SF003')
            requireSame(met(), false, packet);
          if (code === 'SF004') requireSame(other(packet).errno, decide(packet).errno, packet);
        }
        if (code !== 'SF001' && code !== 'SF002') continue;
        // What a user chain's rule says of calls that are decided before they come there is its own matter.
        if (stepOf(rule.target).kind === 'decide' && !isInBuiltinChain(table, rule)) continue;
        const first = evaluator(inFront(table, rule));
        const changes = space.some((packet) => {
          const [now, was] = [first(packet), decide(packet)];
          return now.errno !== was.errno || goesOnAs(now.packet) !== goesOnAs(was.packet);
        });
        expect({ code, changes }).toEqual({ code, changes: code === 'SF001' });
      }
    }),
    { numRuns: propertyRuns(25) },
  );
});

test('every call that is shown can happen, whatever the table', () => {
  fc.assert(
    fc.property(tables(4), tables(4), (before, after) => {
      const [old, now] = [fileWithoutText('before', before), fileWithoutText('after', after)];
      const comparison = new Comparison(old, now);
      const findings = [
        ...checkFile(old).findings,
        ...comparison.findings(comparison.describe()),
        ...comparison.findings(comparison.describe(), { noNewAccess: true }),
      ];
      for (const { witness } of findings)
        if (witness) requireSame(impossible(witness.packet), undefined, witness.packet);
      expect(new Comparison(old, old).describe()).toMatchObject({ isSame: true, regions: [] });
    }),
    { numRuns: propertyRuns(8) },
  );
});

const regions: fc.Arbitrary<Region> = fc.record(
  {
    chain: fc.uniqueArray(fc.constantFrom(...BUILTIN_CHAINS), { minLength: 1, maxLength: 3 }),
    group: fc.uniqueArray(fc.constantFrom('3', '0-7', '!3', 'none'), {
      minLength: 1,
      maxLength: 2,
    }),
    proto: fc.uniqueArray(fc.constantFrom('tcp', 'udp', '!tcp'), { minLength: 1, maxLength: 2 }),
    remote: fc.uniqueArray(fc.constantFrom('10.0.0.0/8', '!10.0.0.5', '::1', '!::/64'), {
      minLength: 1,
      maxLength: 3,
    }),
    local: fc.uniqueArray(fc.constantFrom('10.0.0.0-10.0.1.0', '!127.0.0.1'), { minLength: 1 }),
    dport: fc.uniqueArray(fc.constantFrom('80', '1-1024', '!53'), { minLength: 1, maxLength: 2 }),
    uid: fc.uniqueArray(fc.constantFrom('0', '1000-65534', '!1000'), { minLength: 1 }),
  },
  { requiredKeys: [] },
);

const NUMBERS: Readonly<Record<string, readonly [number, number]>> = {
  none: [0, 0],
  tcp: [6, 6],
  udp: [17, 17],
};

function holdsNumber(text: string, actual: number): boolean {
  const [from, to] = NUMBERS[text] ?? text.split('-').map(Number);
  return actual >= from && actual <= (to ?? from);
}

/** The addresses that the tests of regions use, as ranges. */
const ADDRESSES: Readonly<Record<string, readonly [4 | 6, bigint, bigint]>> = {
  '10.0.0.0/8': [4, 0x0a000000n, 0x0affffffn],
  '10.0.0.5': [4, 0x0a000005n, 0x0a000005n],
  '::1': [6, 1n, 1n],
  '::/64': [6, 0n, 2n ** 64n - 1n],
  '10.0.0.0-10.0.1.0': [4, 0x0a000000n, 0x0a000100n],
  '127.0.0.1': [4, 0x7f000001n, 0x7f000001n],
};

function holdsAddress(text: string, family: number, actual: bigint): boolean {
  const [version, from, to] = ADDRESSES[text] ?? [4, 1n, 0n];
  return family === version && actual >= from && actual <= to;
}

/** The meaning of a field of a region, said plainly. */
function holdsField(values: readonly string[], holds: (text: string) => boolean): boolean {
  const wanted = values.filter((each) => !each.startsWith('!'));
  const unwanted = values.filter((each) => each.startsWith('!')).map((each) => each.slice(1));
  return (wanted.length === 0 || wanted.some(holds)) && !unwanted.some(holds);
}

function holdsRegion(region: Region, packet: Packet): boolean {
  const { chain, family, protocol, group, uid, destinationPort } = packet;
  const isInward = ['BIND', 'ACCEPT', 'RECVFROM'].includes(chain);
  const [local, remote] = isInward
    ? [packet.destination, packet.source]
    : [packet.source, packet.destination];
  if (region.remote && chain === 'BIND') return false;
  return (
    holdsField(region.chain ?? [], (text) => text === chain) &&
    holdsField(region.group ?? [], (text) => holdsNumber(text, group)) &&
    holdsField(region.proto ?? [], (text) => holdsNumber(text, protocol)) &&
    holdsField(region.uid ?? [], (text) => holdsNumber(text, uid)) &&
    holdsField(region.dport ?? [], (text) => holdsNumber(text, destinationPort)) &&
    holdsField(region.local ?? [], (text) => holdsAddress(text, family, local)) &&
    holdsField(region.remote ?? [], (text) => holdsAddress(text, family, remote))
  );
}

test('a region is the calls that its words say', () => {
  const empty: Table = { denyUnseen: false, groups: [], sets: [], chains: [] };
  fc.assert(
    fc.property(regions, fc.array(packets, { minLength: 50, maxLength: 60 }), (region, calls) => {
      const universe = new Universe();
      const listed = boxes(compileRegion(universe, region, empty));
      for (const packet of calls)
        requireSame(
          listed.some((box) => isIn(box, packet)),
          holdsRegion(region, packet),
          packet,
        );
    }),
    RUNS,
  );
});

test('a query lists the calls of the region with the verdict, each once', () => {
  fc.assert(
    fc.property(smallTables, fc.constantFrom('accept', 'refuse'), ([table], verdict) => {
      const region: Region = { chain: ['CONNECT', 'BIND'], proto: ['tcp'] };
      const query = new Query(
        fileWithoutText('x', table),
        verdict === 'accept' ? 'accept' : 'refuse',
        region,
      );
      const { boxes: listed } = query.regions();
      const decide = evaluator(table);
      for (const packet of smallSpace(table)) {
        const isAccepted = decide(packet).errno === 0;
        const wanted = holdsRegion(region, packet) && isAccepted === (verdict === 'accept');
        requireSame(listed.filter(({ box }) => isIn(box, packet)).length, wanted ? 1 : 0, packet);
      }
      for (const { packet } of listed)
        requireSame(decide(packet).errno === 0, verdict === 'accept', packet);
      const { rows, columns } = query.matrix();
      for (const { cells } of rows) expect(cells.length).toBe(columns.length);
    }),
    RUNS,
  );
});

test.each(['10/8', '10.1/16', '0/0', '10.0.0.5/8', '10.0.0.5/255.0.0.255', 'fd00::/8'])(
  'a region takes %s as a rule does',
  (written) => {
    const file = fileOf([`-A CONNECT -s ${written} -j DROP`], 'x');
    const count = (verdict: 'accept' | 'refuse', src: string) =>
      new Query(file, verdict, { chain: ['CONNECT'], src: [src] }).regions().boxes.length;
    expect(count('accept', written)).toBe(0);
    expect(count('refuse', written)).toBeGreaterThan(0);
    expect(count('refuse', `!${written}`)).toBe(0);
  },
);

test('a region as data means the calls of its box, and no others', () => {
  fc.assert(
    fc.property(smallTables, ([table]) => {
      const universe = new Universe();
      const loaded = universe.load(table);
      for (const set of [loaded.mayAccept, loaded.mayRefuse])
        for (const box of boxes(set)) {
          const region = regionOfBox(box);
          expect({
            region,
            same: equals(compileRegion(universe, region, table), universe.box(box)),
          }).toEqual({
            region,
            same: true,
          });
        }
    }),
    { numRuns: propertyRuns(30) },
  );
});

describe('masks with holes are masks in regions too, of what they hold and of all else', () => {
  const file = fileOf([
    ':CONNECT DROP',
    '-A CONNECT -d 2001:db8::5/ffff:ffff::ffff -j ACCEPT',
    '-A CONNECT -d 10.0.0.5/255.0.0.255 -p tcp --dport 443 -j ACCEPT',
  ]);

  test.each<['accept' | 'refuse', readonly string[]]>([
    [
      'accept',
      ['CONNECT, tcp, to 10.0.0.5/255.0.0.255 port 443', 'CONNECT, to 2001:db8::5/ffff:ffff::ffff'],
    ],
    [
      'refuse',
      [
        'CONNECT, icmp,tcp, to not 10.0.0.5/255.0.0.255',
        'CONNECT, icmp,tcp, to 10.0.0.5/255.0.0.255 port not 443',
        'CONNECT, to not 2001:db8::5/ffff:ffff::ffff',
        'CONNECT, IPv4, udp',
      ],
    ],
  ])('%s', (verdict, texts) => {
    const { boxes: listed, tooMany } = new Query(file, verdict, { chain: ['CONNECT'] }).regions();
    expect(tooMany).toBe(false);
    expect(listed.map(({ text }) => text).toSorted()).toEqual(texts.toSorted());
    const { table } = file;
    const universe = new Universe();
    for (const { box } of listed)
      expect(equals(compileRegion(universe, regionOfBox(box), table), universe.box(box))).toBe(
        true,
      );
  });
});
