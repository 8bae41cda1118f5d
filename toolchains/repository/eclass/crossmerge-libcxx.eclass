# SPDX-License-Identifier: GPL-2.0-or-later

# @ECLASS: crossmerge-libcxx.eclass
# @SUPPORTED_EAPIS: 8
# @BLURB: the phases of llvm-runtimes/libcxx

inherit crossmerge-llvm

DESCRIPTION="LLVM's C++ library"
IUSE="multilib +static-libs"

crossmerge-libcxx_src_unpack() { ct_unpack_llvm 'libcxx/*' 'libcxxabi/include/*' 'runtimes/*' 'third-party/*'; }

crossmerge-libcxx_src_configure() {
	# The installed libunwind is clang's default; the option would mean one that is built here.
	ct_runtimes libcxx -DLIBCXX_CXX_ABI=system-libcxxabi -DLIBCXXABI_USE_LLVM_UNWINDER=OFF \
		-DLIBCXX_CXX_ABI_INCLUDE_PATHS="${S}/libcxxabi/include" -DLIBCXX_CXX_ABI_LIBRARY_PATH="${EPREFIX}$(ct_sysroot)/usr/lib" \
		-DLIBCXX_ENABLE_STATIC=$(usex static-libs ON OFF) -DLIBCXX_ENABLE_STATIC_ABI_LIBRARY=OFF -DLIBCXX_ENABLE_ABI_LINKER_SCRIPT=ON
}

crossmerge-libcxx_src_compile() { ct_make cxx; }

crossmerge-libcxx_src_install() {
	local libraries=$(ct_sysroot)/usr/lib
	ct_make DESTDIR="${D}" install-cxx install-cxx-headers
	# clang links a C++ program with libc++ alone. libc++.so names libc++abi in a linker script; the archive gets its members.
	# LLVM's own option for that has no effect on an installed libc++abi in LLVM 19.
	if use static-libs; then
		llvm-ar qLs "${ED}${libraries}/libc++.a" "${EPREFIX}${libraries}/libc++abi.a" || die
	fi
	# LLVM 15 and later install them with libcxxabi.
	insinto "$(ct_sysroot)/usr/include/c++/v1"
	doins "${S}"/libcxxabi/include/*.h
}

EXPORT_FUNCTIONS src_unpack src_configure src_compile src_install
