# SPDX-License-Identifier: GPL-2.0-or-later

# @ECLASS: crossmerge-glibc.eclass
# @SUPPORTED_EAPIS: 8
# @BLURB: the phases of sys-libs/glibc
# @DESCRIPTION:
# MULTILIB_ABIS names the ABIs. Each is built in a directory of its own, and installed into the library directory that glibc and GCC
# both have for it.

inherit crossmerge-toolchain

DESCRIPTION="The GNU C library"
HOMEPAGE="https://www.gnu.org/software/libc/"
LICENSE="LGPL-2.1+ BSD HPND ISC inner-net rc PCRE"
SLOT="0"
# The static libraries are always built.
IUSE="cet headers-only multilib +static-libs"

crossmerge-glibc_src_unpack() { ct_untar "${DISTDIR}/${A}"; }

# Debian's archive has no manual.
crossmerge-glibc_src_prepare() {
	default
	[[ -d ${S}/manual ]] || sed -i -e '/^all-subdirs/,/^$/ s/ manual / /' "${S}/Makeconfig" || die
}

# Prints the ABIs.
crossmerge-glibc_abis() {
	echo "${MULTILIB_ABIS:-${DEFAULT_ABI:-default}}"
}

# Runs the configure script for one ABI.
crossmerge-glibc_configure() {
	local abi=${1} host=${CTARGET} of_abi=CHOST_${1} cc=${CTARGET}-gcc
	[[ ${abi} == "${DEFAULT_ABI:-default}" ]] || host=${!of_abi}
	# The headers are installed before the compiler of the target. No file is compiled then.
	use headers-only && cc=${BUILD_CC:-gcc}
	local flags=$(ct_target_flags "${abi}")
	mkdir -p "${WORKDIR}/build-${abi}" || die
	cd "${WORKDIR}/build-${abi}" || die
	local -x CFLAGS=${flags} CXXFLAGS=${flags} CPPFLAGS= LDFLAGS= BUILD_CC=${BUILD_CC:-gcc}
	# The programs in C++ are tests. An empty value would be the build machine's compiler.
	local -x CC="${cc} ${flags#-O2 -pipe}" CXX=false
	ct_run_configure "${S}/configure" --prefix=/usr --host="${host}" \
		--with-headers="${EPREFIX}$(ct_sysroot)/usr/include" --with-pkgversion="crossmerge ${PVR}" \
		--enable-bind-now --disable-werror --disable-profile --disable-nscd --without-selinux --without-gd \
		$(use_enable cet)
}

crossmerge-glibc_src_configure() {
	local abi
	if use headers-only; then
		ct_needs_target
		crossmerge-glibc_configure "${DEFAULT_ABI:-default}"
		return
	fi
	ct_needs_compiler
	for abi in $(crossmerge-glibc_abis); do
		crossmerge-glibc_configure "${abi}"
	done
}

crossmerge-glibc_src_compile() {
	local abi
	use headers-only && return
	for abi in $(crossmerge-glibc_abis); do
		emake -C "${WORKDIR}/build-${abi}"
	done
}

crossmerge-glibc_src_install() {
	local sysroot=$(ct_sysroot) abi default=${DEFAULT_ABI:-default}
	if use headers-only; then
		emake -C "${WORKDIR}/build-${default}" install_root="${ED}${sysroot}" install-bootstrap-headers=yes install-headers
		# These two are generated from compiled files. An empty one is sufficient to compile GCC's libgcc.
		insinto "${sysroot}/usr/include/gnu"
		newins - stubs.h < /dev/null
		return
	fi
	# The default ABI is installed last, since the programs of each replace those of the one before.
	for abi in $(crossmerge-glibc_abis); do
		[[ ${abi} == "${default}" ]] || emake -C "${WORKDIR}/build-${abi}" install_root="${ED}${sysroot}" install
	done
	emake -C "${WORKDIR}/build-${default}" install_root="${ED}${sysroot}" install
	# Settings belong to the target's own system.
	rm -rf "${ED}${sysroot}/etc" "${ED}${sysroot}/var" "${ED}${sysroot}/usr/share/info" || die
	find "${ED}${sysroot}" -type f \( -name '*.so*' -o -path '*/bin/*' -o -path '*/sbin/*' -o -path '*/libexec/*' \) \
		-exec "${CTARGET}-strip" --strip-unneeded {} + 2> /dev/null
	return 0
}

EXPORT_FUNCTIONS src_unpack src_prepare src_configure src_compile src_install
