#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Makes the machine on which a page of the documentation is run, and waits until its standard input ends: the host with an
# overlay above it, so that every path in the text is the true one and nothing that a page does is left. On it are the program under
# test, Portage as a Gentoo system has it, an ordinary user, and a table of binary formats of its own.
#
# It says its process id when the machine is there; `nsenter --user --mount --target` enters. It is started in a mount
# namespace of its own, by root.
#
# usage: machine.sh CHECKOUT CROSSMERGE

set -eu

checkout=$1 crossmerge=$2
demo=$(readlink -f "$checkout/target/demo")
venv=$demo/venv

mount --make-rprivate /
mount -t tmpfs -o mode=755 machine /mnt

# Puts an overlay above a directory, at a place.
overlay() {
	mkdir -p "/mnt/$3/upper" "/mnt/$3/work" "$2"
	mount -t overlay -o "lowerdir=$1,upperdir=/mnt/$3/upper,workdir=/mnt/$3/work" machine "$2"
}

overlay / /mnt/root machine
cd /mnt/root
for directory in dev proc sys; do
	mount --rbind "/$directory" "$directory"
done
mount -t tmpfs -o mode=1777 tmp tmp

# What lies below /tmp, or on a disk of its own, is not in the overlay.
mkdir -p "./$checkout" opt/rust
mount --bind "$checkout" "./$checkout"
mount -o remount,bind,ro "./$checkout"
overlay "$venv" "./$venv" portage
mount --bind "$demo/rust" opt/rust

# Nothing of a crossmerge, its targets or a Portage that the machine has. What a package of the machine's owns below a target's
# directory stays: Debian has its cross libraries there.
rm -rf etc/portage etc/crossmerge var/lib/crossmerge var/db/repos var/db/pkg usr/share/portage
for home in root home/*; do
	rm -rf "$home/.config/crossmerge" "$home/.local/share/crossmerge" "$home/.local/state/crossmerge"
done
for sysroot in usr/*-*; do
	[ -d "$sysroot/etc" ] || [ -d "$sysroot/var/lib/crossmerge" ] || continue
	if dpkg-query -S "/$sysroot" > /dev/null 2>&1; then
		(cd "$sysroot" && rm -rf etc tmp usr var)
	else
		rm -rf "$sysroot"
	fi
done
for made in usr/*/var/lib/crossmerge usr/*/etc/portage; do
	[ ! -e "$made" ] || rm -rf "usr/$(echo "$made" | cut -d/ -f2)"
done
rm -rf home/you
mkdir -p etc/portage var/db/repos var/cache usr/local/bin
find usr/local/bin usr/local/sbin usr/bin usr/sbin root/.local/bin \( -lname crossmerge -o -lname '*/crossmerge' -o -name crossmerge \) -delete 2> /dev/null || :
: > usr/local/bin/crossmerge
mount --bind "$crossmerge" usr/local/bin/crossmerge
for name in emerge-wrapper $("$crossmerge" applets | sed 's/^/cross-/'); do
	ln -s crossmerge "usr/local/bin/$name"
done
for program in cargo rustc rustdoc; do
	ln -sf "/opt/rust/bin/$program" "usr/local/bin/$program"
done

# The ordinary user may not see root's home, where a checkout or a Python may be.
for path in "$checkout" "$demo" "$(readlink -f "$venv/bin/python3")"; do
	while path=$(dirname "$path") && [ "$path" != / ]; do
		chmod a+rx "./$path" 2> /dev/null || true
	done
done

# Portage's own build fills these in when it is installed for a whole system, in place of a Python environment.
python=$(echo "./$venv"/lib/python3*/site-packages/portage)
sed -i 's/^if "MODULE" == "MODULE"/if "SYSTEM" == "MODULE"/; s/^elif "MODULE" == "SYSTEM"/elif "SYSTEM" == "SYSTEM"/' "$python/installation.py"
sed -i "s|PORTAGE_BASE_PATH = \"\"\"\"\"\"|PORTAGE_BASE_PATH = \"$venv/lib/portage\"|
	s|PORTAGE_BIN_PATH = \"\"\"\"\"\"|PORTAGE_BIN_PATH = \"$venv/lib/portage/bin\"|" "$python/const.py"
for program in ebuild emaint emerge portageq quickpkg gtar; do
	ln -sf "$venv/bin/$program" "usr/bin/$program"
done
ln -s "$venv/share/portage" usr/share/portage
rm -rf var/cache/distfiles
ln -s "$venv/var/cache/distfiles" var/cache/distfiles
sed -i 's|^DISTDIR=.*/venv/|DISTDIR="/|' "./$venv/share/portage/config/make.globals"
repo=/var/db/repos/crossmerge-demo
mkdir ".$repo"
mount --bind "$checkout/demo/repo" ".$repo"
cp "$venv/etc/portage/make.conf" etc/portage
sed "s|^location = .*|location = $repo|" "$venv/etc/portage/repos.conf" > etc/portage/repos.conf
ln -s "../..$repo/profiles/linux/$(basename "$(readlink "$venv/etc/portage/make.profile")")" etc/portage/make.profile

sed -i '1i you:x:1000:1000::/home/you:/bin/bash' etc/passwd
sed -i '1i you:x:1000:' etc/group
mkdir -p home/you
chown 1000:1000 home/you

pivot_root . mnt
umount -l /mnt

# In a user namespace, since Linux 6.7, the table of binary formats is its own. Who is who stays.
mkfifo /tmp/made /tmp/mapped
exec 3<&0
unshare --user --mount sh -c '
	echo > /tmp/made; read -r _ < /tmp/mapped
	rm /tmp/made /tmp/mapped
	mount -t binfmt_misc none /proc/sys/fs/binfmt_misc
	echo $$
	exec cat' <&3 &
read -r _ < /tmp/made
for map in uid_map gid_map; do
	awk '{ print $1, $1, $3 }' "/proc/self/$map" > "/proc/$!/$map"
done
echo > /tmp/mapped
wait "$!"
