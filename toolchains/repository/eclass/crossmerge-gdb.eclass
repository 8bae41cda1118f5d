# SPDX-License-Identifier: GPL-2.0-or-later

# @ECLASS: crossmerge-gdb.eclass
# @SUPPORTED_EAPIS: 8
# @BLURB: the phases of dev-debug/gdb

inherit crossmerge-toolchain

DESCRIPTION="The debugger for programs of a target"
HOMEPAGE="https://www.gnu.org/software/gdb/"
LICENSE="GPL-3+ LGPL-2.1+"
SLOT="0"
IUSE="cet multilib nls python"

crossmerge-gdb_src_unpack() { ct_untar "${DISTDIR}/${A}"; }

crossmerge-gdb_src_configure() {
	ct_needs_target
	local data=/usr/share/gdb-data/${CTARGET}
	ct_configure \
		--program-prefix="${CTARGET}-" --with-sysroot="${EPREFIX}$(ct_sysroot)" \
		--datadir="${EPREFIX}${data}" --infodir="${EPREFIX}${data}/info" --mandir="${EPREFIX}${data}/man" \
		--libdir="${EPREFIX}/usr/lib/gdb/${CTARGET}" --includedir="${EPREFIX}/usr/lib/gdb/${CTARGET}/include" \
		--disable-binutils --disable-gas --disable-gold --disable-gprof --disable-gprofng --disable-ld --disable-sim --disable-gdbserver \
		--disable-werror --disable-source-highlight --without-debuginfod --without-guile \
		$(use_enable nls) $(use_with python)
}

crossmerge-gdb_src_compile() { ct_make all; }

crossmerge-gdb_src_install() {
	ct_make DESTDIR="${D}" install
	rm -rf "${ED}/usr/lib/gdb" "${ED}/usr/share/gdb-data/${CTARGET}/info" || die
	ct_strip /usr/bin
}

EXPORT_FUNCTIONS src_unpack src_configure src_compile src_install
