import { parseSave } from '@sockfilter/iptables';
import { NO_NAMES } from '@sockfilter/language';
import { evaluator, type Group, type Packet } from '@sockfilter/table';
import fc from 'fast-check';
import { PACKET } from '../../../test/arbitrary/ordinary.js';
import { packets } from '../../../test/arbitrary/table.js';
import { propertyRuns } from '../../../test/harness/length.js';
import { learn } from './learn.js';

const GROUPS: readonly Group[] = [
  { name: 'web', id: 3, path: '/web.slice' },
  { name: 'a-name-that-is-much-too-long-for-a-chain', id: 4, path: undefined },
];

const exact = { 4: 32, 6: 128 } as const;

function rulesOf(calls: readonly Packet[], prefix: Readonly<Record<4 | 6, number>> = exact) {
  const learned = learn(
    calls.map((packet) => ({ packet, times: 2 })),
    { groups: GROUPS, prefix },
  );
  const { table, diagnostics } = parseSave(learned.text, 'learned', { names: NO_NAMES });
  expect(diagnostics).toEqual([]);
  return { ...learned, table };
}

const some = fc.array(
  packets.map((packet): Packet => ({ ...packet, group: [3, 4, 9][packet.group % 3] ?? 3 })),
  { maxLength: 8 },
);

test('all that was seen is accepted, and in chains where anything was seen nothing of another protocol', () => {
  fc.assert(
    fc.property(some, packets, fc.constantFrom(0, 8, 24, 32), (calls, other, length) => {
      const { table, unseen } = rulesOf(calls, { 4: length, 6: 4 * length });
      const evaluate = evaluator(table);
      expect(calls.filter((call) => evaluate(call).errno !== 0)).toEqual([]);
      const { chain, group, protocol } = other;
      const ofChain = calls.filter((call) => call.group === group && call.chain === chain);
      const isTold = calls.some((call) => call.group === group && call.protocol === protocol);
      if (ofChain.length > 0 && !isTold) expect(evaluate(other).errno).not.toBe(0);
      for (const chains of unseen.values()) expect(chains.length).toBeLessThan(5);
    }),
    { numRuns: propertyRuns(200) },
  );
});

test('this host is one network however others are joined, and a name that is no word names no chain', () => {
  const loopback = { ...PACKET, group: 3, family: 6, source: 0n, destination: 1n } as const;
  const { text } = learn([{ packet: loopback, times: 1 }], {
    groups: [{ name: 'a b', id: 3, path: undefined }],
    prefix: { 4: 0, 6: 0 },
  });
  expect(text).toContain('-A group-3-connect -d ::1/128 -p tcp');
  expect(text).not.toContain('a b-connect');
});
