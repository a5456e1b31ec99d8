/**
 * What the programs and the readers agree on: the bytes of an event, and where readers are.
 *
 * Each reader has a perf buffer for each CPU, which the kernel itself takes back when the reader ends, however
 * that comes. The map `events` has for each CPU a place for each reader's; the entry is there as long as the
 * descriptor of the map by which the reader has put it there. Programs look only at the readers whose bit is set
 * in the one word of the map `readers`.
 *
 * All numbers are little-endian (x86-64, arm64), ids those of the initial namespaces.
 */

/** Readers at a time. */
export const READER_SLOTS = 8;

/** The entry of `events` for a CPU and a reader. */
export const READER_SHIFT = 3;

/**
 * Bytes of the one value of `readers`, two words of 32 bits: bit n of the first is the reader with the number n, of
 * the second that this reader wants to be told of calls that pass as well. Programs clear a bit of the second
 * themselves when they find no buffer of the reader's.
 */
export const READERS_BYTES = 8;

/** Byte offset of the word of those who want calls that pass. */
export const WATCHERS_AT = 4;

/** What an event is about. */
export const EVENT_KINDS = {
  /** A call was refused. */
  refused: 0,
  /** A rule logs, whatever becomes of the call. */
  log: 1,
  /** A rule or policy has matched a call that is traced. */
  trace: 2,
  /** A rule or policy let a call pass that it would have refused, were it not audited. */
  audit: 3,
  /** A call passed: told only to readers that ask for it. */
  passed: 4,
} as const;

export type EventKind = keyof typeof EVENT_KINDS;

function isKind(name: string): name is EventKind {
  return Object.hasOwn(EVENT_KINDS, name);
}

const KINDS: ReadonlyMap<number, EventKind> = new Map(
  Object.keys(EVENT_KINDS)
    .filter(isKind)
    .map((kind) => [EVENT_KINDS[kind], kind]),
);

/** The kind with the number; undefined for one that this release does not know. */
export function eventKind(number: number): EventKind | undefined {
  return KINDS.get(number);
}

/** Of the events that this release's programs write and its readers read. */
export const EVENT_VERSION = 1;

/** Bytes of a task's name, with a NUL at its end. */
export const COMM_BYTES = 16;

/** The packet as the programs have it: a slot of 16 bits for each piece of the diagram. */
export const PACKET_BYTES = 64;

/** Byte offsets in an event. */
export const EVENT = {
  /** u16 EVENT_VERSION. */
  version: 0,
  /** u8 a number of EVENT_KINDS. */
  kind: 2,
  /** u8 the errno of a refusal, else 0. */
  errno: 3,
  /** u32 uid, NO_ID if it is not known: of the caller (its filesystem uid), or of the maker of the socket. */
  uid: 4,
  /** u32 the counter of the rule or policy in the generation; NO_COUNTER for a call that failed closed. */
  counter: 8,
  /** u32 the sequence number of that generation; 0 without a counter. */
  sequence: 12,
  /** u64 nanoseconds since the machine started, suspended time included (CLOCK_BOOTTIME). */
  time: 16,
  /** u32 tid and u32 pid of the caller; 0 where the task that runs is a stranger. */
  tid: 24,
  pid: 28,
  /** u64 the cgroup's id: of the caller, or in which the socket was made. */
  cgroup: 32,
  /** u64 the cookie of the socket's network namespace. */
  netns: 40,
  /** u64 the socket's cookie. */
  socket: 48,
  /** u32 the filesystem gid of the caller, NO_ID if it is not known. */
  gid: 56,
  /** The name of the caller's thread. */
  comm: 64,
  packet: 80,
  bytes: 144,
} as const;

/**
 * Byte offsets in what is kept of each CPU's last refusal: the event between two stamps, each its time. A task may be
 * stopped while it writes, and another write meanwhile: then they differ.
 */
export const LAST = {
  before: 0,
  event: 8,
  after: 8 + EVENT.bytes,
  bytes: 16 + EVENT.bytes,
} as const;

export const NO_COUNTER = 0xffff_ffff;
export const NO_ID = 0xffff_ffff;
