#!/bin/bash
# What a booted kernel runs first, on the machine's own files, which it can't write: RUN on its command line is
# a command in base64, MODULES the folder of its modules.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export HOME=/run/home TMPDIR=/run/tmp NO_COLOR=1
mount -t proc proc /proc
mount -t sysfs sys /sys
# Files of another architecture have no devices.
[[ -c /dev/null ]] || mount -t devtmpfs dev /dev
# Terminals are the kernel's own.
mkdir -p /dev/pts
mount -t devpts -o ptmxmode=666 terminals /dev/pts
mount -t tmpfs -o size=60% tmp /run
mkdir -p /run/tmp /run/home /run/state
chmod 1777 /run/tmp
[[ ! -d /var/lib/sockfilter ]] || mount --bind /run/state /var/lib/sockfilter
mount -t securityfs security /sys/kernel/security
mount -t bpf bpf /sys/fs/bpf
mount -t tracefs tracing /sys/kernel/tracing
mount -t cgroup2 cgroup /sys/fs/cgroup
echo +memory >/sys/fs/cgroup/cgroup.subtree_control
for word in $(</proc/cmdline); do
  case $word in
    RUN=*) run=$(base64 -d <<<"${word#RUN=}") ;;
    MODULES=*) modules=${word#MODULES=} ;;
  esac
done
# Modules come as programs ask for what they hold.
printf '#!/bin/sh\nexec /sbin/modprobe -d %s "$@"\n' "$modules" >/run/modprobe
chmod +x /run/modprobe
echo /run/modprobe >/proc/sys/kernel/modprobe
ip link set lo up
echo "booted $(uname -r)"
bash -c "$run"
echo "ended with $?"
echo o >/proc/sysrq-trigger
sleep 10
