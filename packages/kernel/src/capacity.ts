/** What the kernel side can hold. */
import { totalmem } from 'node:os';

/** A limit of what the kernel side can hold was reached; nothing has changed. */
export class CapacityError extends Error {
  override readonly name = 'CapacityError';
  readonly help: string | undefined;

  /** @param needed undefined where that is not known, but that it is more */
  constructor(what: string, needed: number | undefined, limit: number, help?: string) {
    super(
      needed === undefined
        ? `${what}: more than ${limit} are needed`
        : `${what}: ${needed} are needed, the limit is ${limit}`,
    );
    this.help = help;
  }
}

const BYTES_PER_CGROUP = 16 * 1024;
export const LEAST_CGROUPS = 65_536;
const MOST_CGROUPS = 4_194_304;

/**
 * Control groups that can have an entry at a time: more than the memory can hold, of which the kernel
 * takes 13 KiB for each that does nothing (seen on 6.18). So nobody who may make control groups can use
 * the entries up before the memory, which the kernel bounds for each subtree. A power of two, as the
 * kernel makes the hash's table one: its 16 bytes an entry are at most 0.2 % of the memory.
 */
export function cgroupCapacity(memory: number = totalmem()): number {
  const wanted = 2 ** Math.ceil(Math.log2(memory / BYTES_PER_CGROUP));
  return Math.min(Math.max(wanted, LEAST_CGROUPS), MOST_CGROUPS);
}

/** Removed control groups that sockets still belong to; each of those takes memory of its own. */
export function removedCapacity(memory: number = totalmem()): number {
  return Math.max(cgroupCapacity(memory) / 4, LEAST_CGROUPS);
}
