# SPDX-License-Identifier: GPL-2.0-or-later

# A package with a service that runs as its own user, and with a file of that user.

EAPI=8

inherit accounts

DESCRIPTION="Counts the boots of a system"
HOMEPAGE="https://wiki.gentoo.org/wiki/Embedded_Handbook"
S=${WORKDIR}

LICENSE="GPL-2+"
SLOT="0"
KEYWORDS="~alpha amd64 arm arm64 ~hppa ~loong ~m68k ~mips ~ppc ppc64 riscv s390 ~sh ~sparc ~x86"

RDEPEND="acct-user/boot-count"

src_install() {
	dobin "${FILESDIR}/boot-count"
	exeinto /etc/init.d
	newexe "${FILESDIR}/boot-count.initd" S50boot-count
	echo 0 > boots || die
	insinto /var/lib/boot-count
	doins boots
}

pkg_preinst() {
	accounts_own boot-count boot-count /var/lib/boot-count{,/boots}
}
