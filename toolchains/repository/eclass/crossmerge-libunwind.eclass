# SPDX-License-Identifier: GPL-2.0-or-later

# @ECLASS: crossmerge-libunwind.eclass
# @SUPPORTED_EAPIS: 8
# @BLURB: the phases of llvm-runtimes/libunwind

inherit crossmerge-llvm

DESCRIPTION="LLVM's library that unwinds the stack"
IUSE="multilib +static-libs"

crossmerge-libunwind_src_unpack() { ct_unpack_llvm 'libunwind/*' 'libcxx/*' 'runtimes/*'; }

crossmerge-libunwind_src_configure() {
	ct_runtimes libunwind -DLIBUNWIND_ENABLE_STATIC=$(usex static-libs ON OFF)
}

crossmerge-libunwind_src_compile() { ct_make unwind; }

crossmerge-libunwind_src_install() {
	ct_make DESTDIR="${D}" install-unwind
	insinto "$(ct_sysroot)/usr/include"
	doins "${S}"/libunwind/include/*.h
}

EXPORT_FUNCTIONS src_unpack src_configure src_compile src_install
