export { decodeEvent, decodeLast, type RawEvent } from './event.js';
export { type EventFilter, isWanted } from './filter.js';
export * from './layout.js';
export {
  eventJson,
  eventMessage,
  eventWords,
  kindWords,
  type Missing,
  missingJson,
  placeWords,
  type Resolution,
} from './line.js';
export { type Batch, EventReader } from './reader.js';
