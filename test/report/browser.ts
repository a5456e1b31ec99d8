/**
 * A headless Chromium of the test's own, spoken to by its DevTools protocol over a pipe: NUL-ended JSON
 * on descriptors 3 and 4, so that nothing listens on a port.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { pathToFileURL } from 'node:url';

const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--disable-dev-shm-usage',
  '--no-first-run',
  '--no-default-browser-check',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--remote-debugging-pipe',
];

/** The program, or undefined where there is none. */
function findBrowser(): string | undefined {
  for (const name of ['chromium', 'chromium-browser', 'google-chrome'])
    try {
      return execFileSync('/bin/sh', ['-c', `command -v ${name}`], { encoding: 'utf8' }).trim();
    } catch {}
  return undefined;
}

/** describe() for tests that need a browser: skipped aloud, or with SOCKFILTER_REQUIRE_BROWSER=1 failed. */
export function describeBrowser(name: string, define: (program: string) => void): void {
  const program = findBrowser();
  if (program !== undefined) describe(name, () => define(program));
  else if (process.env.SOCKFILTER_REQUIRE_BROWSER === '1')
    test(`${name}: there is a browser`, () => {
      throw new Error('SOCKFILTER_REQUIRE_BROWSER is set, but there is no chromium');
    });
  else {
    console.warn(`${name}: skipped, because there is no chromium`);
    describe.skip(`${name} [skipped: there is no chromium]`, () => {
      test('shows pages', () => {});
    });
  }
}

type Json = Readonly<Record<string, unknown>>;

function isJson(value: unknown): value is Json {
  return typeof value === 'object' && value !== null;
}

export class Browser {
  readonly #process: ChildProcess;
  readonly #folder: string;
  readonly #input: Writable;
  readonly #waiting = new Map<number, (answer: Json) => void>();
  readonly #watchers: ((method: string, parameters: Json) => void)[] = [];
  #next = 1;
  #session: string | undefined;

  constructor(program: string) {
    this.#folder = mkdtempSync(join(tmpdir(), 'sockfilter-browser-'));
    this.#process = spawn(program, [...FLAGS, `--user-data-dir=${this.#folder}`], {
      stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'],
      detached: true,
    });
    const [, , , input, output] = this.#process.stdio;
    if (!(input instanceof Writable) || !(output instanceof Readable))
      throw new Error('the browser has no pipes');
    this.#input = input;
    let rest = '';
    output.setEncoding('utf8').on('data', (piece) => {
      const messages = `${rest}${piece}`.split('\0');
      rest = messages.pop() ?? '';
      for (const text of messages) this.#receive(JSON.parse(text));
    });
  }

  #receive(message: unknown): void {
    if (!isJson(message)) return;
    const { id, method, params } = message;
    if (typeof id === 'number') {
      this.#waiting.get(id)?.(message);
      this.#waiting.delete(id);
    } else if (typeof method === 'string' && isJson(params))
      for (const watch of this.#watchers) watch(method, params);
  }

  async #send(method: string, params: Json = {}): Promise<Json> {
    const id = this.#next++;
    const answer = new Promise<Json>((resolve) => this.#waiting.set(id, resolve));
    const sessionId = this.#session;
    this.#input.write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
    const { result, error } = await answer;
    if (!isJson(result)) throw new Error(`${method}: ${JSON.stringify(error)}`);
    return result;
  }

  /** Opens a file or an address of http, and gives what it asks of the network and complains about from then on. */
  async open(file: string): Promise<{ readonly requests: string[]; readonly faults: string[] }> {
    const requests: string[] = [];
    const faults: string[] = [];
    this.#session = undefined;
    const { targetId } = await this.#send('Target.createTarget', { url: 'about:blank' });
    const { sessionId } = await this.#send('Target.attachToTarget', { targetId, flatten: true });
    this.#session = String(sessionId);
    const loaded = new Promise<void>((resolve) => {
      this.#watchers.length = 0;
      this.#watchers.push((method, params) => {
        if (method === 'Page.loadEventFired') resolve();
        if (method === 'Network.requestWillBeSent' && isJson(params.request))
          requests.push(String(params.request.url));
        if (method === 'Runtime.exceptionThrown' || method === 'Page.javascriptDialogOpening')
          faults.push(JSON.stringify(params));
        if (method === 'Runtime.consoleAPICalled' || method === 'Log.entryAdded')
          faults.push(JSON.stringify(params));
      });
    });
    for (const domain of ['Page', 'Network', 'Runtime', 'Log'])
      await this.#send(`${domain}.enable`);
    await this.#send('Page.navigate', {
      url: file.startsWith('http:') ? file : pathToFileURL(file).href,
    });
    await loaded;
    return { requests, faults };
  }

  /** The value of an expression in the page. */
  async evaluate(expression: string): Promise<unknown> {
    const answer = await this.#send('Runtime.evaluate', {
      expression,
      returnByValue: true,
      awaitPromise: true,
    });
    if (answer.exceptionDetails) throw new Error(JSON.stringify(answer.exceptionDetails));
    return isJson(answer.result) ? answer.result.value : undefined;
  }

  /** Clicks with the mouse in the middle of the element, where a reader could. */
  async click(selector: string): Promise<void> {
    const centre = await this.evaluate(`(() => {
      const element = document.querySelector(${JSON.stringify(selector)});
      element.scrollIntoView({ block: 'center', inline: 'center' });
      const { x, y, width, height } = element.getBoundingClientRect();
      return { x: x + width / 2, y: y + height / 2 };
    })()`);
    if (!isJson(centre)) throw new Error(`no ${selector}`);
    for (const type of ['mousePressed', 'mouseReleased'])
      await this.#send('Input.dispatchMouseEvent', {
        type,
        x: centre.x,
        y: centre.y,
        button: 'left',
        clickCount: 1,
      });
  }

  async press(key: string): Promise<void> {
    const text = key === 'Enter' ? '\r' : undefined;
    const code = { Enter: 13, Escape: 27, ArrowRight: 39, ArrowDown: 40 }[key] ?? 0;
    const event = { key, code: key, windowsVirtualKeyCode: code };
    await this.#send('Input.dispatchKeyEvent', {
      type: text ? 'keyDown' : 'rawKeyDown',
      text,
      ...event,
    });
    await this.#send('Input.dispatchKeyEvent', { type: 'keyUp', ...event });
  }

  async type(text: string): Promise<void> {
    await this.#send('Input.insertText', { text });
  }

  /** A picture of the window, as PNG. */
  async screenshot(
    scheme: 'light' | 'dark',
    [width, height]: readonly [number, number],
    media = 'screen',
  ): Promise<Buffer> {
    await this.#send('Emulation.setDeviceMetricsOverride', {
      width,
      height,
      deviceScaleFactor: 1,
      mobile: false,
    });
    await this.#send('Emulation.setEmulatedMedia', {
      media,
      features: [{ name: 'prefers-color-scheme', value: scheme }],
    });
    const { data } = await this.#send('Page.captureScreenshot', { format: 'png' });
    return Buffer.from(String(data), 'base64');
  }

  async close(): Promise<void> {
    const gone = new Promise((resolve) => this.#process.once('exit', resolve));
    this.#session = undefined;
    this.#input.write(`${JSON.stringify({ id: this.#next++, method: 'Browser.close' })}\0`);
    // A browser that hangs is killed, and its helpers with it.
    const { pid } = this.#process;
    const timer = setTimeout(() => pid !== undefined && process.kill(-pid, 'SIGKILL'), 5000);
    await gone;
    clearTimeout(timer);
    // Helpers that outlive it for a moment hold the other ends.
    for (const stream of this.#process.stdio) stream?.destroy();
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  }
}
