# SPDX-License-Identifier: GPL-2.0-or-later

# @ECLASS: crossmerge-libcxxabi.eclass
# @SUPPORTED_EAPIS: 8
# @BLURB: the phases of llvm-runtimes/libcxxabi

inherit crossmerge-llvm

DESCRIPTION="The part of LLVM's C++ library that the compiler calls: exceptions, casts, new and delete"
IUSE="multilib +static-libs"

crossmerge-libcxxabi_src_unpack() { ct_unpack_llvm 'libunwind/*' 'libcxx/*' 'libcxxabi/*' 'runtimes/*' 'third-party/*'; }

crossmerge-libcxxabi_src_configure() {
	# It needs the headers of libcxx, and LLVM's build knows a libunwind to link with only if it builds one, the same as the installed one.
	ct_runtimes 'libunwind;libcxxabi;libcxx' -DLIBCXXABI_USE_LLVM_UNWINDER=ON -DLIBCXXABI_ENABLE_STATIC=$(usex static-libs ON OFF)
}

crossmerge-libcxxabi_src_compile() { ct_make cxxabi; }

crossmerge-libcxxabi_src_install() {
	ct_make DESTDIR="${D}" install-cxxabi
	# libcxx has the same.
	rm -rf "${ED}$(ct_sysroot)/usr/include" || die
}

EXPORT_FUNCTIONS src_unpack src_configure src_compile src_install
