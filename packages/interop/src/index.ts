export {
  addBindable,
  type BindList,
  deleteBindable,
  listBindable,
  readBindable,
} from './bindlist.js';
export { type Draft, type Fate, printPlace, type Remark, type Scope } from './draft.js';
export { readDump } from './dump.js';
export { finishDraft, type Imported } from './finish.js';
export { printInvariants } from './invariantfile.js';
export {
  type Learned,
  type LearnedRule,
  type LearnOptions,
  learn,
  learnedChain,
  learnedRules,
  learnedWords,
  type SeenCall,
  withTwins,
} from './learn.js';
export { importPolicies } from './networkpolicy.js';
export { type Exported, exportNft, type LocateOwner } from './nft/export.js';
export { readRuleset } from './nft/ruleset.js';
export type { ChainMap, PacketFilter } from './packetfilter.js';
export { importUnit } from './systemd.js';
export { translate } from './translate.js';
