/** Questions to DNS. */
import { promises } from 'node:dns';
import { EXIT } from '@sockfilter/language';
import { type Family, readAddress } from '@sockfilter/table';
import { errnoOf } from './errno.js';
import { CommandError } from './failure.js';

/** An address that a name has, for as many seconds as its record says. */
export interface ToldAddress {
  readonly address: string;
  readonly ttl: number;
}

/** Of one question; the second try waits twice as long. */
const FIRST_TRY_MS = 1500;
const TRIES = 2;
const MAX_PORT = 65_535;

const REASONS: Readonly<Record<string, string>> = {
  ENOTFOUND: 'there is no such name',
  ENODATA: 'the name has none',
  ETIMEOUT: 'no answer came in time',
  ECONNREFUSED: 'it could not be reached',
  ESERVFAIL: 'it failed',
  EREFUSED: 'it refuses to answer',
  EFORMERR: 'it does not understand the question',
  ENOTIMP: 'it does not know such questions',
  EBADRESP: 'its answer is broken',
};

function isServer(text: string): boolean {
  if (readAddress(text)) return true;
  const [, six, four, port] = /^(?:\[(.*)\]|([^:]*)):(\d{1,5})$/.exec(text) ?? [];
  const family = readAddress(six ?? four ?? '')?.family;
  return family === (six === undefined ? 4 : 6) && Number(port) > 0 && Number(port) <= MAX_PORT;
}

/** Asks the server, `ADDR` or `ADDR:PORT`, else those of the system; throws CommandError for what is no server. */
export class HostResolver {
  readonly #resolver = new promises.Resolver({ timeout: FIRST_TRY_MS, tries: TRIES });

  constructor(server: string | undefined) {
    if (server === undefined) return;
    if (!isServer(server))
      throw new CommandError(
        `invalid address \`${server}\` of a DNS server`,
        EXIT.usage,
        'write `10.0.0.53`, `10.0.0.53:5353` or `[fd00::53]:5353`',
      );
    this.#resolver.setServers([server]);
  }

  /** The addresses of the name, one at least; throws CommandError if there are none, or nothing is told. */
  async ask(host: string, family: Family): Promise<readonly ToldAddress[]> {
    const type = family === 4 ? 'A' : 'AAAA';
    const failure = (reason: string) =>
      new CommandError(
        `no ${type} record of \`${host}\` from DNS server ${this.#resolver.getServers().join(', ')}: ${reason}`,
        EXIT.resource,
      );
    try {
      const question = { ttl: true } as const;
      const told =
        family === 4
          ? await this.#resolver.resolve4(host, question)
          : await this.#resolver.resolve6(host, question);
      if (told.length > 0) return told;
    } catch (error) {
      const code = errnoOf(error);
      if (code === undefined) throw error;
      throw failure(REASONS[code] ?? code);
    }
    throw failure('the name has none');
  }
}
