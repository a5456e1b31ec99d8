import { NO_NAMES } from '@sockfilter/language';
import { parseSave, printListing, printRules } from './index.js';

const { table, diagnostics } = parseSave(
  `*socket
:BIND DROP [123456:0]
:web - [0:0]
:other - [0:0]
[7:0] -A BIND -p tcp -m cgroup --id 3 -d 10.0.0.5 -j other
-A BIND -m owner ! --uid-owner 0 -m comment --comment "a \\"b\\"" -j REJECT
-A CONNECT ! -d 10.0.0.0/8 ! -p udp -m iprange --src-range 1.1.1.1-1.1.1.2 -g web
-A CONNECT -6 -p tcp --syn --dport 80:90 ! --sport 1
-A web -p udp -m multiport --dports 1,2:3 -j ACCEPT
-A web -m socket --remote 10.0.0.0/8 --remote-port 5 -m cgroup --path /a -j RETURN
COMMIT
`,
  'listing',
  { names: NO_NAMES },
);

test('the file is sound', () => {
  expect(diagnostics).toEqual([]);
});

test('-L', () => {
  expect(printListing(table, { chain: 'CONNECT' })).toBe(
    `Chain CONNECT (policy ACCEPT)
target     prot opt source               destination
web       !udp  --  0.0.0.0/0           !10.0.0.0/8           [goto] source IP range 1.1.1.1-1.1.1.2
           tcp  --  ::/0                 ::/0                 tcp spt:!1 dpts:80:90 flags:FIN,SYN,RST,ACK/SYN
`,
  );
  expect(printListing(table, { chain: 'web' })).toBe(
    `Chain web (1 references)
target     prot opt source               destination
ACCEPT     udp  --  anywhere             anywhere             multiport dports 1,2:3
RETURN     all  --  0.0.0.0/0            0.0.0.0/0            socket remote 10.0.0.0/8 socket remote port 5 cgroup path "/a"
`,
  );
});

test('-L -v --line-numbers and -x', () => {
  const options = { chain: 'BIND', verbose: true, lineNumbers: true };
  expect(printListing(table, options)).toBe(
    `Chain BIND (policy DROP 123K packets, 0 bytes)
num   pkts bytes target     prot opt source               destination
1        7     0 other      tcp  --  0.0.0.0/0            10.0.0.5             cgroup id 3
2        0     0 REJECT     all  --  anywhere             anywhere             ! owner UID match 0 /* a "b" */ reject-with EPERM
`,
  );
  expect(
    printListing(table, { ...options, lineNumbers: false, exact: true, counters: () => 123456n }),
  ).toBe(
    `Chain BIND (policy DROP 123456 packets, 0 bytes)
    pkts      bytes target     prot opt source               destination
  123456          0 other      tcp  --  0.0.0.0/0            10.0.0.5             cgroup id 3
  123456          0 REJECT     all  --  anywhere             anywhere             ! owner UID match 0 /* a "b" */ reject-with EPERM
`,
  );
});

test('-S', () => {
  expect(printRules(table, { chain: 'web' })).toBe(`-N web
-A web -p udp -m multiport --dports 1,2:3 -j ACCEPT
-A web -m socket --remote 10.0.0.0/8 --remote-port 5 -m cgroup --path "/a" -j RETURN
`);
  expect(printRules(table, { chain: 'BIND', verbose: true })).toContain(
    '-P BIND DROP -c 123456 0\n-A BIND -d 10.0.0.5/32 -p tcp -m cgroup --id 3 -c 7 0 -j other\n',
  );
  expect(printRules(table, { chain: 'BIND', number: 2 })).toBe(
    '-A BIND -m owner ! --uid-owner 0 -m comment --comment "a \\"b\\"" -j REJECT --reject-with EPERM\n',
  );
});
