/** An event as the programs wrote it, read. */
import { fieldOf, firstPiece } from '@sockfilter/diagram';
import {
  BUILTIN_CHAINS,
  elementAt,
  FAMILIES,
  type Family,
  FIELD_BITS,
  type Field,
  type Packet,
} from '@sockfilter/table';
import {
  COMM_BYTES,
  EVENT,
  EVENT_VERSION,
  type EventKind,
  eventKind,
  LAST,
  NO_COUNTER,
  NO_ID,
  PACKET_BYTES,
} from './layout.js';

/** Ids are those of the initial namespaces; undefined is what the program could not know. */
export interface RawEvent {
  readonly kind: EventKind;
  /** Of a refusal, else 0. */
  readonly errno: number;
  /** Index of the counter of the rule or policy, and the sequence number of its generation. */
  readonly counter: number | undefined;
  readonly sequence: number;
  /** Nanoseconds since the machine started, suspended time included. */
  readonly uptime: bigint;
  /** Undefined for a call that failed before its family was known. */
  readonly packet: Packet | undefined;
  /** The chain of the call. */
  readonly chain: Packet['chain'];
  readonly group: number;
  /** The task that calls; undefined where a stranger runs. */
  readonly task: { readonly pid: number; readonly tid: number; readonly comm: string } | undefined;
  /** Of the caller, or of the socket's maker. */
  readonly uid: number | undefined;
  readonly gid: number | undefined;
  readonly cgroup: bigint;
  readonly netns: bigint;
  readonly socket: bigint;
}

/** Bytes that others wrote, up to the first NUL. */
function readName(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return Buffer.from(end < 0 ? bytes : bytes.subarray(0, end)).toString('utf8');
}

/** A field of 32 bits or fewer. */
function numberOf(slots: Uint16Array, field: Field): number {
  const first = firstPiece(field);
  const high = elementAt(slots, first);
  return FIELD_BITS[field] > 16 ? high * 2 ** 16 + elementAt(slots, first + 1) : high;
}

/** The pieces before the last two are 0 in family 4. */
function addressOf(slots: Uint16Array, field: 'source' | 'destination', family: Family) {
  if (family === 6) return fieldOf(slots, field);
  const last = firstPiece(field) + FIELD_BITS[field] / 16 - 1;
  return BigInt(elementAt(slots, last - 1) * 2 ** 16 + elementAt(slots, last));
}

type Ids = Pick<RawEvent, 'uid' | 'gid'>;

/** The packet in the slots; undefined before its family was known. */
function readPacket(slots: Uint16Array, { uid, gid }: Ids): Packet | undefined {
  const value = (field: Field) => numberOf(slots, field);
  const family = FAMILIES.find((each) => each === value('family'));
  if (family === undefined) return undefined;
  return {
    chain: elementAt(BUILTIN_CHAINS, value('chain')),
    group: value('group'),
    family,
    protocol: value('protocol'),
    source: addressOf(slots, 'source', family),
    destination: addressOf(slots, 'destination', family),
    sourcePort: value('sourcePort'),
    destinationPort: value('destinationPort'),
    flags: value('flags'),
    // A table that asks for no ids leaves them out of the packet; the event has them all the same.
    uid: uid ?? value('uid'),
    gid: gid ?? value('gid'),
    mark: Number(fieldOf(slots, 'mark')),
  };
}

/** Reads an event; undefined if a release of another version has written it. */
export function decodeEvent(bytes: Uint8Array): RawEvent | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < EVENT.bytes || view.getUint16(EVENT.version, true) !== EVENT_VERSION)
    return undefined;
  const kind = eventKind(view.getUint8(EVENT.kind));
  if (!kind) return undefined;
  const u32 = (at: number) => view.getUint32(at, true);
  const u64 = (at: number) => view.getBigUint64(at, true);
  const id = (at: number) => (u32(at) === NO_ID ? undefined : u32(at));
  // Copied by the constructor, as a Buffer's own `slice` copies nothing.
  const packet = new Uint8Array(bytes.subarray(EVENT.packet, EVENT.packet + PACKET_BYTES));
  const slots = new Uint16Array(packet.buffer);
  const ids = { uid: id(EVENT.uid), gid: id(EVENT.gid) };
  const counter = u32(EVENT.counter);
  const pid = u32(EVENT.pid);
  const comm = readName(bytes.subarray(EVENT.comm, EVENT.comm + COMM_BYTES));
  return {
    kind,
    errno: view.getUint8(EVENT.errno),
    counter: counter === NO_COUNTER ? undefined : counter,
    sequence: u32(EVENT.sequence),
    uptime: u64(EVENT.time),
    packet: readPacket(slots, ids),
    chain: elementAt(BUILTIN_CHAINS, numberOf(slots, 'chain')),
    group: numberOf(slots, 'group'),
    task: pid === 0 ? undefined : { pid, tid: u32(EVENT.tid), comm },
    ...ids,
    cgroup: u64(EVENT.cgroup),
    netns: u64(EVENT.netns),
    socket: u64(EVENT.socket),
  };
}

/** Reads what is kept of a CPU's last refusal; undefined where there is none, or it is being written. */
export function decodeLast(bytes: Uint8Array): RawEvent | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const event = decodeEvent(bytes.subarray(LAST.event, LAST.after));
  const isWhole = [LAST.before, LAST.after].every(
    (at) => view.getBigUint64(at, true) === event?.uptime,
  );
  return isWhole ? event : undefined;
}
