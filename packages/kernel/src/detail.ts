/** Details of calls in programs, and what calls draw: a row for each, with the instructions that read it. */
import { DETAIL_NAMES, type Detail, LUCKS, type Luck } from '@sockfilter/table';
import { comm } from './detail/comm.js';
import { device } from './detail/device.js';
import { chance, persistence } from './detail/luck.js';
import { netns } from './detail/netns.js';
import type { DetailReader } from './detailreader.js';

/** What is read where a chain asks for it. */
export type ReadField = Detail | Luck;

/** The bit of a field among those that a chain asks for. */
export function readBit(field: ReadField): number {
  return 1 << READ_FIELDS.indexOf(field);
}

/** In the order of their slots, and of their bits in a header. */
export const READ_FIELDS: readonly ReadField[] = [...DETAIL_NAMES, ...LUCKS];

export const READERS: Readonly<Record<ReadField, DetailReader>> = {
  netns,
  device,
  comm,
  chance,
  persistence,
};
