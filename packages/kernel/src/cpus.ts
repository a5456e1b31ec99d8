import { readFileSync } from 'node:fs';

/** CPUs that can be brought up, which number from 0. */
export function possibleCpus(): number {
  const ranges = readFileSync('/sys/devices/system/cpu/possible', 'utf8').trim().split(/[,-]/);
  return Number(ranges.at(-1)) + 1;
}
