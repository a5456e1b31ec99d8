/** Expressions that read a packet's headers, options and extension headers. */
import type { z } from 'zod';
import { integer, optional, record, text, type Word, when } from './schema.js';

/** A field of a header by name; `tunnel` where the header is inside of one. */
export interface PayloadField {
  readonly protocol: Word<
    | 'ether'
    | 'vlan'
    | 'arp'
    | 'ip'
    | 'icmp'
    | 'igmp'
    | 'ip6'
    | 'icmpv6'
    | 'ah'
    | 'esp'
    | 'comp'
    | 'udp'
    | 'udplite'
    | 'tcp'
    | 'dccp'
    | 'sctp'
    | 'th'
    | 'gre'
    | 'gretap'
    | 'vxlan'
    | 'geneve'
  >;
  readonly field: string;
  readonly tunnel?: Word<'vxlan' | 'geneve' | 'gre' | 'gretap'>;
}

/** Bits of a packet by their place; offset and length in bits. */
export interface RawPayload {
  /** Link layer, network, transport or inner header. */
  readonly base: Word<'ll' | 'nh' | 'th' | 'ih'>;
  readonly offset: number;
  readonly len: number;
}

export type Payload = PayloadField | RawPayload;

/** A field of an IPv6 extension header; without a field, whether the header is there. */
export interface ExtensionHeader {
  readonly name: Word<'hbh' | 'rt' | 'rt0' | 'rt2' | 'srh' | 'frag' | 'dst' | 'mh'>;
  readonly field?: string;
  /** Which of the addresses of rt0. */
  readonly offset?: number;
}

/** A field of a TCP option by name; without a field, whether the option is there. */
export interface NamedTcpOption {
  readonly name: string;
  readonly field?: string;
}

/** Bits of the TCP option of the kind `base`; offset and length in bits. */
export interface RawTcpOption {
  readonly base: number;
  readonly offset: number;
  readonly len: number;
}

export type TcpOption = NamedTcpOption | RawTcpOption;

/** A field of an IPv4 option; without a field, whether the option is there. */
export interface IpOption {
  readonly name: Word<'lsrr' | 'ra' | 'rr' | 'ssrr'>;
  readonly field?: string;
}

/** A field of an SCTP chunk; without a field, whether the chunk is there. */
export interface SctpChunk {
  readonly name: string;
  readonly field?: string;
}

/** Whether the DCCP option of this number is there. */
export interface DccpOption {
  readonly type: number;
}

export interface PacketBodies {
  readonly payload: Payload;
  readonly exthdr: ExtensionHeader;
  readonly 'tcp option': TcpOption;
  readonly 'ip option': IpOption;
  readonly 'sctp chunk': SctpChunk;
  readonly 'dccp option': DccpOption;
}

export const packetBodies: { readonly [K in keyof PacketBodies]: z.ZodType<PacketBodies[K]> } = {
  payload: when(
    'base',
    record<RawPayload>({ base: text, offset: integer, len: integer }),
    record<PayloadField>({ protocol: text, field: text, tunnel: optional(text) }),
  ),
  exthdr: record<ExtensionHeader>({
    name: text,
    field: optional(text),
    offset: optional(integer),
  }),
  'tcp option': when(
    'base',
    record<RawTcpOption>({ base: integer, offset: integer, len: integer }),
    record<NamedTcpOption>({ name: text, field: optional(text) }),
  ),
  'ip option': record<IpOption>({ name: text, field: optional(text) }),
  'sctp chunk': record<SctpChunk>({ name: text, field: optional(text) }),
  'dccp option': record<DccpOption>({ type: integer }),
};
