/** `sockfilter lsp`: a language server for rule files, over standard input and output. */
import {
  CodeActionKind,
  createConnection,
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
import { diagnosticOf } from './diagnostic.js';
import { fixesOf, formatted, renamed } from './edits.js';
import { hoverAt } from './hover.js';
import { OpenFiles } from './openfiles.js';
import { type NamedPlace, symbolAt } from './symbols.js';

type Connection = ReturnType<typeof createConnection>;

interface At {
  readonly textDocument: { readonly uri: string };
  readonly position: Position;
}

function symbolRange({ line, start, end }: NamedPlace): Range {
  return { start: { line, character: start }, end: { line, character: end } };
}

/** Says what is served, and follows what is open. */
function followFiles(connection: Connection, files: OpenFiles): void {
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
  connection.onDidOpenTextDocument(({ textDocument: { uri, text } }) => files.read(uri, text));
  connection.onDidChangeTextDocument(({ textDocument: { uri }, contentChanges }) => {
    const text = contentChanges.at(-1)?.text;
    if (text !== undefined) files.read(uri, text);
  });
  connection.onDidCloseTextDocument(({ textDocument: { uri } }) => files.close(uri));
}

/** Answers what a place says, and what can stand there. */
function answerPlaces(connection: Connection, files: OpenFiles): void {
  connection.onHover(({ textDocument: { uri }, position }) => {
    const file = files.get(uri);
    const value = file?.isText ? hoverAt(file, position) : undefined;
    return value === undefined ? null : { contents: { kind: 'markdown', value } };
  });
  connection.onCompletion(({ textDocument: { uri }, position: { line, character } }) => {
    const file = files.get(uri);
    if (!file?.isText) return [];
    const words = new Set(completionsAt(file, line, character));
    const typed = /\S*$/.exec(file.lineText(line).slice(0, character))?.[0] ?? '';
    const range = {
      start: { line, character: character - typed.length },
      end: { line, character },
    };
    return [...words].map((label) => ({ label, textEdit: { range, newText: label } }));
  });
}

/** Answers where chains and groups are named, and renames them. */
function answerNames(connection: Connection, files: OpenFiles): void {
  const found = ({ textDocument: { uri }, position }: At) => {
    const file = files.get(uri);
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
}

/** Answers with other text for a file. */
function answerEdits(connection: Connection, files: OpenFiles): void {
  connection.onDocumentFormatting(({ textDocument: { uri } }) => {
    const file = files.get(uri);
    return file ? [...formatted(file)] : [];
  });
  connection.onCodeAction(({ textDocument: { uri }, range }) => {
    const file = files.get(uri);
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
}

/** Serves until the client says `exit`, or its end goes. */
export function serveLanguage(): Promise<void> {
  const connection = createConnection(
    new StreamMessageReader(process.stdin),
    new StreamMessageWriter(process.stdout),
  );
  const files = new OpenFiles((uri, findings) => {
    void connection.sendDiagnostics({ uri, diagnostics: findings.map(diagnosticOf) });
  });
  followFiles(connection, files);
  answerPlaces(connection, files);
  answerNames(connection, files);
  answerEdits(connection, files);
  connection.listen();
  return new Promise((resolve) => {
    connection.onExit(() => resolve());
    process.stdin.once('end', resolve);
  });
}
