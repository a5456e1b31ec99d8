export * from './analysis/index.js';
export * from './build.js';
export * from './diagram.js';
export * from './limit.js';
export * from './operation.js';
export type { Ask, Outcome, Verdict } from './outcome.js';
export * from './piece.js';
export * from './store.js';
export * from './ways.js';
