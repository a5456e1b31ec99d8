/** A DNS server on loopback that answers for the names that it is told, over UDP. */
import { createSocket, type RemoteInfo } from 'node:dgram';
import { once } from 'node:events';
import { readAddress } from '@sockfilter/table';

const TYPES: Readonly<Record<number, string>> = { 1: 'A', 28: 'AAAA' };
const HEADER = 12;
const NXDOMAIN = 3;
const REFUSED = 5;

export interface DnsRecords {
  readonly ttl: number;
  readonly addresses: readonly string[];
}

const NOTHING: DnsRecords = { ttl: 0, addresses: [] };

/** The name of the question, and where it ends. */
function readName(message: Buffer): readonly [string, number] {
  const labels: string[] = [];
  let at = HEADER;
  for (let length = message.readUInt8(at); length > 0; length = message.readUInt8(at)) {
    labels.push(message.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  return [labels.join('.').toLowerCase(), at + 1];
}

function record(type: number, ttl: number, address: string): Buffer {
  const read = readAddress(address);
  if (!read) throw new TypeError(`${address} is no address`);
  const data = Buffer.from(
    read.value.toString(16).padStart(read.family === 4 ? 8 : 32, '0'),
    'hex',
  );
  const head = Buffer.alloc(12);
  // A pointer to the name of the question.
  head.writeUInt16BE(0xc000 + HEADER, 0);
  head.writeUInt16BE(type, 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt32BE(ttl, 6);
  head.writeUInt16BE(data.length, 10);
  return Buffer.concat([head, data]);
}

export class DnsServer {
  /** By name and type, `host.example A`: no such name if absent; `silent`: no answer; `refused`: none for us. */
  readonly records = new Map<string, DnsRecords | 'silent' | 'refused'>();
  readonly #socket = createSocket('udp4');

  static async start(): Promise<DnsServer> {
    const server = new DnsServer();
    server.#socket.on('message', (message, from) => server.#answer(message, from));
    server.#socket.bind(0, '127.0.0.1');
    await once(server.#socket, 'listening');
    return server;
  }

  /** `127.0.0.1:5353`. */
  get address(): string {
    return `127.0.0.1:${this.#socket.address().port}`;
  }

  /** Resolves when the next question has come. */
  async nextQuestion(): Promise<void> {
    await once(this.#socket, 'message');
  }

  #answer(message: Buffer, { port, address }: RemoteInfo): void {
    const [name, end] = readName(message);
    const type = message.readUInt16BE(end);
    const found = this.records.get(`${name} ${TYPES[type]}`);
    if (found === 'silent') return;
    const { ttl, addresses } = found === undefined || found === 'refused' ? NOTHING : found;
    const answers = addresses.map((each) => record(type, ttl, each));
    const outcome = found === 'refused' ? REFUSED : found ? 0 : NXDOMAIN;
    const head = Buffer.from(message.subarray(0, end + 4));
    // An answer, with recursion asked and had.
    head.writeUInt16BE(0x8180 | outcome, 2);
    head.writeUInt16BE(answers.length, 6);
    head.writeUInt32BE(0, 8);
    this.#socket.send(Buffer.concat([head, ...answers]), port, address);
  }

  close(): void {
    this.#socket.close();
  }
}
