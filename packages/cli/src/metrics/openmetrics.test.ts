import fc from 'fast-check';
import { type Family, printMetrics } from './openmetrics.js';

/** Lines of an exposition by the grammar of the specification, as far as labels and numbers go. */
const LABEL = String.raw`[a-zA-Z_]\w*="(?:[^"\\\n]|\\[n"\\])*"`;
const SAMPLE = new RegExp(
  String.raw`^([a-zA-Z_:][\w:]*)(?:\{(?:${LABEL})(?:,(?:${LABEL}))*\})? -?\d+(?:\.\d+)?$`,
);
const HEAD =
  /^# (?:TYPE [a-zA-Z_:][\w:]* (?:counter|gauge|info)|HELP [a-zA-Z_:][\w:]* (?:[^\\\n"]|\\[n\\"])*)$/;

const families: fc.Arbitrary<readonly Family[]> = fc.array(
  fc.record<Family>({
    name: fc.constantFrom('calls', 'rules'),
    type: fc.constantFrom('counter', 'gauge', 'info'),
    help: fc.string({ unit: 'binary' }),
    samples: fc.array(
      fc.record({
        labels: fc.dictionary(fc.constantFrom('a', 'chain'), fc.string({ unit: 'binary' })),
        value: fc.oneof(fc.nat(), fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })),
      }),
    ),
  }),
);

test('whatever labels and helps hold, each line is one, and the end is said', () => {
  fc.assert(
    fc.property(families, (all) => {
      const lines = printMetrics(all).split('\n');
      expect(lines.slice(-2)).toEqual(['# EOF', '']);
      const wrong = lines.slice(0, -2).filter((line) => !HEAD.test(line) && !SAMPLE.test(line));
      expect(wrong).toEqual([]);
      const samples = all.flatMap((family) => family.samples);
      expect(lines.filter((line) => SAMPLE.test(line))).toHaveLength(samples.length);
    }),
    { numRuns: 200 },
  );
});

test('a counter has its suffix, and its number whole', () => {
  const samples = [{ labels: { chain: 'BIND', comment: 'a "b"\\\n' }, value: 2n ** 64n - 1n }];
  expect(printMetrics([{ name: 'calls', type: 'counter', help: 'Calls.', samples }])).toBe(
    '# TYPE calls counter\n# HELP calls Calls.\ncalls_total{chain="BIND",comment="a \\"b\\"\\\\\\n"} 18446744073709551615\n# EOF\n',
  );
});
