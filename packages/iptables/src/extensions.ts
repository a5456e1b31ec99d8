/** Every match and target of iptables 1.8.9 that sockfilter has not, with the reason that a user is told. */

export interface Extension {
  /** Completes `match X is not available: ...`. */
  readonly reason: string;
  /** Its options by long name: after a refusal they are not looked at. */
  readonly options: readonly string[];
}

type Extensions = Readonly<Record<string, Extension>>;

const LATER = 'sockfilter does not have it yet';
const NO_STATE = 'a socket call is judged by itself: there is no connection to track';
const NO_CONNECTION_MARK = 'a socket call has no connection, and so no mark of one';
const NO_HEADER = 'a socket call has no packet header yet';
const NO_IPSEC = 'what IPsec does to a packet comes after the socket call';
const NO_ROUTE = 'there is no route yet when a socket call is judged';
const NO_WAIT = 'a socket call can not wait for a program';
const NO_PACKET = 'a socket call is no packet: it is allowed or refused';
const NO_SOURCE =
  'a hook gives connect(2) a source only by binding the socket, for good, also if the call fails; MARK in CONNECT and a route with `src` choose one';
const UNSEEN = (protocol: string) => `the kernel shows ${protocol} sockets to no hook`;

const ext = (reason: string, options = ''): Extension => ({
  reason,
  options: options.split(' ').filter((name) => name !== ''),
});

const PORTS = 'source-port sport destination-port dport';

/** Matches of iptables that there are not, and why. @internal */
export const UNAVAILABLE_MATCHES: Extensions = {
  ah: ext(NO_IPSEC, 'ahspi ahlen ahres'),
  bpf: ext('what a program of yours matches could not be analysed', 'bytecode object-pinned'),
  cluster: ext(
    NO_STATE,
    'cluster-total-nodes cluster-local-node cluster-local-nodemask cluster-hash-seed',
  ),
  connbytes: ext(NO_STATE, 'connbytes connbytes-dir connbytes-mode'),
  connlabel: ext(NO_STATE, 'label set'),
  connlimit: ext(
    `${LATER}: it judges calls, and counts no connections that live; \`-m hashlimit\` limits how often peers call`,
    'connlimit-upto connlimit-above connlimit-mask connlimit-saddr connlimit-daddr',
  ),
  connmark: ext(NO_CONNECTION_MARK, 'mark'),
  conntrack: ext(
    NO_STATE,
    'ctstate ctproto ctorigsrc ctorigdst ctreplsrc ctrepldst ctorigsrcport ctorigdstport ctreplsrcport ctrepldstport ctstatus ctexpire ctdir',
  ),
  cpu: ext('which CPU a call runs on says nothing about the call', 'cpu'),
  dccp: ext(UNSEEN('dccp'), `${PORTS} dccp-types dccp-option`),
  devgroup: ext(NO_ROUTE, 'src-group dst-group'),
  dscp: ext(NO_HEADER, 'dscp dscp-class'),
  dst: ext(NO_HEADER, 'dst-len dst-opts'),
  ecn: ext(NO_HEADER, 'ecn-tcp-cwr ecn-tcp-ece ecn-ip-ect'),
  esp: ext(NO_IPSEC, 'espspi'),
  eui64: ext('a socket call has no MAC address'),
  frag: ext('a socket call has no fragments', 'fragid fraglen fragres fragfirst fragmore fraglast'),
  hbh: ext(NO_HEADER, 'hbh-len hbh-opts'),
  helper: ext(NO_STATE, 'helper'),
  hl: ext(NO_HEADER, 'hl-eq hl-lt hl-gt'),
  icmp: ext('a socket call has no ICMP type', 'icmp-type'),
  icmp6: ext('a socket call has no ICMP type', 'icmpv6-type'),
  ipcomp: ext(NO_IPSEC, 'ipcompspi compres'),
  ipv6header: ext(NO_HEADER, 'header soft'),
  ipvs: ext(NO_STATE, 'ipvs vproto vaddr vport vdir vmethod vportctl'),
  length: ext('a socket call has no length', 'length'),
  mac: ext('a socket call has no MAC address', 'mac-source'),
  mh: ext(NO_HEADER, 'mh-type'),
  nfacct: ext('the counters of nfacct are of packets: each rule counts its calls', 'nfacct-name'),
  osf: ext(NO_HEADER, 'genre ttl log'),
  physdev: ext(
    'a socket call crosses no bridge',
    'physdev-in physdev-out physdev-is-in physdev-is-out physdev-is-bridged',
  ),
  pkttype: ext(NO_PACKET, 'pkt-type'),
  policy: ext(NO_IPSEC, 'dir pol strict reqid spi proto mode tunnel-src tunnel-dst next'),
  rateest: ext(
    'there is no estimator of packet rates to ask',
    'rateest rateest1 rateest2 rateest-delta rateest-bps rateest-bps1 rateest-bps2 rateest-pps rateest-pps1 rateest-pps2 rateest-lt rateest-gt rateest-eq',
  ),
  realm: ext(NO_ROUTE, 'realm'),
  recent: ext(
    `${LATER}; \`-m hashlimit\` limits how often an address calls, and a set with \`timeout\` holds what \`sockfilter set add\` puts in`,
    'name set rcheck update remove seconds reap hitcount rttl mask rsource rdest',
  ),
  rpfilter: ext(NO_ROUTE, 'loose validmark accept-local invert'),
  rt: ext(NO_HEADER, 'rt-type rt-segsleft rt-len rt-0-res rt-0-addrs rt-0-not-strict'),
  sctp: ext(UNSEEN('sctp'), `${PORTS} chunk-types`),
  srh: ext(
    NO_HEADER,
    'srh-next-hdr srh-hdr-len-eq srh-hdr-len-gt srh-hdr-len-lt srh-segs-left-eq srh-segs-left-gt srh-segs-left-lt srh-last-entry-eq srh-last-entry-gt srh-last-entry-lt srh-tag srh-psid srh-nsid srh-lsid',
  ),
  state: ext(NO_STATE, 'state'),
  string: ext('a socket call has no payload', 'from to algo string hex-string icase'),
  tcpmss: ext(NO_HEADER, 'mss'),
  tos: ext(NO_HEADER, 'tos'),
  ttl: ext(NO_HEADER, 'ttl-eq ttl-lt ttl-gt'),
  u32: ext('a socket call has no payload', 'u32'),
};

const MARKS = 'set-xmark set-mark and-mark or-mark xor-mark';

/** Targets of iptables that there are not, and why. @internal */
export const UNAVAILABLE_TARGETS: Extensions = {
  AUDIT: ext(LATER, 'type'),
  CHECKSUM: ext(NO_HEADER, 'checksum-fill'),
  CLASSIFY: ext(NO_PACKET, 'set-class'),
  CLUSTERIP: ext(NO_PACKET, 'new hashmode clustermac total-nodes local-node hash-init'),
  CONNMARK: ext(
    NO_CONNECTION_MARK,
    `${MARKS} save-mark restore-mark nfmask ctmask mask left-shift-mark right-shift-mark`,
  ),
  CONNSECMARK: ext(NO_CONNECTION_MARK, 'save restore'),
  CT: ext(NO_STATE, 'helper timeout ctevents expevents zone zone-orig zone-reply notrack'),
  DNPT: ext(LATER, 'src-pfx dst-pfx'),
  DSCP: ext(NO_HEADER, 'set-dscp set-dscp-class'),
  ECN: ext(NO_HEADER, 'ecn-tcp-remove'),
  HL: ext(NO_HEADER, 'hl-set hl-dec hl-inc'),
  HMARK: ext(
    NO_PACKET,
    'hmark-tuple hmark-mod hmark-offset hmark-src-prefix hmark-dst-prefix hmark-sport hmark-dport hmark-spi hmark-sport-mask hmark-dport-mask hmark-spi-mask hmark-proto-mask hmark-rnd',
  ),
  IDLETIMER: ext(NO_PACKET, 'timeout label alarm'),
  LED: ext(NO_PACKET, 'led-trigger-id led-delay led-always-blink'),
  MASQUERADE: ext(NO_ROUTE, 'to-ports random random-fully'),
  NETMAP: ext(LATER, 'to'),
  NFQUEUE: ext(NO_WAIT, 'queue-num queue-balance queue-bypass queue-cpu-fanout'),
  NOTRACK: ext(NO_STATE),
  QUEUE: ext(NO_WAIT),
  RATEEST: ext(NO_PACKET, 'rateest-name rateest-interval rateest-ewmalog'),
  SECMARK: ext(NO_PACKET, 'selctx'),
  SET: ext(LATER, 'add-set del-set map-set timeout exist map-mark map-prio map-queue'),
  SNAT: ext(NO_SOURCE, 'to-source random random-fully persistent'),
  SNPT: ext(NO_SOURCE, 'src-pfx dst-pfx'),
  SYNPROXY: ext(NO_PACKET, 'mss wscale sack-perm timestamp ecn'),
  TCPMSS: ext(NO_HEADER, 'set-mss clamp-mss-to-pmtu'),
  TCPOPTSTRIP: ext(NO_HEADER, 'strip-options'),
  TEE: ext(NO_PACKET, 'gateway oif'),
  TOS: ext(NO_HEADER, 'set-tos and-tos or-tos xor-tos'),
  TPROXY: ext('it is for packets that are forwarded', 'on-port on-ip tproxy-mark'),
  TTL: ext(NO_HEADER, 'ttl-set ttl-dec ttl-inc'),
  ULOG: ext(LATER, 'ulog-nlgroup ulog-prefix ulog-cprange ulog-qthreshold'),
};

export interface UnavailableOption {
  readonly reason: string;
  readonly help?: string;
  readonly words: number;
}

const NO_COUNTERS =
  'rules do not ask what elements have counted: a set with `counters` counts every call that finds one';
const RATE_MATCH =
  'it is for rates that are measured, and buckets say exactly which calls are above';
const GONE = 'iptables itself has it no more';

/** Options of what sockfilter has, by long name; short names lead here too. */
export const UNAVAILABLE_OPTIONS: Readonly<Record<string, UnavailableOption>> = {
  fragment: { reason: 'a socket call has no fragments', words: 0 },
  'tcp-option': { reason: 'a socket call has no TCP options', words: 1 },
  'limit-iface-in': { reason: NO_ROUTE, words: 0 },
  'limit-iface-out': { reason: NO_ROUTE, words: 0 },
  'icmp-type': { reason: 'a socket call has no ICMP type', words: 1 },
  'icmpv6-type': { reason: 'a socket call has no ICMP type', words: 1 },
  cgroup: {
    reason: 'the class ids of net_cls belong to cgroup v1',
    help: 'control groups of cgroup2 are matched by their network_id or path',
    words: 1,
  },
  'socket-exists': { reason: 'every socket call has a socket', words: 0 },
  'suppl-groups': { reason: 'the hooks see no supplementary groups', words: 0 },
  'pid-owner': { reason: GONE, help: 'match a control group in the stead of a process', words: 1 },
  'sid-owner': { reason: GONE, help: 'match a control group in the stead of a session', words: 1 },
  'cmd-owner': { reason: GONE, help: 'match a control group in the stead of a command', words: 1 },
  exe: {
    reason: LATER,
    help: 'match its control group, its owner, or the name that it gives itself by `--comm`',
    words: 1,
  },
  transparent: { reason: LATER, words: 0 },
  nowildcard: { reason: 'BIND and the addresses tell the wildcard apart', words: 0 },
  'restore-skmark': { reason: 'a socket call is no packet that could take a mark', words: 0 },
  'hashlimit-rate-match': { reason: RATE_MATCH, words: 0 },
  'hashlimit-rate-interval': { reason: RATE_MATCH, words: 1 },
  'log-tcp-sequence': { reason: 'a socket call has no TCP sequence number yet', words: 0 },
  'log-tcp-options': { reason: 'a socket call has no TCP options', words: 0 },
  'log-ip-options': { reason: 'a socket call has no IP header yet', words: 0 },
  'log-macdecode': { reason: 'a socket call has no MAC address', words: 0 },
  'nflog-size': { reason: 'a socket call has no bytes that could be copied', words: 1 },
  'nflog-range': { reason: 'it has never worked in iptables, which drops it', words: 1 },
  'nflog-threshold': { reason: 'each event goes to its readers at once', words: 1 },
  'update-counters': { reason: NO_COUNTERS, words: 0 },
  'update-subcounters': { reason: NO_COUNTERS, words: 0 },
  'packets-eq': { reason: NO_COUNTERS, words: 1 },
  'packets-lt': { reason: NO_COUNTERS, words: 1 },
  'packets-gt': { reason: NO_COUNTERS, words: 1 },
  'bytes-eq': { reason: NO_COUNTERS, words: 1 },
  'bytes-lt': { reason: NO_COUNTERS, words: 1 },
  'bytes-gt': { reason: NO_COUNTERS, words: 1 },
  modprobe: { reason: 'sockfilter loads no kernel modules', words: 1 },
};

export const UNAVAILABLE_SHORT: Readonly<Record<string, string>> = {
  f: 'fragment',
  M: 'modprobe',
};

function find(extensions: Extensions, name: string): Extension | undefined {
  return Object.hasOwn(extensions, name) ? extensions[name] : undefined;
}

export function unavailableMatch(name: string): Extension | undefined {
  return find(UNAVAILABLE_MATCHES, name);
}

export function unavailableTarget(name: string): Extension | undefined {
  return find(UNAVAILABLE_TARGETS, name);
}

/** `-j TCPMSS` and why it is not to be had, for the option that is one of its own. */
export function unavailableOwner(
  option: string,
): { readonly name: string; readonly reason: string } | undefined {
  for (const [flag, extensions] of [
    ['-m', UNAVAILABLE_MATCHES],
    ['-j', UNAVAILABLE_TARGETS],
  ] as const)
    for (const [name, { reason, options }] of Object.entries(extensions))
      if (options.includes(option)) return { name: `${flag} ${name}`, reason };
  return undefined;
}
