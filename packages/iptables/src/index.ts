export type { RuleDraft } from './chaindraft.js';
export { type ParsedCommand, parseCommand } from './commandline.js';
export { COMMAND_SPELLINGS, SWITCH } from './commandoptions.js';
export { parseGroupId, parseGroupName, printGroup } from './groupline.js';
export { readHead } from './kepthead.js';
export { type KeptId, keptIds, namesPath } from './keptids.js';
export {
  excerpt,
  findKeptRule,
  headLines,
  type KeptText,
  keptText,
  nextLine,
  numberOfRule,
  placeOfRule,
  placesOfLine,
  printKeptRules,
  printKeptSave,
  type RulePlace,
  type TextBytes,
} from './kepttext.js';
export { commandLine, lexLine } from './lexer.js';
export { type ListingOptions, printListing, printRules, printVerbose } from './listing.js';
export { extensionHelp } from './matchhelp.js';
export { editSave } from './notation.js';
export { AUDIT } from './policyword.js';
export { printOwner, printRule } from './print.js';
export { editDrafts, type ParsedSave, parseSave, parseSaveWords } from './restore.js';
export { type PrintSaveOptions, printChainLine, printRuleFile, printSave } from './save.js';
export type { SaveContext, SavedWords } from './savereader.js';
export { parseElements, printElement } from './setelement.js';
export {
  type ParsedSetLine,
  parseCreate,
  parseElementLine,
  printCreate,
  printMember,
} from './setline.js';
export { optionWord, SYNTAX, TARGET_SYNTAX } from './syntax.js';
export { unfitNames } from './unfit.js';
export { LOG_LEVELS } from './values/log.js';
export { parseRate } from './values/rate.js';
export type { RuleContext } from './values/syntax.js';
export { printValue } from './values.js';
