/** The client: starts `sockfilter lsp` for rule files. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { commands, type ExtensionContext, workspace } from 'vscode';
import { LanguageClient } from 'vscode-languageclient/node';

const LANGUAGE = 'sockfilter-rules';
const SETTING = 'sockfilter.command';

let client: LanguageClient | undefined;

async function spawnServer(): Promise<ChildProcess> {
  const command = workspace.getConfiguration().get(SETTING, 'sockfilter');
  const server = spawn(command, ['lsp'], { cwd: workspace.workspaceFolders?.[0]?.uri.fsPath });
  try {
    await once(server, 'spawn');
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const way = `install sockfilter, or name its program in the setting ${SETTING}`;
    // The client shows the stack to the user, where there is one.
    throw Object.assign(new Error(`${reason}: ${way}`), { stack: undefined });
  }
  return server;
}

/** VS Code says it to the user where the server can't be started. */
async function start(): Promise<void> {
  client = new LanguageClient('sockfilter', 'sockfilter', spawnServer, {
    documentSelector: [{ language: LANGUAGE }],
  });
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
