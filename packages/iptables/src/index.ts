export { applyEdit, tableDiagnostic } from './apply.js';
export {
  type Command,
  type CommandFlags,
  type CommandKind,
  type EditCommand,
  isEdit,
} from './command.js';
export { type ParsedCommand, parseCommand } from './commandline.js';
export * from './diagnostic.js';
export type { Document, DocumentLine, RulePlace } from './document.js';
export { editDocument } from './documentedit.js';
export { parseGroupId, parseGroupName, parseGroupPath, printGroup } from './groupline.js';
export { commandLine } from './lexer.js';
export { type ListingOptions, printListing, printRules } from './listing.js';
export { type Names, NO_NAMES, readNames } from './names.js';
export { printRule } from './print.js';
export { type ParsedSave, parseSave, type SaveContext } from './restore.js';
export { type PrintSaveOptions, printRuleFile, printSave } from './save.js';
export type { Source, Span, Word } from './source.js';
export { didYouMean } from './suggest.js';
export type { RuleContext } from './values/syntax.js';
