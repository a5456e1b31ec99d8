#!/bin/bash
# Tries the command of a package that is unpacked in FOLDER. Lines that begin with "=" are read by packed.js.
call() {
  if (exec 3<>"/dev/udp/$1/9") 2>/dev/null; then echo "= $2 $1 allowed"; else echo "= $2 $1 refused"; fi
}
calls() { for address in 10.8.0.1 10.8.0.2; do call "$address" "$1"; done; }

export PATH=$FOLDER/usr/bin:$PATH
mount -t tmpfs state /var/lib
ip route add local 10.0.0.0/8 dev lo
echo "= version $(sockfilter --version)"
sockfilter doctor
echo "= doctor $?"
calls before
sockfilter -A CONNECT -d 10.8.0.1 -j REJECT --reject-with EACCES
echo "= edit $?"
calls after
sockfilter-save >/run/rules && sockfilter-restore /run/rules
echo "= restore $?"
sockfilter status
echo "= status $?"
sockfilter teardown
calls down
begun=${EPOCHREALTIME/./}
for _ in 1 2 3 4 5; do sockfilter --version >/dev/null; done
echo "= start $(((${EPOCHREALTIME/./} - begun) / 5000)) ms"
