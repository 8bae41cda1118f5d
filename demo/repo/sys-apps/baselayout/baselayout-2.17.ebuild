# SPDX-License-Identifier: GPL-2.0-or-later

# The directories, users and settings of every system. As in Gentoo's repository, USE=build makes a package that is merged
# first and alone into an empty root.

EAPI=8

DESCRIPTION="The directories, users and settings of a root file system"
HOMEPAGE="https://wiki.gentoo.org/wiki/Project:Base"
S=${WORKDIR}

LICENSE="GPL-2+"
SLOT="0"
KEYWORDS="~alpha amd64 arm arm64 ~hppa ~loong ~m68k ~mips ~ppc ppc64 riscv s390 ~sh ~sparc ~x86"
IUSE="build"

src_install() {
	local file
	keepdir /boot /dev /home /mnt /proc /run /sys /usr/bin /var/cache /var/lib /var/log /var/spool
	diropts -m 0700
	keepdir /root
	diropts -m 1777
	keepdir /tmp /var/tmp
	diropts -m 0755
	dosym ../run /var/run
	dosym ../run/lock /var/lock
	dosym ../proc/self/mounts /etc/mtab
	insinto /etc
	for file in passwd group hosts nsswitch.conf profile shells; do
		doins "${FILESDIR}/${file}"
	done
	insopts -m 0640
	doins "${FILESDIR}/shadow"
}
