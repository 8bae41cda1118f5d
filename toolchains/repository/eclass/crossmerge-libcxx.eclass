# SPDX-License-Identifier: GPL-2.0-or-later

# @ECLASS: crossmerge-libcxx.eclass
# @SUPPORTED_EAPIS: 8
# @BLURB: the phases of llvm-runtimes/libcxx

inherit crossmerge-llvm

DESCRIPTION="LLVM's C++ library"
IUSE="multilib +static-libs"

crossmerge-libcxx_src_unpack() { ct_unpack_llvm 'libcxx/*' 'libcxxabi/include/*' 'runtimes/*' 'third-party/*'; }

crossmerge-libcxx_src_configure() {
	# clang links a C++ program with this library alone, so the static one contains libc++abi, and the shared one names it.
	ct_runtimes libcxx -DLIBCXX_CXX_ABI=system-libcxxabi \
		-DLIBCXX_CXX_ABI_INCLUDE_PATHS="${S}/libcxxabi/include" -DLIBCXX_CXX_ABI_LIBRARY_PATH="${EPREFIX}$(ct_sysroot)/usr/lib" \
		-DLIBCXX_ENABLE_STATIC=$(usex static-libs ON OFF) -DLIBCXX_ENABLE_STATIC_ABI_LIBRARY=$(usex static-libs ON OFF) \
		-DLIBCXX_STATICALLY_LINK_ABI_IN_SHARED_LIBRARY=OFF -DLIBCXX_ENABLE_ABI_LINKER_SCRIPT=ON
}

crossmerge-libcxx_src_compile() { ct_make cxx; }

crossmerge-libcxx_src_install() {
	local headers=$(ct_sysroot)/usr/include/c++/v1
	ct_make DESTDIR="${D}" install-cxx install-cxx-headers
	# LLVM 15 and later install them with libcxxabi.
	insinto "${headers}"
	doins "${S}"/libcxxabi/include/*.h
}

EXPORT_FUNCTIONS src_unpack src_configure src_compile src_install
