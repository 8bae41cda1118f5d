#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Makes the machine on which a page of the documentation runs, and waits until its standard input is closed. The
# machine is the host with an overlay, so that every path in the text is the real one and nothing that a page writes
# remains. It has the program under test, Portage as on a Gentoo system, an ordinary user, and its own binfmt_misc.
#
# The script prints its PID when the machine is ready. `nsenter --user --mount --target` enters the machine. Root
# starts the script in a new mount namespace.
#
# usage: machine.sh CHECKOUT CROSSMERGE

set -eu

checkout=$1 crossmerge=$2
demo=$(readlink -f "$checkout/target/demo")
venv=$demo/venv

mount --make-rprivate /
mount -t tmpfs -o mode=755 machine /mnt

# Mounts an overlay of a directory at a path.
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

# Directories below /tmp, and those on another disk, are not in the overlay.
mkdir -p "./$checkout" opt/rust
mount --bind "$checkout" "./$checkout"
mount -o remount,bind,ro "./$checkout"
overlay "$venv" "./$venv" portage
mount --bind "$demo/rust" opt/rust

# Removes the host's crossmerge, its targets and its Portage. Files of the host's packages below a target's directory
# stay: Debian has its cross libraries there.
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

# The ordinary user may not read root's home, which may contain a checkout or a Python.
for path in "$checkout" "$demo" "$(readlink -f "$venv/bin/python3")"; do
	while path=$(dirname "$path") && [ "$path" != / ]; do
		chmod a+rx "./$path" 2> /dev/null || true
	done
done

# Portage's own build sets these when it is installed for a whole system. Here a Python environment is used instead.
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

# In a user namespace, binfmt_misc is a separate one since Linux 6.7. User IDs stay the same.
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
