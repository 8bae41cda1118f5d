# SPDX-License-Identifier: GPL-2.0-or-later

# @ECLASS: crossmerge-compiler-rt.eclass
# @SUPPORTED_EAPIS: 8
# @BLURB: the phases of llvm-runtimes/compiler-rt

inherit crossmerge-llvm

DESCRIPTION="The library and the start files that clang's own code needs"
IUSE="multilib"

# Prints clang's and LLVM's name of the CPU.
ct_builtins_cpu() {
	case ${CTARGET} in
		arm*hf) echo armhf ;;
		arm*) echo arm ;;
		i?86*) echo i386 ;;
		*) echo "${CTARGET%%-*}" ;;
	esac
}

# LLVM 17 has moved the start files from crt to builtins. tar needs a file for each pattern that no earlier one matches.
crossmerge-compiler-rt_src_unpack() { ct_unpack_llvm 'compiler-rt/lib/*/crtbegin.c' 'compiler-rt/lib/*/crtend.c' 'compiler-rt/lib/builtins/*'; }

crossmerge-compiler-rt_src_configure() {
	# CMake takes the name of the CPU from this target. The compiler gets the real one after it.
	local target=$(ct_builtins_cpu)-${CTARGET#*-}
	# The project of the builtins alone finds the modules of the others only by this path.
	ct_cmake compiler-rt/lib/builtins -DCMAKE_C_COMPILER_TARGET="${target}" -DCMAKE_ASM_COMPILER_TARGET="${target}" \
		-DCMAKE_MODULE_PATH="${S}/cmake/Modules;${S}/llvm/cmake/modules" \
		-DCMAKE_TRY_COMPILE_TARGET_TYPE=STATIC_LIBRARY -DCOMPILER_RT_DEFAULT_TARGET_ONLY=ON \
		-DCOMPILER_RT_BUILTINS_HIDE_SYMBOLS=ON -DCOMPILER_RT_OS_DIR=linux
}

crossmerge-compiler-rt_src_compile() {
	local file
	ct_make all
	for file in crtbegin crtend; do
		"${CTARGET}-clang" -O2 -fPIC -std=c11 -DCRT_HAS_INITFINI_ARRAY \
			-c "${S}"/compiler-rt/lib/*/"${file}.c" -o "${WORKDIR}/build/${file}.o" || die "${file}.o failed"
	done
}

crossmerge-compiler-rt_src_install() {
	# clang knows the name, which depends on its version and on the float ABI.
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
