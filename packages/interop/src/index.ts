export {
  addBindable,
  type BindList,
  deleteBindable,
  listBindable,
  readBindable,
} from './bindlist.js';
export type { Draft, Fate, Remark, Scope } from './draft.js';
export { readDump } from './dump.js';
export { finishDraft, type Imported } from './finish.js';
export { type ChainMap, importDumps } from './iptablessave.js';
export { importPolicies } from './networkpolicy.js';
export { importUnit } from './systemd.js';
