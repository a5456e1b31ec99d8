/**
 * Where each option of a match begins to hold and where it ends: calls at the first value, the last, one before and
 * one past, in rows by match and option. A new match has its rows here.
 */
import type { Boundaries } from './boundary.js';
import { FIELD_BOUNDARIES } from './fieldboundaries.js';
import { MOMENT_BOUNDARIES } from './momentboundaries.js';
import { MEMBER_BOUNDARIES } from './setboundaries.js';

export const BOUNDARIES: Boundaries = {
  ...FIELD_BOUNDARIES,
  ...MOMENT_BOUNDARIES,
  ...MEMBER_BOUNDARIES,
};
