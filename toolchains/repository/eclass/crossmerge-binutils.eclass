# SPDX-License-Identifier: GPL-2.0-or-later

# @ECLASS: crossmerge-binutils.eclass
# @SUPPORTED_EAPIS: 8
# @BLURB: the phases of sys-devel/binutils

inherit crossmerge-toolchain

DESCRIPTION="The assembler, the linker and the tools for object files of a target"
HOMEPAGE="https://www.gnu.org/software/binutils/"
LICENSE="GPL-3+"
SLOT="$(ver_cut 1-2)"
IUSE="cet cxx multilib nls"

crossmerge-binutils_src_unpack() { ct_untar "${DISTDIR}/${A}"; }

crossmerge-binutils_src_configure() {
	ct_needs_target
	local home=/usr/${CHOST}/${CTARGET} data=/usr/share/binutils-data/${CTARGET}/${SLOT}
	ct_configure \
		--with-sysroot="${EPREFIX}$(ct_sysroot)" \
		--program-prefix="${CTARGET}-" \
		--bindir="${EPREFIX}${home}/binutils-bin/${SLOT}" \
		--libdir="${EPREFIX}/usr/lib64/binutils/${CTARGET}/${SLOT}" \
		--includedir="${EPREFIX}/usr/lib64/binutils/${CTARGET}/${SLOT}/include" \
		--datadir="${EPREFIX}${data}" --infodir="${EPREFIX}${data}/info" --mandir="${EPREFIX}${data}/man" \
		--enable-deterministic-archives --enable-plugins --enable-lto --enable-ld=default --enable-new-dtags \
		--disable-gdb --disable-gdbserver --disable-sim --disable-readline --disable-libdecnumber --disable-gprofng \
		--disable-shared --disable-werror --without-debuginfod --without-zstd --without-msgpack \
		$(use_enable multilib) $(use_enable nls)
}

crossmerge-binutils_src_compile() { ct_make all; }

crossmerge-binutils_src_install() {
	local home=/usr/${CHOST}/${CTARGET} libraries=/usr/lib64/binutils/${CTARGET}/${SLOT} program
	# By default the linker scripts would be in the sysroot, which only packages of the target should own.
	ct_make DESTDIR="${D}" tooldir="${EPREFIX}${libraries}" install
	rm -rf "${ED}${libraries}/bin" "${ED}/usr/share/binutils-data/${CTARGET}/${SLOT}/info" || die
	find "${ED}" -name '*.la' -delete || die
	# In the directory of the version, the programs have their plain names, as in ::gentoo's package.
	for program in "${ED}${home}/binutils-bin/${SLOT}/${CTARGET}"-*; do
		mv "${program}" "${program%/*}/${program##*/"${CTARGET}-"}" || die
	done
	ct_strip "${home}"

	insinto /etc/env.d/binutils
	newins - "${CTARGET}-${SLOT}" <<-EOT
		TARGET="${CTARGET}"
		VER="${SLOT}"
		LIBPATH="${EPREFIX}${libraries}"
	EOT
}

crossmerge-binutils_pkg_postinst() { ct_select binutils "${SLOT}"; }

crossmerge-binutils_pkg_postrm() { ct_deselect binutils; }

EXPORT_FUNCTIONS src_unpack src_configure src_compile src_install pkg_postinst pkg_postrm
