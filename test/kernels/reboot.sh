#!/bin/bash
# What a Debian under test does in each of its lives, the how manyth says /boots; run by systemd with "witness" before the
# network is up, in web.slice, and without a word when all is up. Lines that begin with "=" are read by reboot.js.
call() {
  if (exec 3<>"/dev/udp/$1/9") 2>/dev/null; then echo "= $2 $1 allowed"; else echo "= $2 $1 refused"; fi
}
calls() { for address in 10.8.0.1 10.8.0.2 127.0.0.1; do call "$address" "$1"; done; }

if [[ ${1-} == witness ]]; then
  ip route add local 10.0.0.0/8 dev lo
  calls web >/run/witness 2>&1
  exit
fi
exec >/dev/ttyS0 2>&1 </dev/null
boots=$(($(cat /boots 2>/dev/null) + 1))
echo "$boots" >/boots
cat /run/witness
since() { systemctl show -p "$2" --value "$1"; }
calls machine
# The kernel has had the rules before anything that makes a network was started.
restored=$(since sockfilter.service ExecMainExitTimestampMonotonic)
network=$(since systemd-networkd.service ExecMainStartTimestampMonotonic)
echo "= times $restored $network"
echo "= unit $(systemctl is-active sockfilter.service)"
case $boots in
  1)
    sockfilter group add web --path /web.slice
    sockfilter -A CONNECT -d 10.8.0.1 -m cgroup --id web -j REJECT --reject-with EACCES
    sockfilter save -f /etc/sockfilter/rules
    sockfilter install-service --fail closed
    sockfilter save | sed 's/^/= saved /'
    echo '= up'
    systemctl reboot
    ;;
  2)
    sockfilter save | sed 's/^/= saved /'
    cp /etc/sockfilter/rules /rules
    echo damaged >>/etc/sockfilter/rules
    sync
    echo '= up'
    # The power is cut here.
    sleep infinity
    ;;
  3)
    cp /rules /etc/sockfilter/rules
    systemctl restart sockfilter.service
    sockfilter save | sed 's/^/= saved /'
    sockfilter status && echo '= status 0'
    calls repaired
    echo '= up'
    systemctl poweroff
    ;;
esac
