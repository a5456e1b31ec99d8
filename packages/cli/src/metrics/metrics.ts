/** `sockfilter metrics`: what is in force in numbers, printed, written to a file or served. */
import { createServer, type Server } from 'node:http';
import { isIP } from 'node:net';
import { printSave } from '@sockfilter/iptables';
import { EXIT } from '@sockfilter/language';
import { replaceFile } from '../atomicfile.js';
import { CommandError, describeFailure } from '../failure.js';
import { type Globals, requireLive } from '../globals.js';
import { VERSION } from '../help.js';
import { withLiveTable } from '../livetable.js';
import { print, printRuleText, tell } from '../output.js';
import { hashText } from '../revision.js';
import { familiesOf } from './families.js';
import { CONTENT_TYPE, printMetrics } from './openmetrics.js';

function readMetrics(globals: Globals): string {
  const found = withLiveTable(globals, 'read', ({ firewall, open }) => {
    const { table, counters, revision } = open;
    const status = firewall.status(table);
    const hash = hashText(printSave(table));
    return status && { status, table, counters, version: VERSION, hash, label: revision?.label };
  });
  return printMetrics(familiesOf(globals.root, found));
}

/** Seconds that a scrape waits for another command to end. */
const SCRAPE_WAIT = 5;

interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** `127.0.0.1:9100`, `[::1]:9100`. */
function readEndpoint(text: string): Endpoint {
  const [, inside, plain, port = ''] = /^(?:\[(.*)\]|([^:]*)):(\d{1,5})$/.exec(text) ?? [];
  const host = inside ?? plain ?? '';
  if (isIP(host) !== 0 && Number(port) <= 65_535) return { host, port: Number(port) };
  throw new CommandError(
    `invalid address \`${text}\` to listen at`,
    EXIT.usage,
    'write `127.0.0.1:9184` or `[::1]:9184`',
  );
}

function serverOf(globals: Globals): Server {
  return createServer((request, response) => {
    const [path] = (request.url ?? '').split('?');
    if (path !== '/metrics' || !['GET', 'HEAD'].includes(request.method ?? '')) {
      response.writeHead(path === '/metrics' ? 405 : 404).end('the metrics are at /metrics\n');
      return;
    }
    try {
      const text = readMetrics(globals);
      response.writeHead(200, { 'content-type': CONTENT_TYPE }).end(text);
    } catch (error) {
      tell(describeFailure(error, false).text);
      response.writeHead(500).end('what is in force can not be read\n');
    }
  });
}

/** Serves until a signal ends it. */
async function serve(globals: Globals, endpoint: Endpoint): Promise<void> {
  const server = serverOf(globals);
  const signals = ['SIGINT', 'SIGTERM'] as const;
  const end = () => {
    server.close();
    server.closeAllConnections();
  };
  for (const signal of signals) process.on(signal, end);
  try {
    await new Promise<void>((resolve, reject) => {
      server.on('error', reject).on('close', resolve);
      server.listen(endpoint, () => {
        const address = server.address();
        if (address !== null && typeof address === 'object') {
          const host = address.family === 'IPv6' ? `[${address.address}]` : address.address;
          print(`listening at http://${host}:${address.port}/metrics\n`);
        }
      });
    });
  } finally {
    for (const signal of signals) process.off(signal, end);
  }
}

export interface MetricsOptions {
  /** Where to serve them. */
  readonly listen: string | undefined;
  /** The file to write, replaced as a whole; standard output if undefined. */
  readonly output: string | undefined;
}

export async function showMetrics(globals: Globals, options: MetricsOptions): Promise<void> {
  requireLive(globals, 'metrics');
  const { listen, output } = options;
  if (listen !== undefined && output !== undefined)
    throw new CommandError('`--listen` and `--output` exclude each other', EXIT.usage);
  if (listen !== undefined) {
    const endpoint = readEndpoint(listen);
    readMetrics(globals);
    await serve({ ...globals, wait: Math.max(globals.wait, SCRAPE_WAIT) }, endpoint);
  } else if (output === undefined) printRuleText(readMetrics(globals));
  else replaceFile(output, readMetrics(globals));
}
