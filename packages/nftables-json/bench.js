/** How long documents take beside JSON.parse: `node --expose-gc bench.js [MEGABYTES]`. */
import { check, documentSchema } from './dist/index.js';

const bytes = Number(process.argv[2] ?? 100) * 1e6;

const rule = (at) => ({
  rule: {
    family: 'inet',
    table: 'filter',
    chain: 'input',
    handle: at,
    expr: [
      {
        match: {
          op: '==',
          left: { payload: { protocol: 'ip', field: 'saddr' } },
          right: { prefix: { addr: `10.${(at >> 8) & 255}.${at & 255}.0`, len: 24 } },
        },
      },
      {
        match: {
          op: '==',
          left: { payload: { protocol: 'tcp', field: 'dport' } },
          right: { set: [22, 80, { range: [1000, 2000] }] },
        },
      },
      { counter: { packets: at, bytes: at * 60 } },
      { accept: null },
    ],
  },
});

const element = (at) => {
  const val = `${at & 127}.${(at >> 16) & 255}.${(at >> 8) & 255}.${at & 255}`;
  return at % 3 ? val : { elem: { val, timeout: 3600, expires: at % 3600 } };
};

const many = (make) => {
  const count = Math.round(bytes / JSON.stringify(make(12_345)).length);
  return Array.from({ length: count }, (_, at) => make(at));
};

const documents = {
  rules: () => many(rule),
  elements: () => [
    { set: { family: 'ip', table: 't', name: 's', type: 'ipv4_addr', elem: many(element) } },
  ],
};

/** The most memory that the process had, in MB. */
const peak = () => process.resourceUsage().maxRSS / 1024;

for (const [name, make] of Object.entries(documents)) {
  const text = JSON.stringify({ nftables: make() });
  globalThis.gc?.();
  const start = performance.now();
  const value = JSON.parse(text);
  const parsed = performance.now();
  const before = peak();
  const again = performance.now();
  const checked = check(documentSchema, value);
  const done = performance.now();
  const after = peak();
  if (!checked.ok || checked.value !== value) throw new Error('a document that is not right');
  const [parse, test] = [parsed - start, done - again];
  console.log(
    `${name}: ${(text.length / 1e6).toFixed(0)} MB, JSON.parse ${parse.toFixed(0)} ms, ` +
      `check ${test.toFixed(0)} ms: ${((parse + test) / parse).toFixed(2)} times JSON.parse; ` +
      `peak ${before.toFixed(0)} MB, with check ${after.toFixed(0)} MB`,
  );
}
