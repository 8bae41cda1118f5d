# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The target's programs and root on the build machine.
# shellcheck disable=SC2154 # bench/run sets them

group "The target's programs and root here"

arm-linux-gnueabi-gcc -static -o hello "$here/nothing.c"
bare '<tuple>-run PROGRAM : its QEMU' 20 +2 run "$work/hello"

# The first entry creates the mount points in the root, and tests need a root without them. So this root is a copy.
root=$work/native
cp -a "$demo/roots/native" "$root"
if unshare --mount --pid --fork chroot "$root" /bin/true 2> /dev/null; then
	compare '<tuple>-chroot /bin/true : unshare … chroot /bin/true, this CPU' 10 - \
		"$tuple-chroot --root $root /bin/true" "unshare --mount --pid --fork chroot $root /bin/true"
else
	say "namespaces are not available: chroot is omitted"
fi
