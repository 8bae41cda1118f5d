# SPDX-License-Identifier: GPL-2.0-or-later

# @ECLASS: crossmerge-linux-headers.eclass
# @SUPPORTED_EAPIS: 8
# @BLURB: the phases of sys-kernel/linux-headers

inherit crossmerge-toolchain

DESCRIPTION="The kernel's headers for the libc of a target"
HOMEPAGE="https://www.kernel.org/"
LICENSE="GPL-2"
SLOT="0"
# The package has nothing but headers. crossdev's plans contain the flag.
IUSE="cet experimental-loong headers-only multilib"

# A whole kernel has 1.3 GB. The headers need the Makefiles, the scripts, and the headers of the architecture. The tools/ at the top
# has many other Makefiles and headers; that of an architecture is needed.
crossmerge-linux-headers_src_unpack() {
	ct_needs_target
	ct_untar "${DISTDIR}/${A}" \
		--wildcards --anchored --no-wildcards-match-slash --exclude='*/tools' --no-anchored --wildcards-match-slash \
		'*/Makefile' '*/Kbuild*' '*/scripts/*' '*/include/*' "*/arch/$(ct_karch)/*"
}

crossmerge-linux-headers_src_compile() {
	# The environment of a build must not name the compiler of the target: `headers` compiles a program for the build machine.
	emake ARCH="$(ct_karch)" CROSS_COMPILE= HOSTCC="${BUILD_CC:-gcc}" headers
}

crossmerge-linux-headers_src_install() {
	# `make headers_install` would copy the same files with rsync.
	find usr/include -type f ! -name '*.h' -delete || die
	insinto "$(ct_sysroot)/usr"
	doins -r usr/include
}

EXPORT_FUNCTIONS src_unpack src_compile src_install
