/** What turns the kernel's clock of atomic time into the time of day. */
import { BpfError } from './error.js';
import { linux, type Syscalls } from './syscall.js';

const CLOCK_REALTIME = 0;
const CLOCK_BOOTTIME = 7;
const CLOCK_TAI = 11;

export interface ClockOffsets {
  /** Seconds by which TAI is ahead of UTC, as the kernel was told; 0 if it was not. */
  readonly tai: number;
  /** Minutes by which the kernel's time zone is west of UTC. */
  readonly minutesWest: number;
}

function nanoseconds(clock: number, sys: Syscalls): bigint {
  const time = new Uint8Array(16);
  const result = sys.call('clock_gettime', clock, time);
  if (result < 0) throw new BpfError('clock_gettime', -result);
  const view = new DataView(time.buffer);
  return view.getBigInt64(0, true) * 1_000_000_000n + view.getBigInt64(8, true);
}

/** How the clocks stand to each other now. */
export function clockOffsets(sys: Syscalls = linux): ClockOffsets {
  const ahead = nanoseconds(CLOCK_TAI, sys) - nanoseconds(CLOCK_REALTIME, sys);
  const zone = new Uint8Array(8);
  const result = sys.call('gettimeofday', 0, zone);
  if (result < 0) throw new BpfError('gettimeofday', -result);
  return {
    tai: Math.round(Number(ahead) / 1e9),
    minutesWest: new DataView(zone.buffer).getInt32(0, true),
  };
}

/** Nanoseconds since 1970 by UTC at which the machine started, as far as the clock on the wall knows now. */
export function startTime(sys: Syscalls = linux): bigint {
  return nanoseconds(CLOCK_REALTIME, sys) - nanoseconds(CLOCK_BOOTTIME, sys);
}
