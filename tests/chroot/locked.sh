#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Runs in a root and tries to remove the restrictions that keep it from changing the host. Usage: locked.sh PID
# READ-ONLY… PID is a process of the host with the same user. The other arguments are read-only paths.

pid=$1
shift

did() { echo "did: $*"; }
try() { "$@" > /dev/null 2>&1 && did "$*"; }

for place in "$@" /sys /dev/null /etc/resolv.conf; do
	try busybox mount -o remount,rw,bind "$place" "$place"
	try busybox mount -o remount,rw "$place"
	# The file may belong to any user, and is the host's. So the script tries only writes that would change nothing.
	try busybox chmod 0666 "$place"
	try busybox chown 0:0 "$place"
done
for place in "$@" /dev/null /etc/resolv.conf /proc /dev /sys /; do
	try busybox umount "$place"
done
for file in /proc/sys/vm/swappiness /proc/sys/kernel/hostname /sys/kernel/profiling /sys/module/printk/parameters/time; do
	[ ! -e "$file" ] || try busybox dd "if=$file" "of=$file"
done
for place in "$@"; do
	try busybox touch "$place/new"
done
try kill -0 "$pid"
try kill -TERM "$pid"
# The first process has nothing that another process could inspect.
for link in /proc/1/fd/* /proc/1/cwd /proc/1/root /proc/1/exe /proc/1/ns/*; do
	try busybox readlink "$link"
done
# The per-namespace binfmt_misc is visible to no other namespace.
busybox mount -t binfmt_misc none /mnt 2> /dev/null &&
	echo ':reached:E::reached::/bin/true:' > /mnt/register
busybox hostname reached 2> /dev/null
echo tried
