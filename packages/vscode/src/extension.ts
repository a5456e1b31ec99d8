/** The client: starts `sockfilter lsp` for rule files. */
import { commands, type ExtensionContext, workspace } from 'vscode';
import { LanguageClient } from 'vscode-languageclient/node';

const LANGUAGE = 'sockfilter-rules';
const SETTING = 'sockfilter.command';

let client: LanguageClient | undefined;

/** VS Code says it to the user where the server can't be started. */
async function start(): Promise<void> {
  const command = workspace.getConfiguration().get(SETTING, 'sockfilter');
  client = new LanguageClient(
    'sockfilter',
    'sockfilter',
    { command, args: ['lsp'] },
    { documentSelector: [{ language: LANGUAGE }] },
  );
  await client.start();
}

async function stop(): Promise<void> {
  const before = client;
  client = undefined;
  if (before?.needsStop()) await before.stop();
}

async function restart(): Promise<void> {
  await stop();
  await start();
}

export async function activate({ subscriptions }: ExtensionContext): Promise<void> {
  subscriptions.push(
    commands.registerCommand('sockfilter.restart', restart),
    workspace.onDidChangeConfiguration((change) => {
      if (change.affectsConfiguration(SETTING)) void restart();
    }),
  );
  await start();
}

export const deactivate = stop;
