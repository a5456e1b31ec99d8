export { applyEdit, type RuleList, ruleSplice, tableDiagnostic } from './apply.js';
export {
  type Command,
  type CommandFlags,
  type EditCommand,
  isEdit,
} from './command.js';
export * from './diagnostic.js';
export type { Document, DocumentKind, DocumentLine, RuleLines, RulePlace } from './document.js';
export { editDocument } from './documentedit.js';
export { draw, placeText, type Remark, type Style } from './drawing.js';
export { byteLength, type DecodedSource, decodeSource } from './encoding.js';
export { escapeLines, escapeUnseen, writeJson, writeJsonLine } from './escape.js';
export { EXIT, type ExitCode } from './exitcode.js';
export type { LineNotation } from './linenotation.js';
export { type Names, NO_NAMES, readNames } from './names.js';
export { noteOddCharacters } from './oddcharacter.js';
export { quoteShell } from './shell.js';
export * from './source.js';
export { didYouMean } from './suggest.js';
