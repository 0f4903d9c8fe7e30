#!/bin/busybox sh
# Runs the guest's program on the serial console and keeps a shell there.
export PATH=/bin:/sbin:/jre/bin HOME=/tmp
ip link set lo up
[ -n "$MTU" ] && ip link set eth0 mtu "$MTU"
ip link set eth0 up
# kernel messages would interleave with what the program prints
echo 1 > /proc/sys/kernel/printk
echo "xmig-guest: UP uptime=$(cut -d' ' -f1 /proc/uptime)"
if [ -n "$RUN" ]; then
  # what no other user of the host may read: names and values for the program's environment
  (set -a; [ -e /tmp/secrets ] && . /tmp/secrets; rm -f /tmp/secrets
   sh -c "$RUN" < /dev/null > /dev/console 2>&1; echo "xmig-guest: ENDED status=$?" > /dev/console) &
fi
# through a pipe, so that the shell does not think somebody sits there and prompts between the program's lines
while true; do setsid cttyhack sh -c 'sh 2>&1 | cat' < /dev/console > /dev/console 2>&1; sleep 1; done
