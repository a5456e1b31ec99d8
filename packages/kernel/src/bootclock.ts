/** The clock of deadlines: CLOCK_BOOTTIME, as bpf_ktime_get_boot_ns has it. */
import { readFileSync } from 'node:fs';

/** Nanoseconds since boot, to a hundredth of a second; time asleep counts. */
export function bootTime(): bigint {
  const [uptime = ''] = readFileSync('/proc/uptime', 'utf8').split(' ');
  return BigInt(Math.round(Number(uptime) * 100)) * 10_000_000n;
}
