# SPDX-License-Identifier: GPL-2.0-or-later

# The smallest package that autoconf can configure.

EAPI=8

DESCRIPTION="Prints a friendly greeting"
HOMEPAGE="https://www.gnu.org/software/hello/"
SRC_URI="https://ftp.gnu.org/gnu/hello/${P}.tar.gz"

LICENSE="GPL-3+"
SLOT="0"
KEYWORDS="~alpha amd64 arm arm64 ~hppa ~loong ~m68k ~mips ~ppc ppc64 riscv s390 ~sh ~sparc ~x86"
IUSE="nls"

src_configure() {
	econf $(use_enable nls)
}
