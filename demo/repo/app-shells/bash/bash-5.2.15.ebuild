# SPDX-License-Identifier: GPL-2.0-or-later

# The old example of what cross-compiles badly: configure asks many questions that only running a program answers, and
# the build runs programs of its own (mkbuiltins, mksignames, mksyntax) that have to be for CBUILD. Where configure cannot run
# its tests it takes the worst case, unless CONFIG_SITE says better: no such answer is preset here.

EAPI=8

inherit cross-build

DESCRIPTION="The GNU Bourne-Again shell"
HOMEPAGE="https://www.gnu.org/software/bash/"
# Upstream publishes 5.2 and fifteen patches; this is Debian's tarball of the two together, which no mirror of upstream has.
SRC_URI="${PN}_${PV}.orig.tar.gz"

LICENSE="GPL-3+"
SLOT="0"
KEYWORDS="~alpha amd64 arm arm64 ~hppa ~loong ~m68k ~mips ~ppc ppc64 riscv s390 ~sh ~sparc ~x86"
IUSE="nls"
RESTRICT="fetch"

pkg_nofetch() {
	einfo "demo/setup takes ${A} from Debian's source package of bash and puts it into DISTDIR."
}

src_configure() {
	cb_export_tools

	# Its own readline and termcap, so that it needs nothing but libc, whatever else lies in the sysroot.
	export bash_cv_termcap_lib=gnutermcap
	econf \
		--bindir="${EPREFIX}/bin" \
		--without-bash-malloc \
		--without-curses \
		--without-installed-readline \
		$(use_enable nls)
}

src_install() {
	# "make install" would build the loadable examples too, which nobody needs on a board.
	into /
	dobin bash
	dosym bash /bin/rbash
	doman doc/bash.1
	dodoc NEWS README
}
