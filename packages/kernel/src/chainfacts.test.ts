/** What programs leave unread, or let pass unjudged, makes no difference to any call. */
import { buildDiagram } from '@sockfilter/diagram';
import { BUILTIN_CHAINS, elementAt, evaluator, type Packet, type Table } from '@sockfilter/table';
import fc from 'fast-check';
import { decisionWords } from '../../../test/arbitrary/decision.js';
import { smallSpace, smallTables } from '../../../test/arbitrary/smalltable.js';
import { propertyRuns } from '../../../test/harness/length.js';
import { tableOf } from '../../../test/harness/policy.js';
import { factsOf } from './chainfacts.js';

const FORGOTTEN = {
  testsGroup: { group: 0 },
  testsOwner: { uid: 0, gid: 0 },
  testsMark: { mark: 0 },
} as const satisfies Record<string, Partial<Packet>>;

/** Of each table, at most. */
const PACKETS = 200;

type Fact = keyof typeof FORGOTTEN;
const FACTS: readonly Fact[] = ['testsGroup', 'testsOwner', 'testsMark'];

/** What a decision is, without the mark that a call has kept. */
const wordsOf = (table: Table) => {
  const evaluate = evaluator(table);
  return (packet: Packet) => {
    const decision = evaluate(packet);
    const isAsItCame = decision.packet.mark === packet.mark;
    return decisionWords(
      isAsItCame ? { ...decision, packet: { ...decision.packet, mark: 0 } } : decision,
    );
  };
};

test('calls that differ in what a chain does not test have one verdict, and one that refuses can', () => {
  let tested = 0;
  let untested = 0;
  fc.assert(
    fc.property(smallTables, fc.nat({ max: 20 }), ([table], start) => {
      const diagram = buildDiagram(table);
      const evaluate = evaluator(table);
      const say = wordsOf(table);
      const facts = new Map(BUILTIN_CHAINS.map((chain) => [chain, factsOf(diagram, chain, [])]));
      const space = smallSpace(table);
      for (let n = start; n < space.length; n += Math.ceil(space.length / PACKETS)) {
        const packet = elementAt(space, n);
        const fact = facts.get(packet.chain);
        if (!fact) throw new Error(`no facts of ${packet.chain}`);
        if (evaluate(packet).errno !== 0) expect(fact.canRefuse).toBe(true);
        for (const name of FACTS) {
          const other = { ...packet, ...FORGOTTEN[name] };
          if (fact[name]) tested++;
          else if (say(other) !== say(packet)) throw new Error(`${name} is ${fact[name]}`);
          else untested++;
        }
      }
    }),
    { numRuns: propertyRuns(80) },
  );
  expect(Math.min(tested, untested)).toBeGreaterThan(100);
});

test.each([
  ['-A CONNECT -p tcp -j ACCEPT', []],
  ['-A CONNECT -d 10.0.0.1 -j REJECT', ['canRefuse']],
  ['-P CONNECT DROP', ['canRefuse']],
  ['-A CONNECT -m cgroup --id 3', ['testsGroup']],
  ['-A CONNECT -m cgroup --id 65536:131071', ['testsGroup']],
  ['-A CONNECT -m owner --uid-owner 5', ['testsOwner']],
  ['-A CONNECT -m owner --gid-owner 65536-131071', ['testsOwner']],
  ['-A CONNECT -m mark --mark 0x10000/0xffff0000', ['testsMark']],
  ['-A CONNECT -m mark --mark 1/1', ['testsMark']],
  ['-A CONNECT -j MARK --set-mark 5', []],
  ['-A CONNECT -j MARK --or-mark 5', ['testsMark']],
  ['-A CONNECT -d 10.0.0.1 -j DNAT --to-destination 10.0.0.2', ['canRefuse', 'leadsElsewhere']],
  ['-A SENDTO -m cgroup --id 3 -j DROP', []],
  ['-A CONNECT -o eth0', ['device']],
  ['-A CONNECT -m comm --comm a', ['comm']],
  ['-A CONNECT -m netns --inode 65536-131071', ['netns']],
])('%s', (rules, wanted) => {
  const { details, ...facts } = factsOf(buildDiagram(tableOf(rules)), 'CONNECT', []);
  const said = Object.entries(facts).flatMap(([name, holds]) => (holds ? [name] : []));
  expect([...said, ...details].toSorted()).toEqual(wanted.toSorted());
});
