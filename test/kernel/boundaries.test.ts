/** Each option of each match at its ends, by the kernel's own walk: test/matches has the rows. */
import { compileTable } from '../../packages/kernel/src/generation.js';
import { describeKernel } from '../harness/kernel.js';
import { isLong } from '../harness/length.js';
import { BOUNDARIES } from '../matches/boundaries.js';
import { boundaryTables, showPacket } from '../matches/boundarytable.js';
import { lastRandom } from './jitprogram.js';
import { JitWalk } from './jitwalk.js';

describeKernel('at their ends', () => {
  let walks: readonly JitWalk[] = [];
  beforeAll(() => {
    // Programs without such jumps say the same, as jit.test.ts holds of random tables.
    walks = isLong ? [new JitWalk(), new JitWalk({ mayGoto: false })] : [new JitWalk()];
  });
  afterAll(() => {
    for (const walk of walks) walk.close();
  });

  test('rules hold in the kernel for the first value and the last, and for none beside them', () => {
    const wrong: string[] = [];
    let calls = 0;
    const tables = Object.values(BOUNDARIES).flatMap((rows) =>
      typeof rows === 'string' ? [] : rows.flatMap(boundaryTables),
    );
    for (const { table, text, steps } of tables) {
      const compiled = compileTable(table);
      for (const walk of walks) {
        walk.enforce(compiled, [], table.sets);
        for (const { packet, moment, matches } of steps) {
          calls++;
          const { errno } = walk.run(packet, { ...moment, random: lastRandom(moment.random) });
          if (errno !== Number(matches)) wrong.push(`${text}: ${errno} for ${showPacket(packet)}`);
        }
      }
    }
    expect(wrong).toEqual([]);
    expect(calls).toBeGreaterThan(1000);
  });
});
