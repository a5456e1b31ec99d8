/**
 * Rulesets in nft's syntax, written for these tests, that together have everything which nft prints as
 * JSON. Each group is a table; its rules are in a chain of their own. What a kernel or an nft doesn't
 * have is left out by the test, and told.
 */

export interface Group {
  readonly name: string;
  readonly family: string;
  /** Of the base chain `c`; a plain chain if not given. */
  readonly hook?: string;
  /** What is in the table beside the chain. */
  readonly setup?: string;
  /** A rule a line, or a command of its own. */
  readonly rules: string;
}

const FILTER = 'type filter hook input priority filter; policy accept;';

export const GROUPS: readonly Group[] = [
  {
    name: 'ports and addresses',
    family: 'inet',
    hook: FILTER,
    rules: `
      accept
      drop
      tcp dport 22 accept
      tcp dport != 22 accept
      tcp dport > 1024 drop
      tcp dport >= 1024 drop
      tcp dport < 1024 drop
      tcp dport <= 1024 drop
      tcp dport 1000-2000 accept
      tcp dport != 1000-2000 accept
      tcp dport { 80, 443 } accept
      tcp dport != { 80, 443 } accept
      tcp dport { 22, 80-90, 443 } accept
      tcp sport 53 tcp dport 1024-65535 accept
      udp dport { 53, 67, 68 } accept
      udp sport 123 udp length 8-100 accept
      udp checksum 0 drop
      udplite dport 9000 accept
      udplite csumcov 8
      sctp dport 36412 accept
      sctp vtag 17
      dccp dport 5001 accept
      dccp type request drop
      dccp type { request, response, data } accept
      th dport 53 accept
      th sport { 1, 2, 3 } drop
      meta l4proto { tcp, udp } th dport 53 accept
      ip saddr 10.0.0.1 accept
      ip saddr != 10.0.0.1 accept
      ip saddr 10.0.0.0/8 accept
      ip daddr != 192.168.0.0/16 drop
      ip saddr 10.0.0.1-10.0.0.20 accept
      ip saddr { 10.0.0.1, 10.0.0.2 } accept
      ip saddr { 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16 } accept
      ip saddr { 10.0.0.1-10.0.0.9, 10.0.1.0/24 } drop
      ip saddr 10.0.0.1 ip daddr 10.0.0.2 tcp dport 80 accept
      ip6 saddr fe80::/10 accept
      ip6 daddr ::1 accept
      ip6 saddr { 2001:db8::1, 2001:db8:1::/48 } drop
      ip6 daddr 2001:db8::1-2001:db8::ff accept
      ip saddr 0.0.0.0/0 accept
      ip protocol tcp accept
      ip protocol { tcp, udp, icmp } accept
      ip protocol != tcp drop
      ip6 nexthdr tcp accept
      ip6 nexthdr { tcp, udp, ipv6-icmp } accept
      meta l4proto tcp accept
      meta l4proto 132
      meta nfproto ipv4 accept
      meta nfproto { ipv4, ipv6 } accept
      ah spi 100
      ah reserved 0
      ah sequence 5-9
      esp spi 100-200 accept
      esp sequence 22
      comp cpi 17
      comp flags 0x1
    `,
  },
  {
    name: 'headers',
    family: 'ip',
    hook: FILTER,
    rules: `
      ip version 4
      ip hdrlength 5
      ip dscp cs1
      ip dscp 0x38
      ip dscp { cs0, cs1, af11 }
      ip dscp != ef
      ip ecn ce
      ip ecn { ect0, ect1 }
      ip length 40-1500
      ip length { 40, 60-80 }
      ip id 22
      ip id != 233
      ip frag-off 0x2000
      ip frag-off & 0x1fff != 0
      ip ttl 64
      ip ttl { 1, 2, 255 }
      ip ttl > 64 drop
      ip checksum 13172
      ip saddr & 255.255.255.0 == 10.0.0.0
      ip saddr & 0.0.0.255 < 0.0.0.127
      icmp type echo-request accept
      icmp type { echo-reply, echo-request, destination-unreachable } accept
      icmp type != redirect
      icmp code port-unreachable
      icmp code 111
      icmp checksum 12343
      icmp id 1245
      icmp sequence 22-30
      icmp mtu 33
      icmp gateway 34
      icmp type destination-unreachable icmp code frag-needed
      igmp type membership-query
      igmp type { membership-report-v1, leave-group }
      igmp group 224.0.0.1
      igmp mrt != 10
      tcp flags syn
      tcp flags != syn
      tcp flags & syn == 0
      tcp flags & (fin | syn | rst | ack) == syn
      tcp flags & (fin | syn) == (fin | syn) drop
      tcp flags syn,ack
      tcp flags { syn, syn | ack }
      tcp flags cwr
      tcp flags syn / syn,ack,rst
      tcp sequence 5
      tcp ackseq 42949672
      tcp doff 8
      tcp window 4096-8192
      tcp urgptr 1234
      tcp checksum 22
      ip saddr . tcp dport { 10.0.0.1 . 22, 10.0.0.2 . 80 } accept
      ip saddr . ip daddr . tcp dport { 10.0.0.0/8 . 10.1.1.1 . 22-25 } accept
      @nh,96,32 0x0a000001
      @th,0,16 53
      @nh,8,8 & 0xfc == 0x20
      @ih,32,32 0x14000000
      @ll,0,1 1
      @nh,0,64 0x4500000000000000
      @th,0,16 { 22, 23 }
      ip option lsrr exists
      ip option ra value 0
      ip option rr type 1
      ip option ssrr missing
      tcp option maxseg exists
      tcp option maxseg size 536
      tcp option maxseg size 1-500
      tcp option maxseg size set rt mtu
      tcp option maxseg size set 1360
      tcp option sack-perm missing
      tcp option sack left 1
      tcp option sack1 left 1
      tcp option sack3 right 5
      tcp option window count 7
      tcp option timestamp tsval 1
      tcp option timestamp tsecr > 5
      tcp option fastopen exists
      tcp option md5sig exists
      tcp option mptcp exists
      tcp option mptcp subtype 1
      tcp option 255 missing
      tcp option 6 exists
      tcp option @255,8,8 255
      reset tcp option timestamp
      reset tcp option sack-perm
      sctp chunk data exists
      sctp chunk init num-inbound-streams 4
      sctp chunk sack cum-tsn-ack 5
      sctp chunk heartbeat missing
      osf name "Linux"
      osf ttl loose name "Windows"
      osf version "Linux:4.20"
      osf name { "Linux", "Windows" }
    `,
  },
  {
    name: 'headers of IPv6',
    family: 'ip6',
    hook: FILTER,
    rules: `
      ip6 version 6
      ip6 dscp cs1
      ip6 ecn ce
      ip6 flowlabel 22
      ip6 flowlabel 0-7
      ip6 length 22-233
      ip6 nexthdr udp
      ip6 hoplimit 1
      ip6 hoplimit { 1, 255 }
      ip6 saddr & ffff:: == 2001::
      ip6 daddr ::ffff:10.0.0.1
      icmpv6 type echo-request accept
      icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert, nd-router-advert } accept
      icmpv6 code no-route
      icmpv6 code 4
      icmpv6 mtu 1280
      icmpv6 id 2
      icmpv6 sequence 2
      icmpv6 max-delay 5
      icmpv6 type packet-too-big icmpv6 mtu 1280
      exthdr hbh exists
      exthdr frag missing
      hbh nexthdr tcp
      hbh hdrlength 4
      rt nexthdr { tcp, udp }
      rt type 0
      rt seg-left 2
      rt0 addr[1] 2001:db8::1
      rt4 last-entry 2
      frag nexthdr udp
      frag frag-off 22
      frag more-fragments 1
      frag id 33
      frag reserved2 1
      dst nexthdr esp
      dst hdrlength 1
      mh nexthdr tcp
      mh type binding-update
      mh type { home-test, binding-error }
      mh checksum 5
      srh last-entry 0
      srh tag 127
      srh sid[1] dead::beef
      meta nfproto ipv6
      rt nexthop 2001:db8::1
    `,
  },
  {
    name: 'meta',
    family: 'inet',
    hook: FILTER,
    rules: `
      meta length 1000
      meta length 33-45
      meta length { 33, 55, 67-88 }
      meta protocol ip
      meta protocol { ip, ip6 }
      meta protocol != arp
      meta priority bcad:dadd
      meta priority none
      meta priority set 1:2
      meta priority set root
      meta mark 0x4
      meta mark 5
      meta mark { 1, 2, 0xff }
      meta mark 1-10
      meta mark and 0x3 == 0x1
      meta mark & 0xff00 == 0x100
      meta mark and 0x03 != 0x01
      meta mark or 0x3 == 0x1
      meta mark xor 0x3 == 0x1
      meta mark set 0x10
      meta mark set meta mark and 0xffff
      meta mark set meta mark | 0x8
      meta mark set ct mark
      meta mark set tcp dport map { 22 : 1, 80 : 2 }
      meta iif lo accept
      iif "lo" accept
      iif != "lo" drop
      iifname "eth0" accept
      iifname "eth*"
      iifname { "eth0", "eth1" } accept
      iifname != { "eth0", "wg*" } drop
      oifname "dummy0"
      iifname "with space"
      iiftype ether
      iiftype { ether, ppp, loopback }
      oiftype != ether
      meta iifkind "veth"
      meta oifkind "bridge"
      iifgroup 5
      iifgroup default
      oifgroup { 11, 33 }
      meta sdif "lo" accept
      meta sdifname != "vrf1" accept
      meta cpu 1
      meta cpu 1-3
      meta cpu { 2, 3 }
      meta pkttype broadcast
      meta pkttype { broadcast, multicast }
      meta pkttype != host
      meta skuid 0
      meta skuid { 0, 1000 }
      meta skuid > 1000
      meta skuid 1000-2000
      meta skgid 100
      meta nftrace set 1
      meta nftrace 1
      meta rtclassid 123
      meta cgroup 1048577
      meta cgroup { 1048577, 1048578 }
      meta secpath exists
      meta ipsec missing
      meta random 5
      meta time "2030-01-02 03:04:05"
      meta time "2030-01-02 03:04:05"-"2031-01-02 03:04:05"
      meta time < "2030-01-02 00:00:00" drop
      meta day "Saturday"
      meta day { "Monday", "Friday" }
      meta hour "17:00"
      meta hour "17:00"-"19:15"
      meta hour < "08:00" drop
      meta pkttype set host
      notrack
      rt classid 5
      rt classid "cosmos"
      rt ip nexthop 10.0.0.1
      rt ip6 nexthop fd00::1
      rt mtu > 1280
      rt ipsec exists
      socket transparent 1
      socket transparent 0
      socket mark 0x5
      socket mark { 1, 2 }
      socket wildcard 1
      numgen inc mod 2 == 0
      numgen random mod 16 < 4 drop
      numgen inc mod 10 offset 7 > 5
      jhash ip saddr mod 2 0
      jhash ip saddr mod 2 seed 0xdeadbeef offset 100 vmap { 100 : accept, 101 : drop }
      jhash ip saddr . tcp dport mod 5 > 2
      symhash mod 2 offset 100 == 100
      symhash mod 4 vmap { 0 : accept, 1 : drop }
      meta mark set numgen inc mod 2 offset 100
      meta mark set jhash ip saddr mod 8 seed 0x5
      fib saddr oif lo
      fib saddr . iif oif missing drop
      fib saddr . iif oif exists accept
      fib daddr type local accept
      fib daddr . iif type { local, broadcast, multicast } accept
      fib daddr type != unicast drop
      fib saddr . mark oifname "eth0"
      fib daddr . iif type vmap { local : accept, blackhole : drop }
      ipsec in reqid 1
      ipsec out spi 0x10
      ipsec in spnum 1 ip saddr 10.0.0.1
      ipsec out ip6 daddr fd00::1
    `,
  },
  {
    name: 'connections',
    family: 'inet',
    hook: FILTER,
    setup: `
      ct helper ftp { type "ftp" protocol tcp; l3proto inet; }
      ct timeout patient { protocol tcp; l3proto ip; policy = { established : 123, close : 12 }; }
      ct timeout plain { protocol udp; l3proto ip; policy = { replied : 10, unreplied : 5 }; }
      ct expectation later { protocol tcp; dport 9876; timeout 2m; size 12; l3proto ip; }
    `,
    rules: `
      ct state established
      ct state established,related accept
      ct state invalid drop
      ct state new
      ct state != new
      ct state ! invalid
      ct state ! new,untracked
      ct state { new, established }
      ct state vmap { invalid : drop, established : accept, related : accept }
      ct state new,untracked
      ct direction original
      ct direction { original, reply }
      ct status snat
      ct status assured,dnat
      ct status ! dnat
      ct status expected,seen-reply,assured
      ct mark 0x32
      ct mark != 0x32
      ct mark { 1, 2 }
      ct mark 0x10-0x20
      ct mark & 0x1 == 1
      ct mark or 0x23 == 0x11
      ct mark set 0x11
      ct mark set meta mark
      ct mark set ct mark or 0x1
      ct mark set meta mark map { 1 : 10, 2 : 20 }
      ct expiration 30s
      ct expiration 22-233
      ct expiration > 4d23h59m59s
      ct expiration { 30s, 5m }
      ct helper "ftp"
      ct helper set "ftp"
      ct label 127
      ct label set 3
      ct zone 1
      ct zone set 5
      ct original zone 4
      ct l3proto ipv4
      ct original l3proto ipv4
      ct reply l3proto ipv6
      ct original protocol tcp
      ct protocol tcp
      ct original ip saddr 10.0.0.1
      ct reply ip saddr 10.0.0.0/8
      ct original ip daddr { 10.0.0.1, 10.0.0.2 }
      ct original ip6 saddr fd00::1
      ct reply ip6 daddr fd00::/64
      meta l4proto tcp ct original proto-src 1024
      ip protocol udp ct reply proto-dst 80
      meta l4proto tcp ct original proto-dst { 80, 443 }
      ct bytes > 100000
      ct original bytes 100
      ct reply packets 1-10
      ct packets != 5
      ct avgpkt > 200
      ct original avgpkt < 500
      ct event set new,related,destroy
      ct id 12345
      ct count 10 accept
      ct count over 20 drop
      ct timeout set "patient"
      ct expectation set "later"
    `,
  },
  {
    name: 'state',
    family: 'inet',
    hook: FILTER,
    setup: `
      counter hits { }
      counter full { packets 5 bytes 600; }
      counter told { comment "what came"; }
      quota q { over 25 mbytes; }
      quota upto { 10 kbytes; }
      limit lim { rate 400/hour; }
      limit fast { rate over 1024 kbytes/second burst 512 bytes; }
      limit bursts { rate 10/second burst 7 packets; }
    `,
    rules: `
      counter
      counter packets 10 bytes 1000
      counter name "hits"
      counter name tcp dport map { 80 : "hits", 443 : "full" }
      quota 1025 bytes
      quota over 25 mbytes drop
      quota until 1000 kbytes
      quota name "q"
      quota name tcp dport map { 80 : "q", 443 : "upto" }
      limit rate 400/second
      limit rate 400/minute
      limit rate over 400/hour drop
      limit rate 10/day burst 20 packets
      limit rate 3/week
      limit rate 1 kbytes/second
      limit rate 1025 bytes/second burst 512 bytes
      limit rate over 10 mbytes/minute burst 2 mbytes drop
      limit name "lim"
      limit name ip saddr map { 10.0.0.1 : "lim", 10.0.0.2 : "fast" }
      tcp dport 22 counter limit rate 3/minute accept comment "ssh"
      accept comment "a comment"
      accept comment "with 'single' and # sign"
      log
      log prefix "dropped: "
      log prefix "lvl" level debug
      log level emerg
      log level audit
      log level warn
      log group 2
      log group 2 snaplen 33
      log group 2 queue-threshold 22
      log prefix "nf" group 1 snaplen 10 queue-threshold 5
      log flags all
      log flags tcp sequence
      log flags tcp options
      log flags ip options
      log flags skuid
      log flags ether
      log flags tcp sequence,options flags ip options flags skuid
      log prefix "x" level info flags skuid flags ether
      last
      queue
      queue num 2
      queue num 2-3
      queue num 2-3 bypass
      queue flags bypass,fanout to 1-4
      queue to symhash mod 4
      queue flags bypass to numgen inc mod 3
      reject
      reject with icmp host-unreachable
      reject with icmp type port-unreachable
      reject with icmpv6 addr-unreachable
      reject with icmpx admin-prohibited
      reject with icmpx port-unreachable
      reject with tcp reset
      meta l4proto tcp reject with tcp reset
      ip protocol tcp reject with icmp net-prohibited
      synproxy
      synproxy mss 1460 wscale 7
      synproxy mss 1460 wscale 7 timestamp sack-perm
      synproxy timestamp
    `,
  },
  {
    name: 'synproxy objects',
    family: 'inet',
    hook: FILTER,
    setup:
      'synproxy sp { mss 1460; wscale 7; timestamp sack-perm; }\n synproxy sp2 { mss 1400; wscale 5; }',
    rules: `
      synproxy name "sp"
      synproxy name ip saddr map { 10.0.0.0/8 : "sp", 192.168.0.0/16 : "sp2" }
    `,
  },
  {
    name: 'jumps',
    family: 'inet',
    setup: 'chain other { counter; }\n chain third { return; }',
    rules: `
      jump other
      goto third
      return
      continue
      tcp dport vmap { 22 : jump other, 80 : goto third, 443 : accept, 25 : drop, 1-9 : return }
      ip saddr vmap { 10.0.0.0/8 : accept, 192.168.0.1 : drop }
      ip saddr . tcp dport vmap { 10.0.0.1 . 22 : accept, 10.0.0.2 . 80-90 : jump other }
      meta l4proto vmap { tcp : jump other, udp : drop }
      iifname vmap { "lo" : accept, "eth0" : jump other }
      tcp dport 22 jump other
      ip protocol vmap { tcp : accept, udp : continue }
    `,
  },
  {
    name: 'implicit chains',
    family: 'inet',
    hook: FILTER,
    rules: `
      tcp dport 22 jump { ip saddr 10.0.0.1 accept; drop; }
      iifname "eth0" goto { counter; accept; }
    `,
  },
  {
    name: 'changes of packets',
    family: 'ip',
    hook: 'type filter hook prerouting priority mangle;',
    rules: `
      ip dscp set cs1
      ip dscp set 0x10
      ip ecn set ect0
      ip ttl set 65
      ip id set 0
      ip saddr set 10.0.0.1
      ip daddr set 10.0.0.2 notrack
      tcp dport set 8080
      tcp sport set 2000
      tcp dport set tcp sport map { 22 : 2222, 80 : 8080 }
      udp checksum set 0
      tcp window set 5
      @th,16,16 set 5
      @nh,64,8 set 0x40
      icmp code set 5
      meta l4proto tcp tproxy to 127.0.0.1
      meta l4proto udp tproxy to :50080
      meta l4proto tcp tproxy to 127.0.0.1:50080
      tcp dport 80 tproxy to 127.0.0.1:50080 accept
      dup to 10.0.0.9
      dup to 10.0.0.9 device "lo"
      dup to ip saddr map { 10.0.0.1 : 10.0.0.2 }
      ct zone set 7
      meta mark set ip dscp map { cs1 : 1, cs2 : 2 }
      meta mark set ip saddr map { 10.0.0.0/8 : 1, 192.168.0.0/16 : 2 }
    `,
  },
  {
    name: 'translation',
    family: 'ip',
    hook: 'type nat hook postrouting priority srcnat;',
    setup: `
      map names { type ipv4_addr : ipv4_addr; elements = { 10.0.0.1 : 192.0.2.1 } }
      map both { type ipv4_addr : ipv4_addr . inet_service; elements = { 10.0.0.1 : 192.0.2.1 . 80 } }
    `,
    rules: `
      masquerade
      masquerade random
      masquerade fully-random,persistent
      meta l4proto tcp masquerade to :1024
      tcp dport 80 masquerade to :1024-2048 random
      snat to 192.0.2.1
      snat to 192.0.2.1-192.0.2.9
      tcp dport 80 snat to 192.0.2.1:1024-2048
      udp dport 53 snat to 192.0.2.1-192.0.2.9:1024-65535 random,persistent
      snat to 192.0.2.1 fully-random
      snat to ip saddr map { 10.0.0.1 : 192.0.2.1, 10.0.0.2 : 192.0.2.2 }
      snat to ip saddr map @names
      meta l4proto tcp snat ip addr . port to ip saddr map { 10.0.0.1 : 192.0.2.1 . 80 }
      meta l4proto { tcp, udp } snat ip addr . port to ip saddr map @both
      snat ip prefix to ip saddr map { 10.141.11.0/24 : 192.168.2.0/24 }
      snat to numgen inc mod 2 map { 0 : 192.0.2.1, 1 : 192.0.2.2 }
      snat to jhash ip saddr mod 2 map { 0 : 192.0.2.1, 1 : 192.0.2.2 }
    `,
  },
  {
    name: 'translation of destinations',
    family: 'inet',
    hook: 'type nat hook prerouting priority dstnat;',
    rules: `
      tcp dport 80 redirect
      tcp dport 80 redirect to :8080
      udp dport 53 redirect to :5300-5310 random
      tcp dport 80-90 redirect to :1000-1010 fully-random,persistent
      meta l4proto tcp redirect to tcp dport map { 22 : 8000, 80 : 8080 }
      dnat ip to 10.0.0.1
      iifname "eth0" dnat ip to 10.0.0.1-10.0.0.9
      tcp dport 80 dnat ip to 10.0.0.1:8080
      tcp dport 80 dnat ip6 to [fd00::1]:8080
      tcp dport 80 dnat ip6 to [fd00::1-fd00::9]:8080-8090
      dnat ip6 to fd00::1
      dnat ip to tcp dport map { 80 : 10.0.0.1, 443 : 10.0.0.2 }
      dnat ip addr . port to tcp dport map { 80 : 10.0.0.1 . 8080, 443 : 10.0.0.2 . 8443 }
      dnat ip to ip saddr . tcp dport map { 10.0.0.1 . 80 : 10.0.0.2 }
      dnat ip to numgen random mod 3 map { 0 : 10.0.0.1, 1 : 10.0.0.2, 2 : 10.0.0.3 }
    `,
  },
  {
    name: 'routes',
    family: 'ip',
    hook: 'type route hook output priority mangle;',
    rules: `
      ip daddr 10.0.0.0/8 meta mark set 0x5
      meta skuid 1000 meta mark set 7
      rt nexthop 192.168.0.1
      rt mtu 1400
      tcp option maxseg size set rt mtu
      oif "lo" accept
      socket cgroupv2 level 1 "system.slice"
    `,
  },
  {
    name: 'ARP',
    family: 'arp',
    hook: FILTER,
    rules: `
      arp htype 1
      arp ptype ip
      arp ptype 0x0800
      arp hlen 6
      arp plen 4
      arp operation request
      arp operation { request, reply }
      arp operation != inreply
      arp saddr ip 10.0.0.1
      arp daddr ip { 10.0.0.1, 10.0.0.2 }
      arp saddr ether aa:bb:cc:aa:bb:cc drop
      arp daddr ether aa:bb:cc:aa:bb:cc
      meta iifname "eth0" accept
    `,
  },
  {
    name: 'bridge',
    family: 'bridge',
    hook: FILTER,
    rules: `
      ether saddr 00:0f:54:0c:11:04 accept
      ether daddr { 00:0f:54:0c:11:04, 00:0f:54:0c:11:05 } drop
      ether saddr & ff:ff:ff:00:00:00 == 00:0f:54:00:00:00
      ether type ip
      ether type { ip, ip6, arp, vlan }
      ether type 0x88cc
      ether type vlan
      vlan id 4094
      vlan id { 1, 2, 100-200 }
      vlan dei 1
      vlan pcp 7
      vlan id 1 vlan pcp 2
      vlan type ip
      vlan id 1 ip saddr 10.0.0.1
      ether saddr 00:0f:54:0c:11:04 ip daddr 1.2.3.4 accept
      ether saddr . ip saddr { 00:0f:54:0c:11:04 . 10.0.0.1 }
      tcp dport 22 accept
      ip saddr 10.0.0.1 accept
      ip6 saddr fd00::1 tcp dport 22
      arp operation request
      meta ibrname "br0"
      meta obrname "br0"
      meta ibrpvid 100
      meta protocol ip tcp dport 22
      reject with icmpx port-unreachable
      meta l4proto udp drop
      icmp type echo-request accept
      icmpv6 type nd-neighbor-solicit accept
      ether daddr 01:00:00:00:00:00/8
    `,
  },
  {
    name: 'devices',
    family: 'netdev',
    hook: 'type filter hook ingress device lo priority 0; policy accept;',
    setup: 'set seen { type ipv4_addr; flags dynamic,timeout; timeout 1m; }',
    rules: `
      ip saddr 10.0.0.1 drop
      meta protocol ip tcp dport 80 drop
      fwd to "lo"
      fwd ip to 10.0.0.1 device "lo"
      fwd ip6 to fd00::1 device "lo"
      fwd to meta mark map { 1 : "lo" }
      dup to "lo"
      vlan id 5 drop
      ether type arp accept
      tcp flags & (fin | syn | rst | ack) == syn counter
      update @seen { ip saddr }
      reject with tcp reset
      ip daddr 10.0.0.1 fwd to "lo"
      tcp dport 80 tcp dport set 8080
    `,
  },
  {
    name: 'sets in use',
    family: 'inet',
    hook: FILTER,
    setup: `
      set plain { type ipv4_addr; }
      set dyn { type ipv4_addr; size 65535; flags dynamic,timeout; timeout 5m; }
      set counted { type ipv4_addr; size 1024; flags dynamic; counter; }
      set pairs { type ipv4_addr . inet_service; size 100; flags dynamic; }
      set flood { type ipv4_addr; size 128000; flags dynamic; }
      map verdicts { type inet_service : verdict; elements = { 22 : accept } }
      map learned { type ipv4_addr : inet_service; size 1000; flags dynamic,timeout; timeout 1m; }
      map marks { type ipv4_addr : mark; elements = { 10.0.0.1 : 0x5 } }
    `,
    rules: `
      ip saddr @plain drop
      ip saddr != @plain accept
      ip saddr . tcp dport @pairs accept
      tcp dport vmap @verdicts
      add @dyn { ip saddr }
      update @dyn { ip saddr }
      update @dyn { ip saddr timeout 30s }
      add @dyn { ip saddr timeout 1h5m }
      delete @dyn { ip saddr }
      add @dyn { ip saddr counter }
      update @dyn { ip saddr limit rate 10/second }
      update @dyn { ip saddr limit rate over 10/second burst 20 packets } drop
      add @flood { ip saddr ct count over 20 } drop
      add @counted { ip saddr counter }
      add @pairs { ip saddr . tcp dport }
      update @pairs { ip saddr . tcp dport } accept
      update @dyn { ip saddr quota over 10 mbytes } drop
      update @learned { ip saddr : tcp dport }
      add @learned { ip saddr timeout 30s : tcp dport }
      meta mark set ip saddr map @marks
      tcp dport 22 meter ssh { ip saddr limit rate 10/second } accept
      meter big size 1000 { ip saddr . tcp dport counter }
      tcp dport 80 meter web { ip saddr ct count over 5 } drop
      tcp dport 25 meter mail { ip saddr timeout 60s limit rate over 1/minute } drop
    `,
  },
  {
    name: 'combinations',
    family: 'inet',
    hook: 'type filter hook output priority filter;',
    setup: `
      set marked { typeof meta mark . ip daddr; elements = { 0x1 . 10.0.0.1 } }
      set ports { typeof meta oifname . tcp dport; elements = { "eth0" . 22 } }
      map colours { typeof ip daddr . meta skuid : meta mark; elements = { 10.0.0.1 . 1000 : 0x7 } }
    `,
    rules: `
      meta mark . ip daddr @marked accept
      meta oifname . tcp dport @ports accept
      oifname . tcp dport { "eth0" . 22, "eth1" . 80 } accept
      oifname . tcp dport vmap { "eth0" . 22 : accept, "eth1" . 80-90 : drop }
      meta mark . ct mark { 0x1 . 0x2 } drop
      meta mark set ip daddr . meta skuid map @colours
      meta mark set oifname map { "eth0" : 0x1, "eth1" : 0x2 }
      meta mark vmap { 0x1 : accept, 0x2 : drop, 3-5 : continue }
      ct mark set meta mark << 8
      ct mark set ct mark >> 16
      meta mark set meta mark & 0xff | 0x100
      meta mark set (meta mark | 0x3) & 0xff
      meta mark set meta mark ^ 0xff
      ct mark set ct mark & 0xffff0000 | 0x5
      meta mark & 0xff == { 0x1, 0x2 }
      meta mark & 0xff != 0x1-0x5
      ct mark & 0xf0 vmap { 0x10 : accept, 0x20 : drop }
      ip daddr & 255.255.0.0 != 10.1.0.0
      ip6 daddr & ffff:ffff:: != fd00:: drop
      tcp flags != syn / fin,syn,rst,ack
      tcp flags & (syn | ack) != syn | ack
      tcp flags & (fin | rst) != 0 drop
      tcp flags & ack == ack accept
      tcp flags fin,rst drop
      tcp flags == fin | rst drop
      tcp flags == syn
      ct status == assured
      ct state == new accept
      tcp flags vmap { syn : accept, syn | ack : drop }
      ip dscp vmap { cs1 : accept, ef : drop }
      ip dscp & 0x3f == 5
      ip ttl set 5 ip daddr 10.0.0.1
      ct state established ct direction original ct status assured accept
      ct state . ct direction { new . original } accept
      ct original ip saddr . ct original ip daddr { 10.0.0.1 . 10.0.0.2 }
      ct expiration { 30s, 5m } drop
      ct helper { "ftp", "sip" } accept
      ct label { 1, 2 }
      ct zone . ct mark { 1 . 0x2 }
      meta skuid . meta skgid { 0 . 0, 1000 . 1000 } accept
      meta day . meta hour { "Monday" . "08:00"-"17:00" }
      meta time { "2030-01-01 00:00:00", "2031-01-01 00:00:00" }
      meta l4proto . th dport { tcp . 22, udp . 53 } accept
      meta l4proto . th dport vmap { tcp . 22 : accept, udp . 53 : drop }
      meta nfproto . meta l4proto { ipv4 . tcp, ipv6 . udp }
      fib daddr . oif type local accept
      fib saddr oifname != "lo" drop
      fib daddr oifname { "eth0", "lo" }
      rt mtu 1280-1500 accept
      rt classid { 5, 6 }
      jhash ip daddr . th dport mod 4 seed 0x1 vmap { 0 : accept, 1 : drop, 2-3 : continue }
      meta mark set numgen random mod 4 map { 0 : 1, 1 : 2, 2 : 3, 3 : 4 }
      meta mark set symhash mod 2 offset 1 map { 1 : 10, 2 : 20 }
      counter packets 1 bytes 2 quota over 10 kbytes limit rate over 5/minute burst 9 packets log prefix "a b" group 3 drop comment "all of it"
      limit rate 512 kbytes/second burst 1 mbytes accept
      limit rate over 1 bytes/day
      limit rate 1025 kbytes/hour burst 3 bytes
      quota 2049 kbytes
      log prefix "%s: x" level crit
      log prefix ""
      ip daddr { 10.0.0.1, 10.0.0.3-10.0.0.9, 10.1.0.0/16, 192.168.0.0-192.168.255.255 } accept
      ip daddr 10.0.0.0-10.255.255.255 accept
      ip6 daddr { ::, ::1, fe80::/64, 2001:db8::-2001:db8::ffff } accept
      tcp dport { 0-1023 } tcp sport { 1024-65535 } accept
      udp dport 65535 accept
      meta length 0-4294967295
      @nh,0,128 0x1
      @nh,48,16 & 0x4000 == 0x4000
      @th,32,32 . ip daddr { 0x5 . 10.0.0.1 }
      @ll,48,48 0x001122334455
      ether saddr 00:11:22:33:44:55
      socket mark . ip daddr { 0x5 . 10.0.0.1 }
      dccp type { sync, syncack, reset } drop
      icmp type . icmp code { destination-unreachable . net-unreachable }
      icmpv6 type { mld-listener-query, router-renumbering, ind-neighbor-solicit }
      igmp type { 0x11, 0x22 }
      ip option lsrr length 5
      ip option ra exists ip option ssrr exists
      tcp option sack2 left 5-9
      tcp option mptcp subtype { 0, 1 }
      tcp option maxseg size > 1400 tcp option maxseg size set rt mtu
      tcp option echo exists
      tcp option @30,20,4 0
      exthdr rt exists drop
      dst nexthdr { tcp, 17 }
      hbh hdrlength 1-3
      frag id 1-5 frag more-fragments 0
      sctp chunk init init-tag 5
      sctp chunk data flags 1
      sctp chunk abort exists
      queue num 0-65535 bypass,fanout
      synproxy wscale 9
      reject with icmpv6 policy-fail
      reject with icmp prot-unreachable
      reject with icmpx host-unreachable
      meta cgroup 5-9
      meta priority 0:5
      meta oifgroup { 1-5, 7 }
      meta oiftype { ether, sit }
      meta pkttype { host, other }
      osf ttl skip name "unknown"
      ipsec out reqid 1-5
      ipsec out ip saddr { 10.0.0.1, 10.0.0.2 }
    `,
  },
  {
    name: 'types of sets',
    family: 'inet',
    rules: `
      add set inet t a { type ipv4_addr; elements = { 10.0.0.1, 10.0.0.2 }; }
      add set inet t b { type ipv6_addr; elements = { fd00::1, ::1 }; }
      add set inet t c { type ether_addr; elements = { 00:11:22:33:44:55 }; }
      add set inet t d { type inet_service; elements = { 22, 80, 443 }; }
      add set inet t e { type inet_proto; elements = { tcp, udp, 89 }; }
      add set inet t f { type mark; elements = { 0x1, 0x2 }; }
      add set inet t g { type ifname; elements = { "eth0", "lo" }; }
      add set inet t h { typeof meta iifname . ip saddr; elements = { "eth0" . 10.0.0.1 }; }
      add set inet t i { typeof ip daddr; elements = { 10.0.0.1 }; }
      add set inet t j { typeof vlan id; elements = { 2, 3, 100 }; }
      add set inet t k { type ipv4_addr . inet_proto . inet_service; elements = { 10.0.0.1 . tcp . 22, 10.0.0.2 . udp . 53 }; }
      add set inet t l { typeof ct mark; elements = { 0x1 }; }
      add set inet t m { type icmp_type; elements = { echo-request }; }
      add set inet t n { type dscp; elements = { cs1, af11 }; }
      add set inet t o { typeof osf name; elements = { "Linux" }; }
      add set inet t p { type ct_state; elements = { new, established }; }
      add set inet t q { typeof meta day; elements = { "Monday" }; }
      add set inet t r { typeof ip saddr . meta mark; elements = { 10.0.0.1 . 0x5 }; }
      add set inet t u { type uid; elements = { 0, 1000 }; }
    `,
  },
  {
    name: 'intervals',
    family: 'inet',
    rules: `
      add set inet t a { type ipv4_addr; flags interval; elements = { 10.0.0.0/8, 192.168.1.1-192.168.1.9, 1.1.1.1 }; }
      add set inet t b { type inet_service; flags interval; auto-merge; elements = { 1-100, 200, 65000-65535 }; }
      add set inet t c { type ipv6_addr; flags interval; elements = { fd00::/8, 2001:db8::1-2001:db8::9 }; }
      add set inet t d { type ipv4_addr . inet_service; flags interval; elements = { 10.0.0.0/24 . 80-90, 10.1.0.1 . 22, 10.2.0.1-10.2.0.9 . 1-65535 }; }
      add set inet t e { type mark; flags interval; elements = { 0x1-0xff, 0x200 }; }
      add set inet t f { type ifname; flags interval; elements = { "eth*", "lo" }; }
      add set inet t g { type ipv4_addr; flags interval; elements = { 0.0.0.0/0 }; }
      add set inet t h { type ipv4_addr; flags constant, interval; elements = { 10.0.0.0/8 }; }
      add set inet t i { type ipv4_addr . ipv4_addr; flags interval; elements = { 10.0.0.0/8 . 0.0.0.0/0 }; }
      add map inet t j { type inet_service : ipv4_addr; flags interval; elements = { 1-10 : 10.0.0.1, 20 : 10.0.0.2 }; }
    `,
  },
  {
    name: 'elements',
    family: 'inet',
    rules: `
      add set inet t a { type ipv4_addr; timeout 1d2h3m4s; gc-interval 10s; elements = { 10.0.0.1 timeout 1h, 10.0.0.2 timeout 2h expires 90m, 10.0.0.3 }; }
      add set inet t b { type ipv4_addr; elements = { 10.0.0.1 comment "one", 10.0.0.2 comment "two words" }; }
      add set inet t c { type ipv4_addr; flags timeout; elements = { 10.0.0.1 timeout 2d comment "both" }; }
      add set inet t d { type ipv4_addr; size 100; policy memory; elements = { 10.0.0.1 }; }
      add set inet t e { type ipv4_addr; counter; elements = { 10.0.0.1 counter packets 5 bytes 500, 10.0.0.2 }; }
      add set inet t f { type ipv4_addr; elements = { 10.0.0.1, * }; }
      add set inet t g { type ipv4_addr; flags interval; counter; elements = { 10.0.0.0/8 counter packets 1 bytes 2, * counter packets 0 bytes 0 }; }
      add set inet t h { type ipv4_addr; flags dynamic; limit rate 10/second; elements = { 10.0.0.1 limit rate 10/second }; }
      add set inet t i { type ipv4_addr; flags dynamic; quota 25 mbytes; elements = { 10.0.0.1 quota 25 mbytes }; }
      add set inet t j { type ipv4_addr; flags dynamic; ct count over 5; elements = { 10.0.0.1 ct count over 5 }; }
      add set inet t k { type ipv4_addr; counter; limit rate 1/second; elements = { 10.0.0.1 counter packets 0 bytes 0 limit rate 1/second }; }
      add set inet t l { type ipv4_addr; flags dynamic; last; elements = { 10.0.0.1 last never }; }
    `,
  },
  {
    name: 'maps',
    family: 'inet',
    setup: `
      counter hits { }
      counter more { }
      quota q { 10 mbytes; }
      limit l { rate 5/second; }
      chain other { }
    `,
    rules: `
      add map inet t a { type ipv4_addr : ipv4_addr; elements = { 10.0.0.1 : 10.0.0.2 }; }
      add map inet t b { type ipv4_addr : verdict; elements = { 10.0.0.1 : accept, 10.0.0.2 : drop, 10.0.0.3 : jump other, 10.0.0.4 : goto other, 10.0.0.5 : return, 10.0.0.6 : continue }; }
      add map inet t c { type inet_service : counter; elements = { 80 : "hits", 443 : "more" }; }
      add map inet t d { type ipv4_addr . inet_service : ipv4_addr . inet_service; elements = { 10.0.0.1 . 80 : 10.0.0.2 . 8080 }; }
      add map inet t e { type ipv4_addr : verdict; flags interval; elements = { 10.0.0.0/8 : accept, 192.168.0.0/16 : jump other }; }
      add map inet t f { type inet_service : quota; elements = { 80 : "q" }; }
      add map inet t g { type inet_service : limit; elements = { 80 : "l" }; }
      add map inet t h { typeof ip saddr : meta mark; elements = { 10.0.0.1 : 0x5 }; }
      add map inet t i { type ipv4_addr : verdict; counter; elements = { 10.0.0.1 counter packets 1 bytes 2 : accept }; }
      add map inet t j { type ipv4_addr : mark; timeout 1h; elements = { 10.0.0.1 timeout 30m : 0x7 }; }
      add map inet t k { type ipv4_addr : ipv4_addr; elements = { 10.0.0.1 comment "why" : 10.0.0.2 }; }
      add map inet t m { type ipv4_addr : verdict; elements = { 10.0.0.1 : accept, * : drop }; }
      add map inet t n { type ipv4_addr . inet_service : verdict; flags interval; elements = { 10.0.0.0/8 . 1-1024 : drop }; }
      add map inet t o { type ifname : verdict; elements = { "lo" : accept }; }
      add map inet t p { type mark : inet_service; elements = { 0x1 : 80 }; }
    `,
  },
];

/** Whole tables: what is beside rules. */
export const TABLES: readonly { readonly name: string; readonly text: string }[] = [
  { name: 'an empty table', text: 'table ip t { }' },
  {
    name: 'a table with flags',
    text: `table ip t {
      flags dormant
      chain c { type filter hook input priority 0; }
    }`,
  },
  {
    name: 'comments',
    text: `table inet t {
      comment "mine"
      chain c { comment "why"; counter comment "here"; }
      set s { type mark; comment "marks"; }
    }`,
  },
  {
    name: 'priorities and policies',
    text: `table ip t {
      chain a { type filter hook prerouting priority raw; policy drop; }
      chain b { type filter hook forward priority filter - 5; policy accept; }
      chain c { type nat hook postrouting priority srcnat + 10; }
      chain d { type filter hook output priority -1000; }
      chain e { type route hook output priority mangle; }
      chain f { type filter hook postrouting priority 7; }
    }`,
  },
  {
    name: 'egress and ingress',
    text: `table netdev t {
      chain a { type filter hook ingress device "lo" priority filter; }
      chain b { type filter hook egress device "lo" priority 10; policy drop; }
      chain m { type filter hook ingress devices = { "lo" } priority 5; }
    }`,
  },
  {
    name: 'ingress of inet',
    text: `table inet t {
      chain a { type filter hook ingress device "lo" priority 0; policy accept; }
    }`,
  },
  {
    name: 'secmark',
    text: `table inet t {
      secmark ssh { "system_u:object_r:ssh_server_packet_t:s0" }
      chain c { type filter hook input priority 0; tcp dport 22 meta secmark set "ssh"; }
    }`,
  },
  {
    name: 'flowtables',
    text: `table inet t {
      flowtable ft { hook ingress priority filter; devices = { lo }; }
      chain c { type filter hook forward priority 0; ip protocol tcp flow add @ft; }
    }`,
  },
  {
    name: 'a firewall',
    text: `table inet filter {
      set admins { type ipv4_addr; flags interval; elements = { 10.0.0.0/24, 192.0.2.7 } }
      set blocked { type ipv4_addr; flags dynamic,timeout; timeout 10m; size 65535; }
      map services { type inet_service : verdict; elements = { 22 : jump ssh, 80 : accept, 443 : accept } }
      chain ssh { ip saddr @admins accept; limit rate 3/minute burst 5 packets accept; add @blocked { ip saddr }; drop; }
      chain input {
        type filter hook input priority filter; policy drop;
        iif "lo" accept
        ct state vmap { established : accept, related : accept, invalid : drop }
        ip saddr @blocked drop
        ip protocol icmp icmp type { echo-request, destination-unreachable, time-exceeded } limit rate 5/second accept
        ip6 nexthdr ipv6-icmp icmpv6 type { nd-neighbor-solicit, nd-router-advert, nd-neighbor-advert, echo-request } accept
        tcp dport vmap @services
        udp dport 60000-61000 accept
        log prefix "input: " level info limit rate 10/minute
        counter comment "what is left"
      }
      chain forward { type filter hook forward priority filter; policy drop; tcp flags syn tcp option maxseg size set rt mtu; ct status dnat accept; }
    }
    table ip nat {
      chain pre { type nat hook prerouting priority dstnat; iifname "wan" tcp dport { 80, 443 } dnat to 10.0.0.80; tcp dport 2222 dnat to 10.0.0.22:22; }
      chain post { type nat hook postrouting priority srcnat; oifname "wan" ip saddr 10.0.0.0/8 masquerade; }
    }`,
  },
];
