/** What the options of a match can be given: one type for each kind of value. */
import type { AddressType } from './addresstype.js';
import type { KeyField } from './bucketkey.js';
import type { Detail } from './details.js';
import type { RejectErrno } from './errno.js';
import type { Family } from './packet.js';
import type { Side } from './sets/settype.js';

/** Addresses from the one to the other. */
export interface AddressSpan {
  readonly family: Family;
  readonly first: bigint;
  readonly last: bigint;
}

/** Ports from the one to the other, from 1 on. */
export interface PortSpan {
  readonly first: number;
  readonly last: number;
}

export interface Values {
  /** Option without a value. */
  readonly none: Record<never, never>;
  /** Protocol number; 0 is every protocol. */
  readonly protocol: { readonly protocol: number };
  /** `address` has no bit outside `mask`; the mask may have holes. */
  readonly network: { readonly family: Family; readonly address: bigint; readonly mask: bigint };
  readonly addressRange: { readonly family: Family; readonly from: bigint; readonly to: bigint };
  /** Port numbers, both ends included. */
  readonly portRange: { readonly from: number; readonly to: number };
  /** Ports and port ranges in the order written. */
  readonly portList: { readonly ranges: readonly { readonly from: number; readonly to: number }[] };
  /** network_ids, both ends included. */
  readonly groupRange: { readonly from: number; readonly to: number };
  /** In the order of ADDRESS_TYPES. */
  readonly addressTypes: { readonly types: readonly AddressType[] };
  /** Absolute path of a control group below the cgroup2 mount, `/` for the root. */
  readonly groupPath: { readonly path: string };
  /** User or group ids, both ends included. */
  readonly ownerRange: { readonly from: number; readonly to: number };
  /** TCP flags: those of `mask` are looked at, those of `set` must be set among them. */
  readonly tcpFlags: { readonly mask: number; readonly set: number };
  readonly text: { readonly text: string };
  /** What a log line begins with. */
  readonly prefix: { readonly prefix: string };
  /** As in syslog(3), 0 to 7. */
  readonly logLevel: { readonly level: number };
  readonly errno: { readonly errno: RejectErrno };
  /** A number of something, 64 bits unsigned. */
  readonly count: { readonly count: bigint };
  /** One of the words that the option takes. */
  readonly word: { readonly word: string };
  /** `threshold` of 2^31 cases. */
  readonly probability: { readonly threshold: number };
  /** Seconds since midnight. */
  readonly timeOfDay: { readonly seconds: number };
  /** Seconds since 1970, as if all clocks went by one time zone. */
  readonly date: { readonly seconds: number };
  /** Bit n is day n: 1 for Monday to 7 for Sunday. */
  readonly weekdays: { readonly days: number };
  /** Bit n is day n, 1 to 31. */
  readonly monthdays: { readonly days: number };
  /** Marks of which the bits of `mask` are those of `value`; 32 bits each. */
  readonly mark: { readonly value: number; readonly mask: number };
  /** A mark becomes `(mark & ~mask) ^ value`; 32 bits each. */
  readonly xmark: { readonly value: number; readonly mask: number };
  /** What a destination becomes: an address, a port, or both; or one of several. */
  readonly endpoint: {
    readonly address: AddressSpan | undefined;
    readonly port: PortSpan | undefined;
  };
  /** The port that a destination gets, or several of which it gets one. */
  readonly toPort: PortSpan;
  /** Bits of a mark, 32. */
  readonly bits: { readonly bits: number };
  /** A detail of a call, in the words of its row. */
  readonly detail: { readonly detail: Detail; readonly word: string };
  /** A named set, and which end of the packet each part of its elements is compared with. */
  readonly setRef: { readonly set: string; readonly sides: readonly Side[] };
  /** What buckets are kept for, in the order of KEY_FIELDS. */
  readonly keyFields: { readonly fields: readonly KeyField[] };
  /** A name that means nothing else: 1 to 255 printable characters without blanks, quotes and `/`. */
  readonly label: { readonly label: string };
  /** `count` in each so many seconds, the shortest period in which it is a whole number. */
  readonly rate: { readonly count: number; readonly seconds: RatePeriod };
}

/** Periods that rates are given for, the shortest first: a second, a minute, an hour, a day. */
export const RATE_PERIODS = [1, 60, 3600, 86_400] as const;

export type RatePeriod = (typeof RATE_PERIODS)[number];

/** The highest uid and gid: 2^32-1 means "no id" to the kernel. */
export const MAX_OWNER_ID = 2 ** 32 - 2;

/** Marks have 32 bits. */
export const MAX_MARK = 2 ** 32 - 1;

export type ValueKind = keyof Values;

/** A value tagged with its kind. */
export type Value = { readonly [K in ValueKind]: { readonly kind: K } & Values[K] }[ValueKind];

export type ValueOf<K extends ValueKind> = Extract<Value, { readonly kind: K }>;

export function isValueOf<K extends ValueKind>(value: Value, kind: K): value is ValueOf<K> {
  return value.kind === kind;
}
