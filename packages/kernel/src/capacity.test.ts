import { cgroupCapacity, removedCapacity } from './capacity.js';

const GIB = 2 ** 30;

test.each([
  [GIB / 4, 65_536, 65_536],
  [GIB, 65_536, 65_536],
  [GIB + 1, 131_072, 65_536],
  [8 * GIB, 524_288, 131_072],
  [64 * GIB, 4_194_304, 1_048_576],
  [64 * GIB + 1, 4_194_304, 1_048_576],
])('%i bytes of memory: entries of control groups, and of removed ones', (memory, there, gone) => {
  expect([cgroupCapacity(memory), removedCapacity(memory)]).toEqual([there, gone]);
});
