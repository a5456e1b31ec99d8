/** Details of calls in programs: a row for each, with the instructions that read it. */
import type { Detail } from '@sockfilter/table';
import { comm } from './detail/comm.js';
import { device } from './detail/device.js';
import { netns } from './detail/netns.js';
import type { DetailReader } from './detailreader.js';

export const DETAIL_READERS: Readonly<Record<Detail, DetailReader>> = { netns, device, comm };
