import { largePages, type Syscalls } from './index.js';

const LARGE_PAGE = 2 ** 21;

/** A kernel that has the first buffer lie so far behind the beginning of a large page. */
function kernel(past: number) {
  const advised: (readonly [number, unknown])[] = [];
  const sys: Syscalls = {
    call: (_, bytes, length) => {
      if (bytes instanceof Uint8Array) advised.push([bytes.byteOffset, length]);
      return -22;
    },
    address: () => BigInt(7 * LARGE_PAGE + past),
  };
  return { sys, advised };
}

test.each([0, 16, LARGE_PAGE - 4096])('whole large pages are asked for, %i behind one', (past) => {
  const { sys, advised } = kernel(past);
  const bytes = largePages(LARGE_PAGE + 1, sys);
  expect(bytes.length).toBe(LARGE_PAGE + 1);
  expect((past + bytes.byteOffset) % LARGE_PAGE).toBe(0);
  expect(advised).toEqual([[bytes.byteOffset, 2 * LARGE_PAGE]]);
  expect(bytes.buffer.byteLength).toBeGreaterThanOrEqual(bytes.byteOffset + 2 * LARGE_PAGE);
});

test('for little memory nobody is asked', () => {
  const { sys, advised } = kernel(0);
  expect(largePages(65_536, sys)).toEqual(new Uint8Array(65_536));
  expect(advised).toEqual([]);
});

test('it is zeros that can be written', () => {
  const bytes = largePages(300_000);
  expect(bytes.every((byte) => byte === 0)).toBe(true);
  bytes.fill(1);
  expect(bytes.every((byte) => byte === 1)).toBe(true);
});
