export * from './boxlist.js';
export { describeCall, explainCommand, makeWitness } from './call.js';
export { CATALOGUE, type CatalogueRow, type Code, catalogueRows, isCode } from './catalogue.js';
export * from './change.js';
export * from './check.js';
export { type KernelVersion, parseKernelVersion } from './checks/kernels.js';
export { describeBox } from './describe.js';
export * from './expect.js';
export type * from './expectation.js';
export * from './finding.js';
export { type CellValue, type Matrix, type MatrixRow, Query } from './query.js';
export {
  compileRegion,
  REGION_KEYS,
  type Region,
  RegionError,
  type RegionKey,
  regionText,
} from './region.js';
export * from './report/format.js';
export * from './report/json.js';
export * from './report/report.js';
export * from './rulefile.js';
export * from './simplify.js';
export * from './suppression.js';
export * from './trace.js';
export * from './yaml.js';
