import fc from 'fast-check';
import { type Family, formatOf, printMetrics } from './exposition.js';

/** Lines of an exposition by the grammar of the specification, as far as labels and numbers go. */
const LABEL = String.raw`[a-zA-Z_]\w*="(?:[^"\\\n]|\\[n"\\])*"`;
const SAMPLE = new RegExp(
  String.raw`^([a-zA-Z_:][\w:]*)(?:\{(?:${LABEL})(?:,(?:${LABEL}))*\})? -?\d+(?:\.\d+)?$`,
);
const HEAD =
  /^# (?:TYPE [a-zA-Z_:][\w:]* (?:counter|gauge)|HELP [a-zA-Z_:][\w:]* (?:[^\\\n"]|\\[n\\"])*)$/;

const families: fc.Arbitrary<readonly Family[]> = fc.array(
  fc.record<Family>({
    name: fc.constantFrom('calls', 'rules'),
    type: fc.constantFrom('counter', 'gauge'),
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
      const lines = printMetrics(all, 'openmetrics').split('\n');
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
  const families: readonly Family[] = [{ name: 'calls', type: 'counter', help: 'Calls.', samples }];
  const sample = 'calls_total{chain="BIND",comment="a \\"b\\"\\\\\\n"} 18446744073709551615\n';
  expect(printMetrics(families, 'openmetrics')).toBe(
    `# TYPE calls counter\n# HELP calls Calls.\n${sample}# EOF\n`,
  );
  expect(printMetrics(families, 'prometheus')).toBe(
    `# TYPE calls_total counter\n# HELP calls_total Calls.\n${sample}`,
  );
});

test('who asks for OpenMetrics gets it, all others the older format', () => {
  const prometheus =
    'application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1';
  expect(formatOf(prometheus)).toBe('openmetrics');
  for (const accept of [undefined, '*/*', 'text/plain;version=0.0.4'])
    expect(formatOf(accept)).toBe('prometheus');
});
