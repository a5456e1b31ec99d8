#!/bin/bash
# One life of a machine whose power will be cut: what the unit does at boot, what is in force then, and commands that
# change the table, the ids and the history until the end. DISK is the folder of what survives, TABLES one of rule
# files, FROM the first to put in force. Lines that begin with "=" are read by powercut.js.
export SOCKFILTER_STATE_DIR=$DISK/state
rules=$DISK/etc/rules
unit=packages/cli/systemd/sockfilter.service

/run/modprobe virtio_blk
mountpoint -q /dev || mount -t devtmpfs dev /dev
mkdir -p "$DISK"
# Without the kernel's own care for files that are replaced, which not all file systems have.
mount -t ext4 -o noauto_da_alloc,commit=300 /dev/vda "$DISK"
mkdir -p "$DISK/etc"
sysctl -qw vm.dirty_expire_centisecs=30000 vm.dirty_writeback_centisecs=0
ip route add local 10.0.0.0/8 dev lo
# Another name than the last boot had: names come from a network that is not there yet at boot.
hostname "boot-$FROM"
sockfilter() { node packages/cli/bin/sockfilter.cjs "$@"; }

call() {
  if (exec 3<>"/dev/udp/$1/9") 2>/dev/null; then echo "= call $1 allowed"; else echo "= call $1 refused"; fi
}

started=$(sed -n "s|^ExecStart=/usr/local/bin/sockfilter|sockfilter|; s|/etc/sockfilter/rules|$rules|; s|^sockfilter|&|p" "$unit")
eval "$started"
echo "= restore $?"
if [[ -e $rules ]]; then
  sockfilter save | cmp - "$rules" >&2 && echo '= in force: the file' || echo '= in force: not the file'
fi
for address in 10.200.0.1 127.0.0.1 $PROBES; do call "$address"; done
echo '= up'
for ((n = FROM; ; n++)); do
  sockfilter restore --label "t$n" "$TABLES/$n.rules" || exit
  echo "= put $n"
  sockfilter save -f "$rules" || exit
  echo "= kept $n"
done
