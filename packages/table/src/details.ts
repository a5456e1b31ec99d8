/**
 * Every detail there is: what a call has beside its ends and ids, 0 where it has none. Programs read a detail only
 * for chains that ask for it. A new one is a file in details/, a row here, its place in Packet and its reader in
 * the kernel package.
 */
import type { DetailDescriptor } from './detail.js';
import { comm } from './details/comm.js';
import { device } from './details/device.js';
import { netns } from './details/netns.js';

export const DETAILS = { netns, device, comm } as const satisfies Readonly<
  Record<string, DetailDescriptor>
>;

export type Detail = keyof typeof DETAILS;

export function isDetail(name: string): name is Detail {
  return Object.hasOwn(DETAILS, name);
}

/** The details in the order in which diagrams ask them. */
export const DETAIL_NAMES: readonly Detail[] = Object.keys(DETAILS).filter(isDetail);

export function describeDetail(detail: Detail): DetailDescriptor {
  return DETAILS[detail];
}

/** A record with a value for each detail. */
export function detailRecord<T>(value: (detail: Detail) => T): Record<Detail, T> {
  return { netns: value('netns'), device: value('device'), comm: value('comm') };
}
