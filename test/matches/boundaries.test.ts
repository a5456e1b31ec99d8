/** Each option of each match at its ends, by all who decide without a kernel. */
import { buildDiagram, decide, includes, Universe } from '@sockfilter/diagram';
import { walkBlob } from '@sockfilter/kernel';
import {
  askTest,
  evaluator,
  impossible,
  isFree,
  MATCHES,
  type MatchDescriptor,
  type Packet,
  placedTests,
  SET_TYPE_NAMES,
  type States,
  type Table,
} from '@sockfilter/table';
import { encodeBlob } from '../../packages/kernel/src/blob.js';
import { MINUTES_WEST } from '../kernel/jitprogram.js';
import { BOUNDARIES } from './boundaries.js';
import type { Boundary, Moment } from './boundary.js';
import { boundaryTables, showPacket } from './boundarytable.js';
import { SET_BOUNDARIES } from './setboundaries.js';

const OPTIONS = Object.values<MatchDescriptor>(MATCHES).flatMap(({ name, options }) =>
  Object.entries(options).map(([option, descriptor]) => [`${name} ${option}`, descriptor] as const),
);

const ROWS = Object.entries(BOUNDARIES).flatMap(([key, rows]) =>
  typeof rows === 'string' ? [] : [[key, rows] as const],
);

test('every option of every match has its ends, and what can be negated is', () => {
  expect(Object.keys(BOUNDARIES).toSorted()).toEqual(OPTIONS.map(([key]) => key).toSorted());
  expect(Object.keys(SET_BOUNDARIES)).toEqual(SET_TYPE_NAMES);
  const negated = ROWS.flatMap(([key, rows]) =>
    rows.some(({ options }) => options.includes('~')) ? [key] : [],
  );
  const negatable = OPTIONS.flatMap(([key, descriptor]) => (descriptor.negatable ? [key] : []));
  expect(negated.toSorted()).toEqual(negatable.toSorted());
});

/** Deciders of calls one after the other: the errno by each. */
function deciders(table: Table) {
  const evaluate = evaluator(table);
  const diagram = buildDiagram(table);
  const tests = placedTests(table);
  const blob = encodeBlob(diagram, 0, tests);
  const { mayRefuse } = new Universe().load(table);
  const isExact = !tests.some(({ test }) => isFree(test));
  let states: States = new Map();
  return (packet: Packet, moment: Moment): Readonly<Record<string, number>> => {
    const world = { ...moment, minutesWest: MINUTES_WEST, random: () => moment.random };
    const before = states;
    const answers = (number: number) => {
      const placed = tests[number];
      if (!placed) throw new Error(`no test ${number}`);
      return askTest(placed.test, before.get(number), world, { packet, sets: table.sets }).holds;
    };
    const decision = evaluate(packet, { ...world, states });
    states = decision.states;
    return {
      evaluate: decision.errno,
      diagram: decide(diagram, packet, answers).errno,
      blob: walkBlob(blob, packet, answers).errno,
      ...(isExact ? { answers: Number(includes(mayRefuse, packet)) } : {}),
    };
  };
}

describe('at its ends', () => {
  test.each(ROWS)('%s', (_, rows: readonly Boundary[]) => {
    const wrong: string[] = [];
    for (const { table, text, steps } of rows.flatMap(boundaryTables)) {
      const deciding = deciders(table);
      for (const { packet, moment, matches } of steps) {
        const fault = impossible(packet);
        if (fault !== undefined) throw new Error(`${text}: ${fault}`);
        for (const [who, errno] of Object.entries(deciding(packet, moment)))
          if (errno !== Number(matches))
            wrong.push(`${text}: ${who} says ${errno} for ${showPacket(packet)}`);
      }
    }
    expect(wrong).toEqual([]);
  });
});
