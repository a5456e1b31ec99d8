/** The words that say which calls are in a region: those that say what one call is. */
import { CALL_KEYS, type CallKey } from '@sockfilter/table';

export const REGION_KEYS = CALL_KEYS;

export type RegionKey = CallKey;
