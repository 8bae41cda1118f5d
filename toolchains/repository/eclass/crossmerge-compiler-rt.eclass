# SPDX-License-Identifier: GPL-2.0-or-later

# @ECLASS: crossmerge-compiler-rt.eclass
# @SUPPORTED_EAPIS: 8
# @BLURB: the phases of llvm-runtimes/compiler-rt

inherit crossmerge-llvm

DESCRIPTION="The library and the start files that clang's own code needs"
IUSE="multilib"

crossmerge-compiler-rt_src_unpack() { ct_unpack_llvm 'compiler-rt/CMakeLists.txt' 'compiler-rt/lib/builtins/*' 'compiler-rt/lib/crt/*'; }

crossmerge-compiler-rt_src_configure() {
	# The project of the builtins alone finds the modules of the others only by this path.
	ct_cmake compiler-rt/lib/builtins -DCMAKE_MODULE_PATH="${S}/cmake/Modules;${S}/llvm/cmake/modules" \
		-DCMAKE_TRY_COMPILE_TARGET_TYPE=STATIC_LIBRARY -DCOMPILER_RT_DEFAULT_TARGET_ONLY=ON \
		-DCOMPILER_RT_BUILTINS_HIDE_SYMBOLS=ON -DCOMPILER_RT_OS_DIR=linux
}

crossmerge-compiler-rt_src_compile() {
	local file
	ct_make all
	for file in crtbegin crtend; do
		"${CTARGET}-clang" -O2 -fPIC -std=c11 -DCRT_HAS_INITFINI_ARRAY \
			-c "$(ct_crt_source "${file}")" -o "${WORKDIR}/build/${file}.o" || die "${file}.o failed"
	done
}

# Prints the source of a start file, which LLVM 17 has moved.
ct_crt_source() {
	local directory
	for directory in lib/crt lib/builtins; do
		[[ -f ${S}/compiler-rt/${directory}/${1}.c ]] && echo "${S}/compiler-rt/${directory}/${1}.c"
	done
}

crossmerge-compiler-rt_src_install() {
	# clang knows the names: they depend on the version and on the float ABI.
	local library=$("${CTARGET}-clang" --rtlib=compiler-rt -print-libgcc-file-name) file start
	[[ ${library} == "${EPREFIX}$(ct_resources)"/* ]] || die "clang searches ${library}"
	insinto "$(dirname "${library#"${EPREFIX}"}")"
	newins "$(find "${WORKDIR}/build" -name 'libclang_rt.builtins*.a')" "${library##*/}"
	for file in crtbegin crtend; do
		start=${library##*/libclang_rt.builtins}
		newins "${WORKDIR}/build/${file}.o" "clang_rt.${file}${start%.a}.o"
	done
}

EXPORT_FUNCTIONS src_unpack src_configure src_compile src_install
