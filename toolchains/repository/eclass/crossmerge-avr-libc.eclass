# SPDX-License-Identifier: GPL-2.0-or-later

# @ECLASS: crossmerge-avr-libc.eclass
# @SUPPORTED_EAPIS: 8
# @BLURB: the phases of dev-embedded/avr-libc

inherit crossmerge-toolchain

DESCRIPTION="A C library for AVR microcontrollers"
HOMEPAGE="https://www.nongnu.org/avr-libc/"
LICENSE="BSD"
SLOT="0"
IUSE="cet multilib"

# Debian's archive is Atmel's: the library is in libc/avr-libc, and the headers of the microcontrollers are beside it.
crossmerge-avr-libc_src_unpack() {
	ct_untar "${DISTDIR}/${A}"
	[[ -d ${S}/libc/avr-libc ]] || return 0
	mv "${S}" "${WORKDIR}/atmel" || die
	mv "${WORKDIR}/atmel/libc/avr-libc" "${S}" || die
	cp "${WORKDIR}"/atmel/avr/*.h "${S}/include/avr/" || die
}

# Atmel's tree has no configure script.
crossmerge-avr-libc_src_prepare() {
	default
	[[ -x ${S}/configure ]] && return
	type -P automake > /dev/null || die "automake is missing: this archive of avr-libc has no configure script"
	cd "${S}" || die
	./bootstrap || die "bootstrap failed"
}

crossmerge-avr-libc_src_configure() {
	ct_needs_compiler
	mkdir -p "${WORKDIR}/build" || die
	cd "${WORKDIR}/build" || die
	# The library sets its own flags for each microcontroller.
	local -x CFLAGS= CXXFLAGS= CPPFLAGS= LDFLAGS= CC=${CTARGET}-gcc AR=${CTARGET}-ar AS=${CTARGET}-as RANLIB=${CTARGET}-ranlib STRIP=${CTARGET}-strip
	ct_run_configure "${S}/configure" --prefix="${EPREFIX}/usr" --host="${CTARGET}"
}

crossmerge-avr-libc_src_compile() { ct_make; }

crossmerge-avr-libc_src_install() {
	ct_make DESTDIR="${D}" install
	rm -rf "${ED}/usr/share" "${ED}/usr/bin" || die
}

EXPORT_FUNCTIONS src_unpack src_prepare src_configure src_compile src_install
