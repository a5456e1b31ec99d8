/** What iptables has and sockfilter has not, each with the reason that a user is told. */

const NO_INTERFACE = 'a socket call has no interface';
const NO_MARK = 'a socket call has no packet mark';
const NO_STATE = 'a socket call is judged by itself: there is no connection to track';
const LATER = 'sockfilter does not have it yet';

export interface UnsupportedOption {
  readonly reason: string;
  readonly help?: string;
  readonly words: number;
}

/** By long name; short names lead here too. */
export const UNSUPPORTED_OPTIONS: Readonly<Record<string, UnsupportedOption>> = {
  'in-interface': { reason: NO_INTERFACE, words: 1 },
  'out-interface': { reason: NO_INTERFACE, words: 1 },
  fragment: { reason: 'a socket call has no fragments', words: 0 },
  'tcp-option': { reason: 'a socket call has no TCP options', words: 1 },
  'icmp-type': { reason: 'a socket call has no ICMP type', words: 1 },
  'icmpv6-type': { reason: 'a socket call has no ICMP type', words: 1 },
  cgroup: {
    reason: 'the class ids of net_cls belong to cgroup v1',
    help: 'match the network_id instead: `--id`',
    words: 1,
  },
  'socket-exists': { reason: 'every socket call has a socket', words: 0 },
  'suppl-groups': { reason: 'the hooks see no supplementary groups', words: 0 },
  'set-mark': { reason: NO_MARK, words: 1 },
};

export const UNSUPPORTED_SHORT: Readonly<Record<string, string>> = {
  i: 'in-interface',
  o: 'out-interface',
  f: 'fragment',
};

export const UNSUPPORTED_MATCHES: Readonly<Record<string, string>> = {
  addrtype: 'a socket call has no route',
  connbytes: NO_STATE,
  connlimit: NO_STATE,
  connmark: NO_MARK,
  conntrack: NO_STATE,
  dccp: 'the kernel shows dccp sockets to no hook',
  dscp: 'a socket call has no DSCP',
  hashlimit: LATER,
  icmp: 'a socket call has no ICMP type',
  icmp6: 'a socket call has no ICMP type',
  length: 'a socket call has no length',
  limit: LATER,
  mac: 'a socket call has no MAC address',
  mark: NO_MARK,
  physdev: NO_INTERFACE,
  quota: LATER,
  recent: LATER,
  sctp: 'the kernel shows sctp sockets to no hook',
  set: LATER,
  state: NO_STATE,
  statistic: LATER,
  string: 'a socket call has no payload',
  time: LATER,
  tos: 'a socket call has no TOS',
  ttl: 'a socket call has no TTL',
  u32: 'a socket call has no payload',
};

const NO_REWRITE = 'a socket call is allowed or refused, never rewritten';
const NO_LOG = 'sockfilter does not log yet; a rule without a target counts';

export const UNSUPPORTED_TARGETS: Readonly<Record<string, string>> = {
  CONNMARK: NO_MARK,
  DNAT: NO_REWRITE,
  LOG: NO_LOG,
  MARK: NO_MARK,
  MASQUERADE: NO_REWRITE,
  NFLOG: NO_LOG,
  NFQUEUE: 'a socket call can not wait for a program',
  NOTRACK: NO_STATE,
  QUEUE: 'a socket call can not wait for a program',
  REDIRECT: NO_REWRITE,
  SNAT: NO_REWRITE,
  TPROXY: NO_REWRITE,
};
