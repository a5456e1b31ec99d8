/**
 * `sockfilter dashboard`: what happens, as a page in a browser. The server answers GET alone, to whoever has the token,
 * and nothing of it writes.
 */
import { randomBytes, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { EXIT } from '@sockfilter/language';
import { queryPage, renderPage, visible } from '@sockfilter/policy';
import { pageOptions } from '../ci/page.js';
import { readSide, Sources } from '../ci/rulesource.js';
import { type Endpoint, readEndpoint, serveUntilSignal } from '../endpoint.js';
import type { Knowledge } from '../events/knowledge.js';
import { listen } from '../events/listener.js';
import { CommandError, describeFailure } from '../failure.js';
import { type Globals, requireLive } from '../globals.js';
import { print, tell } from '../output.js';
import { Feed } from './feed.js';
import { LIVE_POLICY, livePage } from './page.js';

const DEFAULT = '127.0.0.1:9185';
/** How often counts are told, events of one look, and pages that are open at once. */
const STATE_MS = 1000;
const MOST_TOLD = 300;
const MOST_CLIENTS = 16;
/** A page that reads no more than that behind misses what comes. */
const MOST_WAITING = 1 << 22;

/** Text of others with nothing in it that is not seen. */
const toJson = (value: unknown) =>
  JSON.stringify(value, (_, each: unknown) => (typeof each === 'string' ? visible(each) : each));

const HEADERS = {
  'cache-control': 'no-store',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'cross-origin-resource-policy': 'same-origin',
} as const;

function send(response: ServerResponse, status: number, type: string, body: string): void {
  response.writeHead(status, { ...HEADERS, 'content-type': `${type}; charset=utf-8` }).end(body);
}

/** The pages that are open. */
class Clients {
  readonly #open = new Set<ServerResponse>();

  /** False if there are too many. */
  add(response: ServerResponse): boolean {
    if (this.#open.size >= MOST_CLIENTS) return false;
    this.#open.add(response);
    response.on('close', () => this.#open.delete(response));
    response.writeHead(200, { ...HEADERS, 'content-type': 'text/event-stream' }).flushHeaders();
    return true;
  }

  get isEmpty(): boolean {
    return this.#open.size === 0;
  }

  tell(event: 'calls' | 'state', data: unknown): void {
    if (this.isEmpty) return;
    const text = `event: ${event}\ndata: ${toJson(data)}\n\n`;
    for (const response of this.#open)
      if (response.writableLength < MOST_WAITING) response.write(text);
  }
}

/** Calls by rule and policy, read without the lock: who watches keeps nobody from a change. */
function countersOf(knowledge: Knowledge | undefined): readonly object[] | undefined {
  return knowledge?.counted()?.map(({ owner: { chain, rule, number }, text, calls }) => ({
    chain: chain.name,
    rule: rule ? number : null,
    text,
    calls: String(calls),
  }));
}

/** The report of all that the rules in force accept. */
async function reportOf(globals: Globals): Promise<string> {
  const sources = new Sources();
  const { file } = await readSide('live', globals, sources);
  if (!file) throw new CommandError('the table in force can not be read', EXIT.unfit);
  return renderPage(queryPage(file, { verdict: 'accept', region: {} }, pageOptions(sources)));
}

class Dashboard {
  readonly #globals: Globals;
  readonly #token = randomBytes(18).toString('base64url');
  readonly #feed = new Feed();
  readonly #clients = new Clients();
  #knowledge: Knowledge | undefined;
  readonly server: Server = createServer((request, response) => {
    this.#answer(request, response).catch((error) => {
      tell(describeFailure(error, false).text);
      if (!response.headersSent) send(response, 500, 'text/plain', 'that can not be read\n');
    });
  });

  constructor(globals: Globals) {
    this.#globals = globals;
  }

  get path(): string {
    return `/?token=${this.#token}`;
  }

  async listen(passed: boolean, until: AbortSignal): Promise<void> {
    const timer = setInterval(() => this.#tellState(), STATE_MS);
    try {
      await listen(this.#globals, {
        passed,
        until,
        begin: (knowledge) => {
          this.#knowledge = knowledge;
        },
        hear: ({ events, lost, start }, knowledge) => {
          this.#feed.lost += lost;
          const told = events.map((event) =>
            this.#feed.add({ event, resolution: knowledge.resolve(event, start) }, knowledge),
          );
          this.#clients.tell('calls', told.slice(-MOST_TOLD));
          return true;
        },
      });
    } finally {
      clearInterval(timer);
    }
  }

  #tellState(): void {
    if (this.#clients.isEmpty) return;
    const { cells, lost, uncounted } = this.#feed;
    this.#knowledge?.learn();
    const counters = countersOf(this.#knowledge);
    this.#clients.tell('state', { cells, lost, uncounted, ...(counters && { counters }) });
  }

  #isToken(given: string): boolean {
    const [a, b] = [given, this.#token].map((text) => Buffer.from(text));
    return a !== undefined && b !== undefined && a.length === b.length && timingSafeEqual(a, b);
  }

  async #answer({ method, url = '' }: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(url, 'http://localhost');
    if (!this.#isToken(searchParams.get('token') ?? ''))
      return send(
        response,
        403,
        'text/plain',
        'the address that `dashboard` printed has a token\n',
      );
    if (method !== 'GET') return send(response, 405, 'text/plain', 'this server only shows\n');
    switch (pathname) {
      case '/':
        response.setHeader('content-security-policy', LIVE_POLICY);
        return send(response, 200, 'text/html', livePage(this.#globals.root));
      case '/events':
        if (!this.#clients.add(response))
          return send(response, 503, 'text/plain', 'too many pages are open\n');
        return this.#tellState();
      case '/explain': {
        const said = this.#feed.explain(Number(searchParams.get('event')));
        if (!said) return send(response, 404, 'text/plain', 'this event is not kept any more\n');
        return send(response, 200, 'application/json', toJson(said));
      }
      case '/rules':
        return send(response, 200, 'text/html', await reportOf(this.#globals));
      default:
        return send(response, 404, 'text/plain', 'the page is at /\n');
    }
  }
}

const LOOPBACK = /^(127\.|::1$)/;

function checkEndpoint({ host }: Endpoint, remote: boolean): void {
  if (remote || LOOPBACK.test(host)) return;
  throw new CommandError(
    `${host} is not of this host alone: whoever sees the address sees the token`,
    EXIT.usage,
    'write `--remote` as well if that is meant, or reach a loopback address by `ssh -L`',
  );
}

export interface DashboardOptions {
  readonly listen: string | undefined;
  /** Whether others than this host may be served. */
  readonly remote: boolean;
  /** Whether calls that pass are told as well. */
  readonly passed: boolean;
}

export async function serveDashboard(globals: Globals, options: DashboardOptions): Promise<void> {
  requireLive(globals, 'dashboard');
  const endpoint = readEndpoint(options.listen ?? DEFAULT, DEFAULT);
  checkEndpoint(endpoint, options.remote);
  const dashboard = new Dashboard(globals);
  const stop = new AbortController();
  const hearing = dashboard.listen(options.passed, stop.signal);
  // What ends the listening, a full house of readers for example, ends the server too.
  const failed = hearing.then(
    () => undefined,
    (error: unknown) => {
      dashboard.server.close();
      dashboard.server.closeAllConnections();
      return error;
    },
  );
  try {
    await serveUntilSignal(dashboard.server, endpoint, (origin) =>
      print(`the page is at ${origin}${dashboard.path}\n`),
    );
  } finally {
    stop.abort();
  }
  const error = await failed;
  if (error !== undefined) throw error;
}
