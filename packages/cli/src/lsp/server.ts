/** `sockfilter lsp`: a language server for rule files, over standard input and output. */
import { fileURLToPath } from 'node:url';
import { extensionHelp } from '@sockfilter/iptables';
import type { Finding, Severity } from '@sockfilter/policy';
import {
  CodeActionKind,
  createConnection,
  type Diagnostic,
  DiagnosticSeverity,
  ErrorCodes,
  type Position,
  type Range,
  ResponseError,
  StreamMessageReader,
  StreamMessageWriter,
  TextDocumentSyncKind,
} from 'vscode-languageserver/node';
import { VERSION } from '../help.js';
import { completionsAt } from './complete.js';
import { fixesOf, formatted, renamed } from './edits.js';
import { Opened } from './opened.js';
import { type NamedPlace, symbolAt, tokensOf } from './symbols.js';

const SEVERITIES: Readonly<Record<Severity, DiagnosticSeverity>> = {
  error: DiagnosticSeverity.Error,
  warning: DiagnosticSeverity.Warning,
  info: DiagnosticSeverity.Information,
};

/** While somebody types, nothing is checked. */
const CHECK_AFTER_MS = 150;

interface At {
  readonly textDocument: { readonly uri: string };
  readonly position: Position;
}

function nameOf(uri: string): string {
  return uri.startsWith('file:') ? fileURLToPath(uri) : uri;
}

function rangeOf({ place }: Finding): Range {
  const line = place.line - 1;
  const character = place.column - 1;
  return { start: { line, character }, end: { line, character: character + place.length } };
}

function symbolRange({ line, start, end }: NamedPlace): Range {
  return { start: { line, character: start }, end: { line, character: end } };
}

function diagnosticOf(finding: Finding): Diagnostic {
  const { code, severity, message, notes, witness, fix } = finding;
  const more = [
    ...notes.map((note) => note.message),
    ...(witness ? [`for example: ${witness.call}`] : []),
    ...(fix === undefined ? [] : [`fix: ${fix}`]),
  ];
  return {
    range: rangeOf(finding),
    severity: SEVERITIES[severity],
    code,
    source: 'sockfilter',
    message: [message, ...more].join('\n'),
  };
}

/** Serves until the client says `exit`, or its end goes. */
export function serveLanguage(): Promise<void> {
  const connection = createConnection(
    new StreamMessageReader(process.stdin),
    new StreamMessageWriter(process.stdout),
  );
  const files = new Map<string, Opened>();
  const checks = new Map<string, NodeJS.Timeout>();
  const opened = (uri: string) => files.get(uri);

  const publish = (uri: string, findings: readonly Finding[]) =>
    connection.sendDiagnostics({ uri, diagnostics: findings.map(diagnosticOf) });
  const forget = (uri: string) => {
    clearTimeout(checks.get(uri));
    checks.delete(uri);
  };
  const read = (uri: string, text: string) => {
    const file = new Opened(nameOf(uri), text);
    files.set(uri, file);
    forget(uri);
    if (file.mistakes.length > 0) return void publish(uri, file.mistakes);
    const check = () => void publish(uri, file.findings());
    checks.set(uri, setTimeout(check, CHECK_AFTER_MS));
  };

  connection.onInitialize(() => ({
    serverInfo: { name: 'sockfilter', version: VERSION },
    capabilities: {
      textDocumentSync: { openClose: true, change: TextDocumentSyncKind.Full },
      hoverProvider: true,
      completionProvider: { triggerCharacters: ['-', ' '] },
      definitionProvider: true,
      referencesProvider: true,
      renameProvider: { prepareProvider: true },
      documentFormattingProvider: true,
      codeActionProvider: { codeActionKinds: [CodeActionKind.QuickFix] },
    },
  }));
  connection.onDidOpenTextDocument(({ textDocument: { uri, text } }) => read(uri, text));
  connection.onDidChangeTextDocument(({ textDocument: { uri }, contentChanges }) => {
    const text = contentChanges.at(-1)?.text;
    if (text !== undefined) read(uri, text);
  });
  connection.onDidCloseTextDocument(({ textDocument: { uri } }) => {
    forget(uri);
    files.delete(uri);
    void publish(uri, []);
  });

  connection.onHover(({ textDocument: { uri }, position: { line, character } }) => {
    const file = opened(uri);
    if (!file?.isText) return null;
    const tokens = tokensOf(file.lineText(line));
    const at = tokens.findIndex(
      ({ text, start }) => start <= character && character <= start + text.length,
    );
    const word = tokens[at]?.text ?? '';
    const option = tokens[at - 1]?.text ?? '';
    const isMatch = option === '-m' || option === '--match';
    const help = isMatch
      ? extensionHelp([word], undefined)
      : option === '-j'
        ? extensionHelp([], word)
        : '';
    const regions = file.matched(line);
    const parts = [
      ...(regions.length > 0 ? [`matches\n${regions.map((text) => `- ${text}`).join('\n')}`] : []),
      ...(help === '' ? [] : [`\`\`\`text\n${help}\`\`\``]),
    ];
    if (parts.length === 0) return null;
    return { contents: { kind: 'markdown', value: parts.join('\n\n') } };
  });
  connection.onCompletion(({ textDocument: { uri }, position: { line, character } }) => {
    const file = opened(uri);
    if (!file?.isText) return [];
    const words = new Set(completionsAt(file, line, character));
    const typed = /\S*$/.exec(file.lineText(line).slice(0, character))?.[0] ?? '';
    const range = {
      start: { line, character: character - typed.length },
      end: { line, character },
    };
    return [...words].map((label) => ({ label, textEdit: { range, newText: label } }));
  });

  const found = ({ textDocument: { uri }, position }: At) => {
    const file = opened(uri);
    const symbol = file && symbolAt(file.symbols, position);
    if (!file || !symbol) return undefined;
    const all = file.symbols.filter(
      ({ kind, name }) => kind === symbol.kind && name === symbol.name,
    );
    return { file, symbol, all };
  };
  const place = (uri: string) => (symbol: NamedPlace) => ({ uri, range: symbolRange(symbol) });
  connection.onDefinition((params) => {
    const declared = found(params)?.all.filter(({ declares }) => declares) ?? [];
    return declared.map(place(params.textDocument.uri));
  });
  connection.onReferences((params) =>
    (found(params)?.all ?? []).map(place(params.textDocument.uri)),
  );
  connection.onPrepareRename((params) => {
    const at = found(params);
    return at?.all.some(({ declares }) => declares) ? symbolRange(at.symbol) : null;
  });
  connection.onRenameRequest((params) => {
    const at = found(params);
    const edits = at && renamed(at.file, at.symbol, params.newName);
    if (edits) return { changes: { [params.textDocument.uri]: [...edits] } };
    const why = at
      ? `\`${at.symbol.name}\` can't be called \`${params.newName}\` here: the rules would not be read as they are`
      : 'no chain or group stands here';
    return new ResponseError(ErrorCodes.InvalidParams, why);
  });
  connection.onDocumentFormatting(({ textDocument: { uri } }) => {
    const file = opened(uri);
    return file ? [...formatted(file)] : [];
  });
  connection.onCodeAction(({ textDocument: { uri }, range }) => {
    const file = opened(uri);
    if (!file?.isText) return [];
    const here = file
      .findings()
      .filter(({ place: { line } }) => range.start.line < line && line <= range.end.line + 1);
    return here.flatMap((finding) =>
      fixesOf(file, finding).map(({ title, edits }) => ({
        title,
        kind: CodeActionKind.QuickFix,
        diagnostics: [diagnosticOf(finding)],
        edit: { changes: { [uri]: [...edits] } },
      })),
    );
  });
  connection.listen();
  return new Promise((resolve) => {
    connection.onExit(() => resolve());
    process.stdin.once('end', resolve);
  });
}
