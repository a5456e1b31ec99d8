/** A row for each behaviour: `rule ; printed form (= if the same) ; OK|FAIL`, after `:CHAIN`. */

import { readNames } from '@sockfilter/language';
import { parseCommand, printRule } from './index.js';

const names = readNames({
  passwd: 'root:x:0:0::/root:/bin/sh\nsystemd-network:x:998:998::/:/bin/sh\n',
  group: 'root:x:0:\nweb:x:33:\n',
  services: '# services\nhttp 80/tcp www # WorldWideWeb\n81 8181/tcp\n',
});
const groups = [{ name: 'web', id: 3, path: '/web.slice' }];

const ROWS = `
:CONNECT
;=;OK
-s 10.0.0.1;-s 10.0.0.1/32;OK
--source 10.0.0.1/8;-s 10.0.0.0/8;OK
--src=10.0.0.1;-s 10.0.0.1/32;OK
--destination 10.0.0.1;-d 10.0.0.1/32;OK
--dst 10.0.0.1;-d 10.0.0.1/32;OK
-d 10.0.0.1 -s 10.0.0.2;-s 10.0.0.2/32 -d 10.0.0.1/32;OK
-d 2001:DB8:0:0::1;-d 2001:db8::1/128;OK
-d 2001:db8::ffff/ffff:ffff::;-d 2001:db8::/32;OK
-d 2001:db8::ffff/ffff::ffff;-d 2001::ffff/ffff::ffff;OK
-d 10.0.0.1/33;;FAIL
-d 10.0.0.256;;FAIL
-d 10.0.0;;FAIL
-d 010.0.0.1;;FAIL
-d fe80::1%eth0;;FAIL
-d example.com;;FAIL
-d localhost;;FAIL
-d ::ffff:10.0.0.1;;FAIL
-d ::ffff:10.0.0.0/104;;FAIL
-d ::/0;-6;OK
-d 0.0.0.0/0;-4;OK
-s 0.0.0.0/0 -d 10.0.0.1;-d 10.0.0.1/32;OK
! -d 0.0.0.0/0;=;OK
-4;=;OK
--ipv4;-4;OK
--ipv6;-6;OK
-4 -d 10.0.0.1;-d 10.0.0.1/32;OK
-4 -6;;FAIL
-4 -d ::1;;FAIL
-s ::1 -d 10.0.0.1;;FAIL
-s 10.0.0.1 -m iprange --dst-range ::1-::2;;FAIL
! -4;;FAIL
! -s 1.1.1.1,2.2.2.2;;FAIL
-s 1.1.1.1, ;;FAIL
-p TCP;-p tcp;OK
-p 6;-p tcp;OK
-p 0x11;-p udp;OK
-p mptcp;-p tcp;OK
-p icmpv6;-p ipv6-icmp;OK
-p icmp6;-p ipv6-icmp;OK
-p 58;-p ipv6-icmp;OK
-p icmp;=;OK
-p all;;OK
-p 0;;OK
! -p all;;FAIL
! -p 47;=;OK
-p 47;;FAIL
-p sctp;;FAIL
! -p sctp;;FAIL
-p dccp;;FAIL
-p foo;;FAIL
-p 256;;FAIL
-p tcp --dport 80;-p tcp -m tcp --dport 80;OK
--dport 80 -p tcp;-p tcp -m tcp --dport 80;OK
-p tcp --destination-port 80 --source-port 1:2;-p tcp -m tcp --sport 1:2 --dport 80;OK
-p udp --dport www;-p udp -m udp --dport 80;OK
-p udp --dport 81;-p udp -m udp --dport 81;OK
-p udp --dport gopher;;FAIL
-p udp --sport 0x50;-p udp -m udp --sport 80;OK
-p udplite;;FAIL
-p tcp --dport 080;;FAIL
-p tcp --dpor 80;-p tcp -m tcp --dport 80;OK
-p tcp --dport 80 --dport 81;;FAIL
-p icmp --dport 80;;FAIL
! -p tcp --dport 80;;FAIL
-p udp --tcp-flags SYN SYN;;FAIL
-p tcp --tcp-flags SYN ACK;;FAIL
-p tcp --tcp-flags SYN;;FAIL
-p tcp --tcp-flags ALL NONE;-p tcp -m tcp --tcp-flags FIN,SYN,RST,PSH,ACK,URG NONE;OK
-p tcp ! --syn;-p tcp -m tcp ! --tcp-flags FIN,SYN,RST,ACK SYN;OK
-p tcp --syn --tcp-flags SYN SYN;;FAIL
-p tcp -m udp;;FAIL
-p tcp -m multiport --port 1;-p tcp -m multiport --ports 1;OK
-p tcp -m multiport --source-ports 1,2;-p tcp -m multiport --sports 1,2;OK
-p tcp -m multiport ! --destination-ports 2,1;-p tcp -m multiport ! --dports 2,1;OK
-p tcp -m multiport --dports 1 --sports 2;;FAIL
-p tcp -m multiport --dports 1 -m multiport --sports 2;=;OK
-p icmp -m multiport --dports 1;;FAIL
-p tcp -m multiport --dports 1:;;FAIL
-m iprange --src-range 10.0.0.1;-m iprange --src-range 10.0.0.1-10.0.0.1;OK
-m iprange --src-range 10.0.0.2-10.0.0.1;;FAIL
-m iprange --src-range ::ffff:1.1.1.1-::ffff:1.1.1.2;;FAIL
-m addrtype --dst-type multicast,BROADCAST;-m addrtype --dst-type BROADCAST,MULTICAST;OK
-m addrtype --dst-type UNICAST ! --src-type unspec;-m addrtype ! --src-type UNSPEC --dst-type UNICAST;OK
-m addrtype --dst-type MULTICAST,MULTICAST;-m addrtype --dst-type MULTICAST;OK
-m addrtype;;FAIL
-m addrtype --dst-type UNSPEC;;FAIL
-m addrtype --dst-type wrong;;FAIL
-m addrtype --dst-type UNICAST,;;FAIL
-m addrtype --dst-type LOCAL;;FAIL
-m addrtype --dst-type UNICAST,ANYCAST;;FAIL
-m addrtype --dst-type MULTICAST --limit-iface-out;;FAIL
-o eth0;=;OK
--out-interface eth+;-o eth+;OK
-p tcp ! -o lo -d 10.0.0.1;-d 10.0.0.1/32 ! -o lo -p tcp;OK
-o +;;OK
! -o +;=;OK
-o abcdefghijklmno;=;OK
-o abcdefghijklmnop;;FAIL
-o "";;FAIL
-o "a b";;FAIL
-i eth0;;FAIL
-m comm --comm nginx;=;OK
-m comm ! --comm "a b";=;OK
-m comm --comm "";;FAIL
-m comm --comm abcdefghijklmnop;;FAIL
-m comm;;FAIL
-m netns --inode 4026531840;=;OK
-m netns --inode net:[4026531840];-m netns --inode 4026531840;OK
-m netns ! --inode 5-9;=;OK
-m netns --inode 9-5;;FAIL
-m netns --inode 4294967296;;FAIL
-m netns --inode eth0;;FAIL
-m netns --path 4026531840;-m netns --inode 4026531840;OK
-m netns --path /nowhere;;FAIL
-m netns --inode 5 --path 6;;FAIL
-m cgroup --id 3;=;OK
-m cgroup ! --id 3:9;=;OK
-m cgroup --id web;-m cgroup --id 3;OK
-m cgroup --id nosuch;;FAIL
-m cgroup --id 0;=;OK
-m cgroup --id 4294967296;;FAIL
-m cgroup --id 9:3;;FAIL
-m cgroup --path web.slice/;-m cgroup --path "/web.slice";OK
-m cgroup --path /a//b;-m cgroup --path "/a/b";OK
-m cgroup --path /a/../b;;FAIL
-m cgroup --path "";;FAIL
-m cgroup --path /s/docker-*.scope;-m cgroup --path "/s/docker-*.scope";OK
-m cgroup --path /sys/fs/cgroup/system.slice/nginx.service;;FAIL
-m cgroup --path 0::/system.slice;;FAIL
-m cgroup --path /s/a?;;FAIL
-m cgroup --path /s/**;;FAIL
-m cgroup --path /s/*/a;;FAIL
-m cgroup --path /s/a*b*;;FAIL
-m cgroup --cgroup 1;;FAIL
-m cgroup --id 1 --path /;;FAIL
-m owner --uid-owner systemd-network;-m owner --uid-owner 998;OK
-m owner --gid-owner web;-m owner --gid-owner 33;OK
-m owner --uid-owner web;;FAIL
-m owner --uid-owner 4294967295;;FAIL
-m owner --socket-exists;;FAIL
-m owner --suppl-groups;;FAIL
-m socket --local 10.0.0.0/8 --local-port 1:2 --remote 10.0.0.1 --remote-port 80;-m socket --local 10.0.0.0/8 --local-port 1:2 --remote 10.0.0.1/32 --remote-port 80;OK
-m socket --local-port :;-m socket --local-port 0:65535;OK
-m socket;;FAIL
--local 10.0.0.1;;FAIL
-m comment --comment -x;-m comment --comment -x;OK
-m comment --comment !;-m comment --comment "!";OK
-m comment --comment "a b";=;OK
! -m comment --comment x;;FAIL
-m hashlimit --hashlimit 60/m --hashlimit-name a;-m hashlimit --hashlimit-upto 1/sec --hashlimit-burst 5 --hashlimit-name a;OK
-m hashlimit ! --hashlimit-upto 1/s --hashlimit-mode group,dstport,srcip --hashlimit-name a;-m hashlimit --hashlimit-above 1/sec --hashlimit-burst 5 --hashlimit-mode srcip,dstport,group --hashlimit-name a;OK
-m hashlimit --hashlimit-above 1/sec --hashlimit-burst 9 --hashlimit-name a --hashlimit-htable-size 7 --hashlimit-htable-max 8 --hashlimit-htable-gcinterval 9 --hashlimit-htable-expire 10 --hashlimit-srcmask 24 --hashlimit-dstmask 64;=;OK
-m hashlimit --hashlimit-upto 1/s --hashlimit-name a --hashlimit-srcmask 128;-m hashlimit --hashlimit-upto 1/sec --hashlimit-burst 5 --hashlimit-name a;OK
-m hashlimit --hashlimit-upto 1/s --hashlimit-name a/b;;FAIL
-m hashlimit --hashlimit-upto 1/s --hashlimit-name ..;;FAIL
-m hashlimit --hashlimit-upto 1/s --hashlimit-name a --hashlimit-srcmask 129;;FAIL
-m hashlimit --hashlimit-upto 1/s --hashlimit-name a --hashlimit-htable-max 32769;;FAIL
-m hashlimit --hashlimit-upto 1/s --hashlimit-name a --hashlimit-burst 0;;FAIL
-m hashlimit --hashlimit-upto 1/s --hashlimit-name a --hashlimit-burst 40kb;;FAIL
-m hashlimit --hashlimit-upto 512kb/s --hashlimit-name a;;FAIL
-m hashlimit --hashlimit-upto 1/day --hashlimit-burst 1000000 --hashlimit-name a;;FAIL
-m hashlimit --hashlimit-upto 1/s --hashlimit-name a --hashlimit-rate-match;;FAIL
-m limit;-m limit --limit 3/hour;OK
-m limit --limit 5;-m limit --limit 5/sec;OK
-m limit --limit 5/SECO --limit-burst 5;-m limit --limit 5/sec;OK
-m limit --limit 60/m --limit-burst 0x10;-m limit --limit 1/sec --limit-burst 16;OK
-m limit --limit 61/minute;-m limit --limit 61/min;OK
-m limit --limit 24/day;-m limit --limit 1/hour;OK
-m limit --limit 10000/s;-m limit --limit 10000/sec;OK
-m limit --limit 10001/s;;FAIL
-m limit --limit 7000/sec;=;OK
-m limit --limit 0/s;;FAIL
-m limit --limit 5/;;FAIL
-m limit --limit 5/seconds;;FAIL
-m limit --limit 5/s --limit-burst 10001;;FAIL
-m limit ! --limit 5/s;;FAIL
-m limit --limit 5/sec -m limit --limit 6/sec;=;OK
-m statistic --mode random --probability .5;-m statistic --mode random --probability 0.50000000000;OK
-m statistic --mode random ! --probability 0.10000000009;=;OK
-m statistic --mode random --probability 1.00000000000;=;OK
-m statistic --mode random --probability 1.1;;FAIL
-m statistic --mode random;;FAIL
-m statistic --probability 0.5;;FAIL
-m statistic;;FAIL
-m statistic --mode nth ! --every 5 --packet 2;=;OK
-m statistic --mode nth --every 5 --packet 5;;FAIL
-m statistic --mode nth --every 5;;FAIL
-m statistic --mode nth --every 0 --packet 0;;FAIL
-m statistic --mode random --every 5 --packet 2;;FAIL
-m statistic --mode nth --every 5 --packet 1 --probability 0.5;;FAIL
-m statistic ! --mode nth --every 5 --packet 1;;FAIL
-m quota --quota 1000;=;OK
-m quota ! --quota 0x10;-m quota ! --quota 16;OK
-m quota --quota 18446744073709551615;=;OK
-m quota --quota 18446744073709551616;;FAIL
-m quota --quota 5k;;FAIL
-m quota;;FAIL
-m time;-m time --datestop 2038-01-19T03:14:07;OK
-m time --timestart 01:02:03 --timestop 04:05:06 --monthdays 1,2,3,4,5 --weekdays Mon,Fri,Sun --datestart 2001-02-03T04:05:06 --datestop 2012-09-08T09:06:05 --kerneltz;=;OK
-m time --timestart 9:00;-m time --timestart 09:00:00 --timestop 23:59:59 --datestop 2038-01-19T03:14:07;OK
-m time --timestart 23:00 --timestop 01:00 --contiguous;-m time --timestart 23:00:00 --timestop 01:00:00 --datestop 2038-01-19T03:14:07 --contiguous;OK
-m time --timestart 01:00 --timestop 23:00 --contiguous;;FAIL
-m time --timestop 24:00;;FAIL
-m time ! --timestart 9:00;;FAIL
-m time --weekdays 7,Monday --utc;-m time --weekdays Mon,Sun --datestop 2038-01-19T03:14:07;OK
-m time ! --weekdays Sa,Su;-m time --weekdays Mon,Tue,Wed,Thu,Fri --datestop 2038-01-19T03:14:07;OK
-m time ! --monthdays 3,1,3 --weekdays 1,2,3,4,5,6,7;-m time --monthdays 2,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31 --datestop 2038-01-19T03:14:07;OK
-m time --weekdays 8;;FAIL
-m time --weekdays 0;;FAIL
-m time --monthdays 32;;FAIL
-m time --monthdays 1-5;;FAIL
-m time --datestart 2020-05-06T10 --datestop 2020-06;-m time --datestart 2020-05-06T10:00:00 --datestop 2020-06-01T00:00:00;OK
-m time --datestart 2020-02-30;;FAIL
-m time --datestart 1969;;FAIL
-m time --datestop 2039;;FAIL
-m time --kerneltz --utc;;FAIL
-m nosuch;;FAIL
-m mark --mark 1;-m mark --mark 0x1;OK
-m mark --mark 0xfeedcafe/0xfeedcafe;=;OK
-m mark ! --mark 0x0/0xff0;=;OK
-m mark --mark 4294967295;-m mark --mark 0xffffffff;OK
-m mark --mark 1/0xffffffff;-m mark --mark 0x1;OK
-m mark --mark 0x7/0x3;=;OK
-m mark --mark 4294967296;;FAIL
-m mark --mark -1;;FAIL
-m mark --mark 1/;;FAIL
-m mark --mark 1/2/3;;FAIL
-m mark --mark 1 --mark 2;;FAIL
-m mark;;FAIL
-i eth0;;FAIL
-f;;FAIL
-m ip;;FAIL
-j ACCEPT;=;OK
-jDROP;-j DROP;OK
-j REJECT;-j REJECT --reject-with EPERM;OK
--reject-with econnrefused -j REJECT;-j REJECT --reject-with ECONNREFUSED;OK
-j REJECT --reject-with EAGAIN;;FAIL
-j REJECT --reject-with icmp-port-unreachable;;FAIL
-j DROP --reject-with EPERM;;FAIL
-j web;=;OK
-g web;=;OK
-g ACCEPT;;FAIL
-j CONNECT;;FAIL
-j LOG;=;OK
-j LOG --log-prefix "test: ";=;OK
-j LOG --log-prefix "test: " --log-level 1;=;OK
-j LOG --log-prefix "test: " --log-level alert;-j LOG --log-prefix "test: " --log-level 1;OK
--log-uid --log-level 0x7 --log-prefix x -j LOG;-j LOG --log-prefix x --log-level 7 --log-uid;OK
-j LOG --log-level warning;-j LOG;OK
-j LOG --log-level emerg;-j LOG --log-level 0;OK
-j LOG --log-prefix 123456789012345678901234567890;-j LOG --log-prefix 12345678901234567890123456789;OK
-j LOG --log-level 8;;FAIL
-j LOG --log-level warn;;FAIL
-j LOG --log-level ALERT;;FAIL
-j LOG --log-prefix;;FAIL
-j LOG --log-prefix "";;FAIL
-j LOG ! --log-prefix x;;FAIL
-j LOG --log-uid --log-uid;;FAIL
-j LOG --log-tcp-sequence;;FAIL
-j LOG --log-tcp-options;;FAIL
-j LOG --log-ip-options;;FAIL
-j LOG --log-macdecode;;FAIL
--log-prefix x;;FAIL
-g LOG;;FAIL
-j NFLOG;=;OK
-j NFLOG --nflog-group 65535;=;OK
-j NFLOG --nflog-group 0;-j NFLOG;OK
--nflog-group 5 --nflog-prefix "x y" -j NFLOG;-j NFLOG --nflog-prefix "x y" --nflog-group 5;OK
-j NFLOG --nflog-group 65536;;FAIL
-j NFLOG --nflog-group -1;;FAIL
-j NFLOG --nflog-size 0;;FAIL
-j NFLOG --nflog-range 1;;FAIL
-j NFLOG --nflog-threshold 2;;FAIL
-j NFLOG --log-prefix x;;FAIL
-j TRACE;=;OK
-j TRACE --log-prefix x;;FAIL
-j DNAT --to-destination 10.0.0.5;=;OK
-j DNAT --to-destination fd00::5;=;OK
-4 -j DNAT --to-destination 10.0.0.5;-j DNAT --to-destination 10.0.0.5;OK
-p tcp -j DNAT --to-destination 10.0.0.5:80;=;OK
-p udp -j DNAT --to-destination [fd00::5]:65535;=;OK
-p udp -j DNAT --to-destination :1;=;OK
-p tcp -j DNAT --to-destination 10.0.0.5:80 --random --persistent;=;OK
-j DNAT --persistent --to-destination [fd00::5];-j DNAT --to-destination fd00::5 --persistent;OK
-j DNAT;;FAIL
-j DNAT --to-destination 10.0.0.5:80;;FAIL
! -p udp -j DNAT --to-destination 10.0.0.5:80;;FAIL
-p icmp -j DNAT --to-destination 10.0.0.5:80;;FAIL
-p tcp -j DNAT --to-destination 10.0.0.5:0;;FAIL
-p tcp -j DNAT --to-destination 10.0.0.5:65536;;FAIL
-p tcp -j DNAT --to-destination 10.0.0.5:;;FAIL
-p tcp -j DNAT --to-destination :;;FAIL
-p tcp -j DNAT --to-destination 10.0.0.5:1-2;=;OK
-p tcp -j DNAT --to-destination :80-90 --random;=;OK
-p tcp -j DNAT --to-destination 10.0.0.5:80-80;-p tcp -j DNAT --to-destination 10.0.0.5:80;OK
-j DNAT --to-destination 10.0.0.5-10.0.0.6;=;OK
-j DNAT --to-destination 10.0.0.5-10.0.0.5;-j DNAT --to-destination 10.0.0.5;OK
-j DNAT --to-destination 10.0.0.5-10.255.0.6 --persistent;=;OK
-p udp -j DNAT --to-destination 10.0.0.5-10.0.0.9:1-65535 --random --persistent;=;OK
-j DNAT --to-destination fd00::5-fd00::9;=;OK
-j DNAT --to-destination [fd00::5-fd00::9];-j DNAT --to-destination fd00::5-fd00::9;OK
-p tcp -j DNAT --to-destination [fd00::5-fd00::9]:80-90;=;OK
-p tcp -j DNAT --to-destination [fd00::5]-[fd00::9]:80;;FAIL
-p tcp -j DNAT --to-destination 10.0.0.5:90-80;;FAIL
-p tcp -j DNAT --to-destination 10.0.0.5:80-;;FAIL
-p tcp -j DNAT --to-destination 10.0.0.5:http-90;;FAIL
-p tcp -j DNAT --to-destination 10.0.0.5:1000-2000/3000;;FAIL
-j DNAT --to-destination 10.0.0.6-10.0.0.5;;FAIL
-j DNAT --to-destination 10.0.0.5-;;FAIL
-j DNAT --to-destination -10.0.0.5;;FAIL
-j DNAT --to-destination 10.0.0.5-fd00::5;;FAIL
-j DNAT --to-destination 0.0.0.0-10.0.0.5;;FAIL
-p tcp -j DNAT --to-destination 1.0.0.0-255.0.0.0:1-65535;;FAIL
-j DNAT --to-destination fd00::1-fd00:0:0:1::1;;FAIL
-j DNAT --to-destination example.com;;FAIL
-j DNAT --to-destination ::ffff:10.0.0.5;;FAIL
-6 -j DNAT --to-destination 10.0.0.5;;FAIL
-d fd00::1 -j DNAT --to-destination 10.0.0.5;;FAIL
-j REDIRECT;=;OK
-p tcp -j REDIRECT --to-ports 42;=;OK
-p udp -j REDIRECT --to-ports 42 --random;=;OK
-j REDIRECT --to-ports 42;;FAIL
-p tcp -j REDIRECT --to-ports 42-1234;=;OK
-p tcp -j REDIRECT --to-ports 42-1234 --random;=;OK
-p tcp -j REDIRECT --to-ports 42-42;-p tcp -j REDIRECT --to-ports 42;OK
-p tcp -j REDIRECT --to-ports 1234-42;;FAIL
-p tcp -j REDIRECT --to-ports 0;;FAIL
-j ACCEPT --to-ports 42;;FAIL
-j MARK --set-mark 1;-j MARK --set-xmark 0x1/0xffffffff;OK
-j MARK --set-mark 0x10/0x3;-j MARK --set-xmark 0x10/0x13;OK
-j MARK --set-xmark 0xfeedcafe/0xdeadbeef;=;OK
-j MARK --and-mark 0xfe;-j MARK --set-xmark 0x0/0xffffff01;OK
-j MARK --or-mark 3;-j MARK --set-xmark 0x3/0x3;OK
-j MARK --xor-mark 3;-j MARK --set-xmark 0x3/0x0;OK
--set-mark 1 -j MARK;-j MARK --set-xmark 0x1/0xffffffff;OK
-j MARK;;FAIL
-j MARK --set-mark 1 --or-mark 2;;FAIL
-j MARK --set-mark 1 --set-mark 2;;FAIL
-j MARK --set-mark x;;FAIL
-j MARK --set-mark 1/;;FAIL
-j MARK --set-mark 0x100000000;;FAIL
-j MARK --or-mark 1/2;;FAIL
-j MARK ! --set-mark 1;;FAIL
-j MARK --restore-mark;;FAIL
-j ACCEPT -j DROP;;FAIL
-j ACCEPT -g web;;FAIL
-c 1 2 -j ACCEPT;-j ACCEPT;OK
-c 1,2 -j ACCEPT;-j ACCEPT;OK
-c 1;;FAIL
-c a b;;FAIL
foo;;FAIL
!;;FAIL
! ! -s 1.1.1.1;;FAIL
-s ! 1.1.1.1;;FAIL
--s 1.1.1.1;;FAIL
--jump=ACCEPT;-j ACCEPT;OK
-4=x;;FAIL
:BIND
-d 10.0.0.5 -j ACCEPT;-d 10.0.0.5/32 -j ACCEPT;OK
-s 10.0.0.1;;FAIL
-s 0.0.0.0;-s 0.0.0.0/32;OK
-m addrtype --dst-type UNSPEC;=;OK
-i lo;=;OK
-o lo;;FAIL
-m comm --comm sh;=;OK
-m addrtype --src-type UNSPEC;=;OK
-m addrtype --src-type UNSPEC,MULTICAST;=;OK
-m addrtype --src-type UNICAST,MULTICAST;;FAIL
-m addrtype ! --src-type UNICAST;=;OK
-p icmp;;FAIL
-p tcp --sport 80;;FAIL
-m socket --remote 10.0.0.1;;FAIL
-m socket --remote-port 1;;FAIL
-m iprange --src-range 10.0.0.1-10.0.0.2;;FAIL
-m owner --gid-owner 0;=;OK
:ACCEPT
-s 1.1.1.1 -i lo -p tcp -j ACCEPT;-s 1.1.1.1/32 -i lo -p tcp -j ACCEPT;OK
-m comm --comm sh;;FAIL
-p udp;;FAIL
-p tcp -j DROP;=;OK
-j REJECT;;FAIL
-m owner --gid-owner 0;;FAIL
-m owner --uid-owner 0;=;OK
:SENDTO
--proto udplite;-p udplite;OK
-p udplite --sport 0x50;-p udplite -m udplite --sport 80;OK
-p tcp;;FAIL
-p udp;=;OK
:RECVFROM
-j REJECT;;FAIL
-p tcp;;FAIL
:user
-p tcp -j REJECT;-p tcp -j REJECT --reject-with EPERM;OK
-p 47;;FAIL
-s 10.0.0.1;-s 10.0.0.1/32;OK
`;

/** Words of a row: blanks part them, double quotes hold them together. */
function rowWords(text: string): string[] {
  return [...text.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare ?? '');
}

function printed(chain: string, rule: string): string | undefined {
  const { command } = parseCommand(['-A', chain, ...rowWords(rule)], { names, groups });
  if (command?.kind !== 'append') return undefined;
  return command.rules.map((each) => printRule(chain, each)).join('\n');
}

let chain = '';
for (const row of ROWS.split('\n').filter((text) => text !== '')) {
  if (row.startsWith(':')) {
    chain = row.slice(1);
    continue;
  }
  const [rule = '', form = '', result] = row.split(';');
  const at = chain;
  test(`${at}: ${rule}`, () => {
    const text = `-A ${at} ${(form === '=' ? rule : form).trim()}`.trim();
    expect(printed(at, rule)).toBe(result === 'OK' ? text : undefined);
    if (result === 'OK') expect(printed(at, text.slice(`-A ${at}`.length))).toBe(text);
  });
}

test('an address list makes a rule of each combination, sources first', () => {
  expect(printed('CONNECT', '-s 1.1.1.1,2.2.2.0/24 -d ::1,3.3.3.3')).toBeUndefined();
  expect(
    printed('CONNECT', '-s 1.1.1.1,2.2.2.0/24 -d 3.3.3.3,4.4.4.4 -j DROP')?.split('\n'),
  ).toEqual([
    '-A CONNECT -s 1.1.1.1/32 -d 3.3.3.3/32 -j DROP',
    '-A CONNECT -s 1.1.1.1/32 -d 4.4.4.4/32 -j DROP',
    '-A CONNECT -s 2.2.2.0/24 -d 3.3.3.3/32 -j DROP',
    '-A CONNECT -s 2.2.2.0/24 -d 4.4.4.4/32 -j DROP',
  ]);
});

test('each wrong row gives diagnostics that point into the line', () => {
  for (const row of ROWS.split('\n').filter((text) => text.endsWith('FAIL'))) {
    const argv = ['-A', 'CONNECT', ...rowWords(row.split(';')[0] ?? '')];
    const { diagnostics, source } = parseCommand(argv, { names, groups });
    for (const { span, message } of diagnostics) {
      expect(span.column - 1 + span.length).toBeLessThanOrEqual(source.text.length);
      expect(message).not.toMatch(/undefined|[.]$/);
    }
  }
});
