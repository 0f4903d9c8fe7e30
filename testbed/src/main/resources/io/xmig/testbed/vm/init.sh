#!/bin/busybox sh
# First process of the guest: loads the drivers, finds the root file system, hands over to /sbin/init.
# Words NAME=value of the kernel command line are in the environment: ROOT, MTU, RUN.
export PATH=/bin:/sbin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mount -t tmpfs -o size=90% tmp /tmp
[ -e /secrets ] && mv /secrets /tmp/secrets
for module in $(cat /modules/order); do insmod "/modules/$module.ko" || echo "xmig-guest: FAILED to load $module"; done
i=0; while [ ! -e /sys/class/net/eth0 ] && [ $i -lt 100 ]; do usleep 10000; i=$((i+1)); done
if [ -n "$ROOT" ]; then
  i=0; while [ ! -e "/dev/$ROOT" ] && [ $i -lt 100 ]; do usleep 10000; i=$((i+1)); done
  if mount -t ext4 "/dev/$ROOT" /new; then
    for dir in dev proc sys tmp; do mount --move "/$dir" "/new/$dir"; done
    exec switch_root /new /sbin/init
  fi
  echo "xmig-guest: FAILED to mount /dev/$ROOT"
  exit 1
fi
exec /sbin/init
