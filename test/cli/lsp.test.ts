/** The language server, spoken to as an editor does. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { program } from './command.js';

type Json = Readonly<Record<string, unknown>>;

/** An editor's end of the conversation. */
class Client {
  readonly #process: ChildProcessWithoutNullStreams;
  readonly #waiting = new Map<number, (message: Json) => void>();
  readonly #diagnostics: Json[] = [];
  #heard: () => void = () => undefined;
  #bytes = Buffer.alloc(0);
  #last = 0;

  constructor() {
    this.#process = spawn(process.execPath, [program('sockfilter'), 'lsp']);
    this.#process.stdout.on('data', (data: Buffer) => this.#read(data));
  }

  #read(data: Buffer): void {
    this.#bytes = Buffer.concat([this.#bytes, data]);
    for (;;) {
      const end = this.#bytes.indexOf('\r\n\r\n');
      const length = /Content-Length: (\d+)/.exec(this.#bytes.toString('latin1', 0, end))?.[1];
      const from = end + 4;
      if (end < 0 || length === undefined || this.#bytes.length < from + Number(length)) return;
      const message: Json = JSON.parse(this.#bytes.toString('utf8', from, from + Number(length)));
      this.#bytes = this.#bytes.subarray(from + Number(length));
      if (typeof message.id === 'number') this.#waiting.get(message.id)?.(message);
      if (message.method === 'textDocument/publishDiagnostics') {
        this.#diagnostics.push(message);
        this.#heard();
      }
    }
  }

  #send(message: Json): void {
    const text = JSON.stringify({ jsonrpc: '2.0', ...message });
    this.#process.stdin.write(`Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`);
  }

  tell(method: string, params: Json = {}): void {
    this.#send({ method, params });
  }

  ask(method: string, params: Json = {}): Promise<Json> {
    const id = ++this.#last;
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve);
      this.#send({ id, method, params });
    });
  }

  /** The next diagnostics that are published. */
  async diagnostics(): Promise<unknown> {
    while (this.#diagnostics.length === 0)
      await new Promise<void>((resolve) => {
        this.#heard = resolve;
      });
    const params = this.#diagnostics.shift()?.params;
    return typeof params === 'object' && params && 'diagnostics' in params && params.diagnostics;
  }

  async end(): Promise<number | null> {
    await this.ask('shutdown');
    const ended = once(this.#process, 'exit');
    this.tell('exit');
    const [status] = await ended;
    return status;
  }
}

const URI = 'file:///tmp/web.rules';
const RULES = `*socket
# who may listen
:BIND DROP
-G web --id 3 --path /web.slice
-N own
-A BIND   -m cgroup --id web -p tcp  --dport 8080 -j own
-A own -d 10.0.0.5 -j ACCEPT
-A own -d 10.0.0.5 -j ACCEPT
COMMIT
`;

describe('the language server', () => {
  const client = new Client();
  const at = (line: number, character: number) => ({
    textDocument: { uri: URI },
    position: { line, character },
  });
  const change = (text: string) =>
    client.tell('textDocument/didChange', {
      textDocument: { uri: URI, version: 2 },
      contentChanges: [{ text }],
    });

  test('says what it can, and what is wrong with a file', async () => {
    const { result } = await client.ask('initialize', { capabilities: {}, processId: null });
    expect(result).toMatchObject({ capabilities: { hoverProvider: true } });
    client.tell('initialized');
    const languageId = 'sockfilter';
    client.tell('textDocument/didOpen', {
      textDocument: { uri: URI, languageId, version: 1, text: RULES.replace('--dport', '--dprot') },
    });
    expect(await client.diagnostics()).toMatchObject([
      { code: 'SF000', severity: 1, range: { start: { line: 5, character: 37 } } },
    ]);
    const range = { start: { line: 5, character: 38 }, end: { line: 5, character: 38 } };
    const { result: fixes } = await client.ask('textDocument/codeAction', {
      textDocument: { uri: URI },
      range,
      context: { diagnostics: [] },
    });
    expect(fixes).toMatchObject([
      { title: 'Write --dport', edit: { changes: { [URI]: [{ newText: '--dport' }] } } },
    ]);
  });

  test('checks what has no mistakes, and offers what changes no verdict', async () => {
    change(RULES);
    const found = await client.diagnostics();
    expect(found).toContainEqual(expect.objectContaining({ code: 'SF002', source: 'sockfilter' }));
    const line = 7;
    const { result } = await client.ask('textDocument/codeAction', {
      textDocument: { uri: URI },
      range: { start: { line, character: 0 }, end: { line, character: 5 } },
      context: { diagnostics: [] },
    });
    const end = { line: 8, character: 0 };
    expect(result).toMatchObject([
      {
        edit: {
          changes: { [URI]: [{ range: { start: { line, character: 0 }, end }, newText: '' }] },
        },
      },
    ]);
  });

  test('tells what a rule matches, and what an option means', async () => {
    const { result } = await client.ask('textDocument/hover', at(5, 14));
    expect(JSON.stringify(result)).toContain('BIND, group web (3), tcp, to port 8080');
    const { result: match } = await client.ask('textDocument/hover', at(5, 15));
    expect(JSON.stringify(match)).toContain('cgroup match options');
    expect((await client.ask('textDocument/hover', at(1, 3))).result).toBeNull();
  });

  test('completes chains, groups, targets and options', async () => {
    const labels = async (line: number, character: number) => {
      const { result } = await client.ask('textDocument/completion', at(line, character));
      return Array.isArray(result) ? result.map(({ label }) => label) : [];
    };
    expect(await labels(5, 3)).toEqual(expect.arrayContaining(['BIND', 'own']));
    expect(await labels(5, 25)).toEqual(['web']);
    expect(await labels(5, 53)).toEqual(expect.arrayContaining(['ACCEPT', 'REJECT', 'own']));
    expect(await labels(5, 39)).toEqual(expect.arrayContaining(['--dport', '--id', '-s']));
  });

  test('goes to chains and groups, and renames them everywhere or not at all', async () => {
    const { result: chain } = await client.ask('textDocument/definition', at(5, 53));
    expect(chain).toMatchObject([{ uri: URI, range: { start: { line: 4, character: 3 } } }]);
    const { result: group } = await client.ask('textDocument/definition', at(5, 27));
    expect(group).toMatchObject([{ range: { start: { line: 3, character: 3 } } }]);
    const rename = async (line: number, character: number, newName: string) =>
      client.ask('textDocument/rename', { ...at(line, character), newName });
    const { result } = await rename(5, 53, 'mine');
    const edits = Object.values(JSON.parse(JSON.stringify(result)).changes).flat();
    expect(edits).toMatchObject([
      { range: { start: { line: 4 } }, newText: 'mine' },
      { range: { start: { line: 5 } } },
      { range: { start: { line: 6 } } },
      { range: { start: { line: 7 } } },
    ]);
    expect((await rename(3, 4, 'shop')).result).toMatchObject({
      changes: { [URI]: [{ newText: 'shop' }, { newText: 'shop' }] },
    });
    for (const name of ['BIND', 'ACCEPT', 'two words', ''])
      expect((await rename(5, 53, name)).error).toMatchObject({ code: -32602 });
  });

  test('formats the blanks, and nothing else', async () => {
    const { result } = await client.ask('textDocument/formatting', {
      textDocument: { uri: URI },
      options: { tabSize: 2, insertSpaces: true },
    });
    expect(result).toMatchObject([
      { newText: '-A BIND -m cgroup --id web -p tcp --dport 8080 -j own' },
    ]);
  });

  test('ends when it is told to', async () => {
    expect(await client.end()).toBe(0);
  });
});
