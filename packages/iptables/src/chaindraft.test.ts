import { NO_NAMES } from '@sockfilter/language';
import { EMPTY_TABLE, type Table } from '@sockfilter/table';
import fc from 'fast-check';
import { propertyRuns } from '../../../test/harness/length.js';
import { parseSave } from './restore.js';
import { printSave } from './save.js';

const read = (lines: readonly string[], base: Table) =>
  parseSave(lines.join('\n'), 'lines', { names: NO_NAMES, base, firstLine: 1 });

const rule = fc.constantFrom('-p tcp -j ACCEPT', '-p udp -j V', '-j DROP', '-d 10.0.0.1');
const chain = fc.constantFrom('BIND', 'U');
const number = fc.integer({ min: 1, max: 4 });
const line = fc.oneof(
  { weight: 3, arbitrary: fc.tuple(chain, rule).map(([to, words]) => `-A ${to} ${words}`) },
  fc.tuple(chain, number, rule).map(([to, n, words]) => `-I ${to} ${n} -c 3 0 ${words}`),
  fc.tuple(chain, number, rule).map(([to, n, words]) => `-R ${to} ${n} ${words}`),
  fc.tuple(chain, number).map(([from, n]) => `-D ${from} ${n}`),
  fc.tuple(chain, rule).map(([from, words]) => `-D ${from} ${words}`),
  fc.constantFrom('-F U', '-Z BIND', '-Z', '-P BIND DROP'),
);

it('edits together what lines one after another edit', () => {
  let refused = 0;
  fc.assert(
    fc.property(fc.array(line, { minLength: 4, maxLength: 16 }), (lines) => {
      const base = read(['-N U', '-N V', '-A BIND -p tcp', '-A BIND -j DROP'], EMPTY_TABLE).table;
      let table = base;
      const diagnostics = lines.flatMap((each, at) => {
        const alone = parseSave(each, 'lines', { names: NO_NAMES, base: table, firstLine: at + 1 });
        table = alone.table;
        return alone.diagnostics.filter(({ code }) => code === 'does-not-fit');
      });
      refused += diagnostics.length;
      const whole = read(lines, base);
      const packets = ({ chains }: Table) =>
        chains.map(({ rules }) => rules.map((each) => each.packets));
      expect(printSave(whole.table)).toBe(printSave(table));
      expect(packets(whole.table)).toEqual(packets(table));
      const fitting = whole.diagnostics.filter(({ code }) => code === 'does-not-fit');
      expect(fitting.map(({ message, span }) => [span.line, message])).toEqual(
        diagnostics.map(({ message, span }) => [span.line, message]),
      );
    }),
    { numRuns: propertyRuns(200) },
  );
  expect(refused).toBeGreaterThan(0);
});
