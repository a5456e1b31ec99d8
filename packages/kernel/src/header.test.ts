import { decodeHeader } from './header.js';
import { COUNTERS_PER_PAGE, FORMAT, HEADER, HEADER_BYTES } from './layout.js';

const headerWith = (fields: readonly (readonly [number, number])[]) => {
  const head = new DataView(new ArrayBuffer(HEADER_BYTES));
  for (const [at, value] of fields) head.setUint32(at, value, true);
  return decodeHeader(new Uint8Array(head.buffer));
};

/** Formats up to 15 keep counters on pages of their own, and may have been marked as this one's by an upgrade. */
test.each([15, FORMAT])('where counters on pages lie, of format %i', (format) => {
  const header = headerWith([
    [HEADER.format, format],
    [HEADER.counterPage, 7],
    [HEADER.stripePages, 2],
  ]);
  expect(header.firstCounter).toBe(7 * COUNTERS_PER_PAGE);
  expect(header.stripeLength).toBe(2 * COUNTERS_PER_PAGE);
});

test('where counters lie that have addresses', () => {
  const header = headerWith([
    [HEADER.format, FORMAT],
    [HEADER.firstCounter, 32],
    [HEADER.stripeLength, 16],
  ]);
  expect(header).toMatchObject({ firstCounter: 32, stripeLength: 16 });
});
