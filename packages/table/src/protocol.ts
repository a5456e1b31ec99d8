/** Protocol numbers as IANA assigns them, for the protocols that rules treat by name. */
export const PROTOCOL = {
  icmp: 1,
  tcp: 6,
  udp: 17,
  dccp: 33,
  icmpv6: 58,
  sctp: 132,
  udplite: 136,
} as const;

/** The protocols whose packets carry ports, and that the hooks see. */
export const PORT_PROTOCOLS: readonly number[] = [PROTOCOL.tcp, PROTOCOL.udp, PROTOCOL.udplite];

/** The TCP flag that CONNECT and ACCEPT packets of tcp carry, and they alone. */
export const TCP_SYN = 0x02;
