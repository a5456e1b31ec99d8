export { type ParsedCommand, parseCommand } from './commandline.js';
export { parseGroupId, parseGroupName, parseGroupPath, printGroup } from './groupline.js';
export { commandLine } from './lexer.js';
export { type ListingOptions, printListing, printRules } from './listing.js';
export { editSave } from './notation.js';
export { printRule } from './print.js';
export { type ParsedSave, parseSave, type SaveContext } from './restore.js';
export { type PrintSaveOptions, printRuleFile, printSave } from './save.js';
export type { RuleContext } from './values/syntax.js';
