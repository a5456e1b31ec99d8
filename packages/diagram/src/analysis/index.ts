export { MOST_WAYS } from '../choice.js';
export { leavesEarly, type PlacedRule, placeRules } from '../placedrule.js';
export { draws, type Interpretation, interpretation, type Part, rewrites } from '../walk.js';
export type { Box, MaskedField } from './box.js';
export { boxes } from './boxes.js';
export { type Difference, difference } from './difference.js';
export { CLOSED, type Listeners, listeners } from './listeners.js';
export { LoadedTable } from './loadedtable.js';
export { mirror, otherEnd } from './mirror.js';
export {
  equals,
  includes,
  intersect,
  isEmpty,
  type PacketSet,
  subtract,
  union,
} from './packetset.js';
export { project } from './projection.js';
export { type Cube, complementOf, cubesOfRange, isCube, rangesOf, type Span } from './span.js';
export { Universe } from './universe.js';
export { witness } from './witness.js';
