# SPDX-License-Identifier: GPL-2.0-or-later

# A well-known example of a package that is hard to cross-compile. configure has many tests that run a program, and the build
# runs programs of its own (mkbuiltins, mksignames, mksyntax) that must be for CBUILD. If configure cannot run a test, it
# assumes the worst case, unless CONFIG_SITE contains the answer. This ebuild presets no answer.

EAPI=8

inherit cross-build

DESCRIPTION="The GNU Bourne-Again shell"
HOMEPAGE="https://www.gnu.org/software/bash/"
# Upstream publishes 5.2 and fifteen patches; Debian's tarball contains the two together. No mirror of upstream has it.
SRC_URI="${PN}_${PV}.orig.tar.gz"

LICENSE="GPL-3+"
SLOT="0"
KEYWORDS="~alpha amd64 arm arm64 ~hppa ~loong ~m68k ~mips ~ppc ppc64 riscv s390 ~sh ~sparc ~x86"
IUSE="nls"
RESTRICT="fetch"

pkg_nofetch() {
	einfo "demo/setup takes ${A} from Debian's source package of bash and puts it into DISTDIR."
}

src_prepare() {
	default
	# The script replaces strtoimax if the libc has it, instead of if not. With musl, a static bash then has two.
	sed -i 's/if test \$bash_cv_func_strtoimax = yes/if test $bash_cv_func_strtoimax = no/' configure || die
	grep -q 'bash_cv_func_strtoimax = no; then' configure || die
}

src_configure() {
	cb_export_tools

	# Use the bundled readline and termcap, so that bash needs nothing but libc, whatever the sysroot contains.
	export bash_cv_termcap_lib=gnutermcap
	econf \
		--bindir="${EPREFIX}/bin" \
		--without-bash-malloc \
		--without-curses \
		--without-installed-readline \
		$(use_enable nls)
}

src_install() {
	# "make install" would also build the loadable examples, which a board does not need.
	into /
	dobin bash
	dosym bash /bin/rbash
	doman doc/bash.1
	dodoc NEWS README
}
