/** `sockfilter metrics`: what is in force in numbers, printed, written to a file or served. */
import { createServer, type Server } from 'node:http';
import type { RawEvent } from '@sockfilter/events';
import { printSave } from '@sockfilter/iptables';
import { EXIT } from '@sockfilter/language';
import { writeOutput } from '../atomicfile.js';
import { type Endpoint, readEndpoint, serveUntilSignal } from '../endpoint.js';
import type { Knowledge } from '../events/knowledge.js';
import { listen } from '../events/listener.js';
import { CommandError, describeFailure } from '../failure.js';
import { type Globals, requireLive } from '../globals.js';
import { hashText } from '../hashtext.js';
import { VERSION } from '../help.js';
import { withLiveTable } from '../livetable.js';
import { note, print, printRuleText, tell } from '../output.js';
import {
  CONTENT_TYPES,
  type ExpositionFormat,
  type Family,
  formatOf,
  type Labels,
  printMetrics,
} from './exposition.js';
import { familiesOf, heardFamilies } from './families.js';

function readFamilies(globals: Globals): readonly Family[] {
  const found = withLiveTable(globals, 'read', ({ firewall, open }) => {
    const { table, counters, revision } = open;
    const status = firewall.status(() => table);
    const hash = hashText(printSave(table));
    return status && { status, table, counters, version: VERSION, hash, label: revision?.label };
  });
  return familiesOf(globals.root, found);
}

/** Seconds that a scrape waits for another command to end. */
const SCRAPE_WAIT = 5;

function serverOf(globals: Globals, heard: () => readonly Family[]): Server {
  return createServer((request, response) => {
    const [path] = (request.url ?? '').split('?');
    if (path !== '/metrics' || !['GET', 'HEAD'].includes(request.method ?? '')) {
      response.writeHead(path === '/metrics' ? 405 : 404).end('the metrics are at /metrics\n');
      return;
    }
    try {
      const format = formatOf(request.headers.accept);
      const text = printMetrics([...readFamilies(globals), ...heard()], format);
      response.writeHead(200, { 'content-type': CONTENT_TYPES[format], vary: 'accept' }).end(text);
    } catch (error) {
      tell(describeFailure(error, false).text);
      response.writeHead(500).end('what is in force can not be read\n');
    }
  });
}

/** Counts refusals by group, until it is told to end. */
class Refusals {
  readonly #counts = new Map<string, { readonly labels: Labels; value: number }>();
  #lost = 0;

  async listen(globals: Globals, until: AbortSignal): Promise<void> {
    await listen(globals, {
      passed: false,
      until,
      begin: () => undefined,
      hear: ({ events, lost }, knowledge) => {
        this.#lost += lost;
        for (const event of events) if (event.kind === 'refused') this.#add(event, knowledge);
        return true;
      },
    });
  }

  #add({ group, chain }: RawEvent, { groups }: Knowledge): void {
    const key = `${group} ${chain}`;
    const name = groups.find(({ id }) => id === group)?.name ?? '';
    const known = this.#counts.get(key) ?? {
      labels: { group: name, id: String(group), chain },
      value: 0,
    };
    this.#counts.set(key, { ...known, value: known.value + 1 });
  }

  families(): readonly Family[] {
    return heardFamilies({ refused: [...this.#counts.values()], lost: this.#lost });
  }
}

/** Serves until a signal ends it. */
async function serve(globals: Globals, endpoint: Endpoint): Promise<void> {
  const refusals = new Refusals();
  const server = serverOf(globals, () => refusals.families());
  const stop = new AbortController();
  const hearing = refusals.listen(globals, stop.signal).catch((error) => {
    note(`refusals are not counted by group: ${describeFailure(error, false).text.trimEnd()}`);
  });
  try {
    await serveUntilSignal(server, endpoint, (url) => print(`listening at ${url}/metrics\n`));
  } finally {
    stop.abort();
    await hearing;
  }
}

export interface MetricsOptions {
  /** Where to serve them. */
  readonly listen: string | undefined;
  /** The file to write, replaced as a whole; standard output if undefined. */
  readonly output: string | undefined;
  /** Of what is printed or written; who asks over HTTP says which one it wants. */
  readonly format: ExpositionFormat | undefined;
}

export async function showMetrics(globals: Globals, options: MetricsOptions): Promise<void> {
  requireLive(globals, 'metrics');
  const { listen: at, output, format } = options;
  if (at !== undefined && output !== undefined)
    throw new CommandError('`--listen` and `--output` exclude each other', EXIT.usage);
  if (at !== undefined && format !== undefined)
    throw new CommandError(
      '`--listen` has both formats: the Accept header of a request says which',
      EXIT.usage,
    );
  if (at !== undefined) {
    const endpoint = readEndpoint(at, '127.0.0.1:9184');
    readFamilies(globals);
    await serve({ ...globals, wait: Math.max(globals.wait, SCRAPE_WAIT) }, endpoint);
  } else {
    const text = printMetrics(readFamilies(globals), format ?? 'openmetrics');
    writeOutput(output, text, printRuleText);
  }
}
