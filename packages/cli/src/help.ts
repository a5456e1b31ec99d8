/** What `sockfilter --help` and `--version` print. */
export const VERSION = '0.1.0';

export const VERSION_LINE = `sockfilter v${VERSION}\n`;

export const HELP = `sockfilter ${VERSION}: an iptables-style firewall for socket calls

Usage:
  sockfilter -A CHAIN RULE            edit the table in force, as with iptables
  sockfilter COMMAND [OPTIONS]        everything else
  sockfilter - [--atomic]             edits from standard input, each by itself or all at once
  sockfilter --file FILE ...          the same on a saved rule file: no root, no kernel

Examples:
  sockfilter -A BIND -m cgroup --id 3 -d 10.0.0.5 -j ACCEPT
  sockfilter -P BIND DROP
  sockfilter -A CONNECT -m cgroup --id web ! -d 10.0.0.0/8 -j REJECT --reject-with EACCES
  sockfilter -L -n -v --line-numbers
  sockfilter group add web && sockfilter exec --group web -- nginx
  sockfilter restore < rules.txt
  sockfilter explain BIND --group web --proto tcp --dst 10.0.0.5:80

Chains: BIND CONNECT SENDTO (-d: the address that is asked for)
        ACCEPT RECVFROM     (-s: the peer, -d: the address of ours that it reached)

Table commands:
  -A CHAIN RULE              append          -C CHAIN RULE    check: exits with 1 if absent
  -I CHAIN [N] RULE          insert          -D CHAIN RULE|N  delete
  -R CHAIN N RULE            replace         -F [CHAIN]       delete all rules
  -L [CHAIN [N]]             list            -S [CHAIN [N]]   list as commands
  -N CHAIN                   new chain       -X [CHAIN]       delete chain
  -E OLD NEW                 rename chain    -P CHAIN POLICY  policy: ACCEPT or DROP [--audit]
  -Z [CHAIN [N]]             zero counters   -v -x --line-numbers --json -c PKTS BYTES
  --deny-unseen [on|off]     refuse to make raw, SCTP, DCCP and UDP-Lite sockets, which no hook sees

Rules:
  [!] -p PROTOCOL            tcp udp udplite icmp ipv6-icmp mptcp all, or a number
  [!] -s ADDR[/MASK][,...]   source          [!] -d ADDR[/MASK][,...]  destination
  [!] --sport --dport P[:P]  ports, after -p tcp, udp or udplite       -4 -6  one family only
  -m cgroup [!] --id N[:M]|NAME  or  [!] --path CGROUP
  [!] -i DEVICE              in BIND, ACCEPT, RECVFROM       [!] -o DEVICE  in CONNECT, SENDTO
  -m comm [!] --comm NAME | -m netns [!] --inode N|--path P  -m addrtype [!] --src-type --dst-type
  -m owner [!] --uid-owner U | [!] --gid-owner G       -m multiport, -m iprange, -m comment
  -m socket [!] --local --remote ADDR  [!] --local-port --remote-port P[:P]
  -m set [!] --match-set SET src|dst[,src|dst] [--return-nomatch]
                                                       a named set: see the command set
  -m mark [!] --mark N[/MASK]  the mark of the socket  -m addrtype [!] --dst-type TYPE[,...]
  -m limit, -m hashlimit, -m quota, -m statistic, -m time    \`-m NAME --help\` prints the options
  -j ACCEPT | DROP | REJECT [--reject-with ERRNO] | RETURN | CHAIN      -g CHAIN
  -j LOG | NFLOG | TRACE     events for \`monitor\`; the walk goes on
  -j DNAT --to-destination ADDRESS[:PORT]  another destination  -j REDIRECT [--to-ports PORT]
  -j MARK --set-mark N[/MASK]     the socket's mark; --set-xmark, --and-mark, --or-mark, --xor-mark
  -j DROP|REJECT --audit     let pass, and report (monitor --audited) what would be refused

Commands:
  save      print the table in the format of iptables-save, or with --json as nftables JSON
  restore   replace the table, or add to it, from a saved rule file
  confirm   keep what restore --confirm SECONDS has put in force for a time
  undo      put the table before back
  group     add, list, delete groups; move processes into them
  set       create, change, list and destroy named sets of addresses, networks and ports
  exec      run a command in a group
  explain   say what becomes of a call, and which rule decides
  monitor   print what is refused, logged and traced, as it happens
  trace     for calls that match, print each rule that was asked
  metrics   print what is in force in numbers, as OpenMetrics, or serve them
  dashboard  show what happens as a page in a browser
  status    say what is attached, and how big it is
  doctor    say what this machine can do, by trying
  teardown  remove every trace from the kernel
  install-service  have systemd restore a rule file at boot, before the network
  check     say what is wrong with rule files        (no root, no kernel: for CI)
  test      hold rule files against the expectations beside them
  diff      say what a change of the rules means for calls
  review    diff --since, test and check in one report, for pull requests
  query     list the calls that are accepted or refused
  simplify  print an equivalent rule file with fewer rules
  import    make a rule file of rules of iptables, nft, systemd, Kubernetes
  learn     make a rule file that allows the calls that events tell of
  export    print a table for nft, or as JSON for other tools
  network.ipv4, network.ipv6  the addresses that a group may bind, as patches of 2007 had them
  rules     list the codes of findings, or explain one
  schema    print a JSON schema: of expectations, of tables in JSON, of answers
  lsp       serve editors with what rule files say, over standard input and output
  completion  print a script that completes commands in bash, zsh or fish

Options of every command:
  --file FILE        work on a saved rule file              [SOCKFILTER_FILE]
  --root CGROUP      police this control group only         [SOCKFILTER_ROOT]
  -w, --wait [SECONDS]  wait for another command to end
  -h, --help         help, also after a command
  -V, --version

Exit status: 0 done; 1 does not fit the table, or findings; 2 can't be parsed or read, or is
forbidden; 3 a bug; 4 the lock is held, a limit, or the kernel refuses.
`;

/** What a first word prints that asks for nothing but a text. */
export function textOf(word: string | undefined): string | undefined {
  if (word === '--help' || word === 'help') return HELP;
  return word === '--version' ? VERSION_LINE : undefined;
}
