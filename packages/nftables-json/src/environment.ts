/** Expressions that read what the kernel knows about a packet beside its bytes. */
import type { z } from 'zod';
import {
  byType,
  integer,
  list,
  type OneOrMore,
  optional,
  record,
  text,
  type Word,
  word,
} from './schema.js';

/** The families that an address can have. */
export type AddressFamily = 'ip' | 'ip6';

export const addressFamily = word('ip', 'ip6');

/** What the kernel notes about a packet: interfaces, mark, owner, time. */
export interface Meta {
  readonly key: Word<
    | 'length'
    | 'protocol'
    | 'nfproto'
    | 'l4proto'
    | 'priority'
    | 'mark'
    | 'random'
    | 'secmark'
    | 'iif'
    | 'iifname'
    | 'iiftype'
    | 'iifkind'
    | 'iifgroup'
    | 'oif'
    | 'oifname'
    | 'oiftype'
    | 'oifkind'
    | 'oifgroup'
    | 'sdif'
    | 'sdifname'
    | 'skuid'
    | 'skgid'
    | 'nftrace'
    | 'rtclassid'
    | 'pkttype'
    | 'cpu'
    | 'cgroup'
    | 'ipsec'
    | 'secpath'
    | 'broute'
    | 'time'
    | 'day'
    | 'hour'
    | 'ibriport'
    | 'ibrname'
    | 'ibrpvid'
    | 'ibrvproto'
    | 'ibrhwaddr'
    | 'ibridgename'
    | 'obriport'
    | 'obrname'
    | 'obridgename'
  >;
}

/** The route of a packet. */
export interface Route {
  readonly key: Word<'classid' | 'nexthop' | 'mtu' | 'ipsec'>;
  readonly family?: AddressFamily;
}

/** The connection that a packet belongs to. */
export interface Conntrack {
  readonly key: Word<
    | 'state'
    | 'direction'
    | 'status'
    | 'mark'
    | 'expiration'
    | 'helper'
    | 'label'
    | 'l3proto'
    | 'saddr'
    | 'daddr'
    | 'ip saddr'
    | 'ip daddr'
    | 'ip6 saddr'
    | 'ip6 daddr'
    | 'protocol'
    | 'proto-src'
    | 'proto-dst'
    | 'bytes'
    | 'packets'
    | 'avgpkt'
    | 'zone'
    | 'event'
    | 'id'
    | 'secmark'
    | 'count'
  >;
  readonly family?: AddressFamily;
  readonly dir?: 'original' | 'reply';
}

/**
 * The socket that a packet belongs to. Of `cgroupv2` the level is lost in JSON, and no nft up to 1.1
 * takes it back.
 */
export interface Socket {
  readonly key: Word<'transparent' | 'mark' | 'wildcard' | 'cgroupv2'>;
  /** Of cgroupv2, 1 for a control group at the top. Not nft's: `readCgroupLevels` fills it in, and it is printed. */
  readonly level?: number;
}

/** The operating system that a packet's form gives away. */
export interface OsFingerprint {
  readonly key: Word<'name' | 'version'>;
  readonly ttl?: Word<'loose' | 'skip'>;
}

/** What the routing tables say of an address. */
export interface Fib {
  readonly result: Word<'oif' | 'oifname' | 'type' | 'check'>;
  /** A number for flags that the nft that printed it had no word for. */
  readonly flags?: OneOrMore<Word<'saddr' | 'daddr' | 'mark' | 'iif' | 'oif'> | number>;
}

/** The IPsec transformation of a packet. */
export interface Ipsec {
  readonly key: Word<'saddr' | 'daddr' | 'reqid' | 'spi'>;
  readonly family?: AddressFamily;
  readonly dir?: 'in' | 'out';
  /** Which of nested transformations, from 0. */
  readonly spnum?: number;
}

/** What a tunnel device noted about a packet. */
export interface TunnelKey {
  readonly key: Word<'path' | 'id'>;
}

/** A number that goes up or is random. */
export interface NumberGenerator {
  readonly mode: Word<'inc' | 'random'>;
  readonly mod: number;
  readonly offset?: number;
}

/** A hash that is the same in both directions of a connection. */
export interface SymmetricHash {
  readonly mod: number;
  readonly offset?: number;
}

export interface EnvironmentBodies {
  readonly meta: Meta;
  readonly rt: Route;
  readonly ct: Conntrack;
  readonly socket: Socket;
  readonly osf: OsFingerprint;
  readonly fib: Fib;
  readonly ipsec: Ipsec;
  readonly tunnel: TunnelKey;
  readonly numgen: NumberGenerator;
  readonly symhash: SymmetricHash;
}

const fibFlag = byType<string | number>({ string: text, number: integer });

export const environmentBodies: {
  readonly [K in keyof EnvironmentBodies]: z.ZodType<EnvironmentBodies[K]>;
} = {
  meta: record<Meta>({ key: text }),
  rt: record<Route>({ key: text, family: optional(addressFamily) }),
  ct: record<Conntrack>({
    key: text,
    family: optional(addressFamily),
    dir: optional(word('original', 'reply')),
  }),
  socket: record<Socket>({ key: text, level: optional(integer) }),
  osf: record<OsFingerprint>({ key: text, ttl: optional(text) }),
  fib: record<Fib>({
    result: text,
    flags: optional(byType<OneOrMore<string | number>>({ string: text, array: list(fibFlag) })),
  }),
  ipsec: record<Ipsec>({
    key: text,
    family: optional(addressFamily),
    dir: optional(word('in', 'out')),
    spnum: optional(integer),
  }),
  tunnel: record<TunnelKey>({ key: text }),
  numgen: record<NumberGenerator>({ mode: text, mod: integer, offset: optional(integer) }),
  symhash: record<SymmetricHash>({ mod: integer, offset: optional(integer) }),
};
