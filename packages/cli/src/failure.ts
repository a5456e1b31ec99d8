/** Every way in which a command fails, and how each is told: once, last, on stderr. */
import {
  type Diagnostic,
  EXIT,
  type ExitCode,
  escapeUnseen,
  exitStatus,
  renderDiagnostics,
  type Source,
} from '@sockfilter/language';
import { TableError } from '@sockfilter/table';
import { errnoOf } from './errno.js';

/** The command can't do what was asked. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly exit: ExitCode;
  readonly help: string | undefined;

  constructor(message: string, exit: ExitCode, help?: string) {
    super(message);
    this.exit = exit;
    this.help = help;
  }
}

/** A text has mistakes; all of them are told. */
export class DiagnosticsError extends Error {
  override readonly name = 'DiagnosticsError';
  readonly diagnostics: readonly Diagnostic[];
  readonly source: Source;

  constructor(diagnostics: readonly Diagnostic[], source: Source) {
    super(`${source.name} has mistakes`);
    this.diagnostics = diagnostics;
    this.source = source;
  }
}

/**
 * Errors of the kernel side, by name: their classes come with a package that most commands never
 * load.
 */
const RESOURCE_ERRORS: ReadonlySet<string> = new Set([
  'LockedError',
  'UnsupportedError',
  'CapacityError',
  'LimitError',
  'DamageError',
  'TrialError',
  'BpfError',
]);

/** What is wrong with the file that was named; any other errno is about what the kernel has left. */
const FILE_ERRNOS: ReadonlySet<string> = new Set([
  ...['ENOENT', 'ENOTDIR', 'EISDIR', 'EACCES', 'EPERM', 'ELOOP', 'ENAMETOOLONG', 'EEXIST', 'EXDEV'],
]);

function helpOf(error: Error): string | undefined {
  return 'help' in error && typeof error.help === 'string' ? error.help : undefined;
}

/** Node's `ENOENT: no such file or directory, open 'x'` without the code and in the user's words. */
function systemMessage(error: Error): string {
  const [, text, call, what] = /^[A-Z0-9]+: (.*), (\w+)(?: (.*))?$/.exec(error.message) ?? [];
  if (text === undefined) return error.message;
  return `${what?.replace(/^'(.*)'$/, '`$1`') ?? `${call} of the output`}: ${text}`;
}

function exitOf(code: string): ExitCode {
  return FILE_ERRNOS.has(code) ? EXIT.usage : EXIT.resource;
}

/** The error with the file that it is about: write(2) and fsync(2) know none. */
export function namingFile(error: unknown, path: string): unknown {
  const code = errnoOf(error);
  if (!(error instanceof Error) || code === undefined || 'path' in error) return error;
  const [, text] = /^[A-Z0-9]+: (.*), \w+$/.exec(error.message) ?? [];
  return new CommandError(`\`${path}\` can't be written: ${text ?? code}`, exitOf(code));
}

interface Telling {
  readonly text: string;
  readonly exit: ExitCode;
}

function tell(message: string, help: string | undefined): string {
  const shown = `sockfilter: ${escapeUnseen(message)}\n`;
  return help === undefined ? shown : `${shown}  help: ${escapeUnseen(help)}\n`;
}

/** The words for the error, and what to exit with. */
export function describeFailure(error: unknown, colour: boolean): Telling {
  if (error instanceof DiagnosticsError) {
    const { diagnostics, source } = error;
    const text = renderDiagnostics(diagnostics, source, { colour });
    return { text, exit: exitStatus(diagnostics) };
  }
  if (error instanceof CommandError)
    return { text: tell(error.message, error.help), exit: error.exit };
  if (error instanceof TableError || (error instanceof Error && error.name === 'NoTrialError'))
    return { text: tell(error.message, helpOf(error)), exit: EXIT.unfit };
  if (error instanceof Error && RESOURCE_ERRORS.has(error.name))
    return { text: tell(error.message, helpOf(error)), exit: EXIT.resource };
  const code = errnoOf(error);
  if (error instanceof Error && code !== undefined)
    return { text: tell(systemMessage(error), undefined), exit: exitOf(code) };
  const message = error instanceof Error ? error.message : String(error);
  const hint = 'this is a bug in sockfilter; SOCKFILTER_DEBUG=1 shows where it happened';
  return { text: tell(`internal error: ${message}`, hint), exit: EXIT.bug };
}
