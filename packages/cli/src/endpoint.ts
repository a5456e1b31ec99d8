/** Where a command serves over HTTP. */
import type { Server } from 'node:http';
import { isIP } from 'node:net';
import { EXIT } from '@sockfilter/language';
import { CommandError } from './failure.js';

export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** `127.0.0.1:9100`, `[::1]:9100`; throws CommandError with the example for anything else. */
export function readEndpoint(text: string, example: string): Endpoint {
  const [, inside, plain, port = ''] = /^(?:\[(.*)\]|([^:]*)):(\d{1,5})$/.exec(text) ?? [];
  const host = inside ?? plain ?? '';
  if (isIP(host) !== 0 && Number(port) <= 65_535) return { host, port: Number(port) };
  throw new CommandError(
    `invalid address \`${text}\` to listen at`,
    EXIT.usage,
    `write \`${example}\` or \`[::1]${example.slice(example.indexOf(':'))}\``,
  );
}

/** Serves until a signal ends it; tells the origin once it listens. */
export async function serveUntilSignal(
  server: Server,
  endpoint: Endpoint,
  ready: (origin: string) => void,
): Promise<void> {
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
        if (address === null || typeof address !== 'object') return;
        const host = address.family === 'IPv6' ? `[${address.address}]` : address.address;
        ready(`http://${host}:${address.port}`);
      });
    });
  } finally {
    for (const signal of signals) process.off(signal, end);
  }
}
