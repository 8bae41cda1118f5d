# SPDX-License-Identifier: GPL-2.0-or-later

# @ECLASS: crossmerge-musl.eclass
# @SUPPORTED_EAPIS: 8
# @BLURB: the phases of sys-libs/musl

inherit crossmerge-toolchain

DESCRIPTION="A small C library for Linux"
HOMEPAGE="https://musl.libc.org/"
LICENSE="MIT"
SLOT="0"
IUSE="cet crypt headers-only multilib"

crossmerge-musl_src_unpack() { ct_untar "${DISTDIR}/${A}"; }

crossmerge-musl_src_configure() {
	ct_needs_target
	local -x CFLAGS=$(ct_target_flags) LDFLAGS= CC=${CTARGET}-gcc AR=${CTARGET}-ar RANLIB=${CTARGET}-ranlib
	[[ ${CATEGORY} == cross_llvm-* ]] && CC=${CTARGET}-clang AR=llvm-ar RANLIB=llvm-ranlib
	# The headers are installed before the compiler, so configure gets one that accepts everything.
	use headers-only && CC=true
	set -- ./configure --target="${CTARGET}" --prefix=/usr --syslibdir=/lib --disable-gcc-wrapper
	echo "${@}"
	"${@}" || die "configure failed"
}

crossmerge-musl_src_compile() {
	use headers-only && return
	emake
}

crossmerge-musl_src_install() {
	local sysroot=$(ct_sysroot) loader
	if use headers-only; then
		emake DESTDIR="${ED}${sysroot}" install-headers
		return
	fi
	emake DESTDIR="${ED}${sysroot}" install
	# musl's symlink is absolute, and would lead out of the sysroot.
	for loader in "${ED}${sysroot}"/lib/ld-musl-*; do
		ln -sfn ../usr/lib/libc.so "${loader}" || die
	done
}

EXPORT_FUNCTIONS src_unpack src_configure src_compile src_install
