import { readFileSync } from 'node:fs';
import { linux, type Syscalls } from './index.js';
import { kernelsCopy } from './kernelbtf.js';
import { kernelTests } from './testing/kernelTests.js';

const FILE = '/sys/kernel/btf/vmlinux';

kernelTests("the running kernel's BTF", () => {
  const file = readFileSync(FILE);

  test('what the kernel gives is what the file holds', () => {
    const copy = kernelsCopy(file.length);
    expect(copy && file.equals(copy)).toBe(true);
  });

  test('a file of another size is not its', () => {
    expect(kernelsCopy(file.length - 1)).toBeUndefined();
  });
});

test('who may not ask has to read the file', () => {
  const EPERM = 1;
  const sys: Syscalls = { ...linux, call: () => -EPERM };
  expect(kernelsCopy(4096, sys)).toBeUndefined();
});
