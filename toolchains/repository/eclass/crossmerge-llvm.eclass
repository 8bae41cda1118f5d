# SPDX-License-Identifier: GPL-2.0-or-later

# @ECLASS: crossmerge-llvm.eclass
# @SUPPORTED_EAPIS: 8
# @BLURB: what the libraries of an LLVM toolchain have in common
# @DESCRIPTION:
# The compiler is the build machine's own clang, which sys-devel/clang-crossdev-wrappers runs for the target. It cannot install its
# libraries where that clang has its own ones: those of the compiler are in ct_resources, and all others in the sysroot.

inherit crossmerge-toolchain

HOMEPAGE="https://llvm.org/"
LICENSE="Apache-2.0-with-LLVM-exceptions"
SLOT="0"

# @FUNCTION: ct_resources
# @DESCRIPTION:
# Prints the directory of the compiler's own headers and libraries, below the prefix's root directory: clang's -resource-dir.
ct_resources() { echo "/usr/lib/clang/${CTARGET}"; }

# @FUNCTION: ct_unpack_llvm
# @USAGE: <project…>
# @DESCRIPTION:
# Unpacks the directories of some projects, and the modules for CMake of all. An archive has all of LLVM, which takes 1.5 GB.
ct_unpack_llvm() {
	ct_needs_target
	ct_untar "${DISTDIR}/${A}" --wildcards --exclude='*/test/*' --exclude='*/unittests/*' \
		--exclude='*/docs/*' '*/cmake/*' "${@/#/*/}"
}

# @FUNCTION: ct_cmake
# @USAGE: <directory> [argument…]
# @DESCRIPTION:
# Configures the project in a directory of ${S} in ${WORKDIR}/build, for the target.
ct_cmake() {
	# To crossdev and crossmerge, these libraries are parts of the compiler, and ABI is that of the build machine.
	local source=${S}/${1} language of_abi=CFLAGS_${TARGET_ABI:-${ABI}}
	shift
	# The environment has the tools and flags of the build machine, or those of the target that are named below.
	local -x CFLAGS= CXXFLAGS= LDFLAGS=
	local -a args=(
		-DCMAKE_BUILD_TYPE=Release
		-DCMAKE_SYSTEM_NAME=Linux
		-DCMAKE_SYSTEM_PROCESSOR="${CTARGET%%-*}"
		-DCMAKE_INSTALL_PREFIX="${EPREFIX}$(ct_sysroot)/usr"
		-DCMAKE_AR="$(type -P llvm-ar)" -DCMAKE_NM="$(type -P llvm-nm)" -DCMAKE_RANLIB="$(type -P llvm-ranlib)"
		-DCMAKE_C_COMPILER="${CTARGET}-clang" -DCMAKE_ASM_COMPILER="${CTARGET}-clang" -DCMAKE_CXX_COMPILER="${CTARGET}-clang++"
	)
	for language in C CXX ASM; do
		# CMake would link a program to see whether the compiler works, and there are no libraries for it yet.
		args+=(
			-DCMAKE_${language}_COMPILER_WORKS=ON
			-DCMAKE_${language}_FLAGS="--target=${CTARGET} -pipe ${!of_abi}"
			-DCMAKE_${language}_FLAGS_RELEASE="-O2 -DNDEBUG"
		)
	done
	set -- cmake -G "Unix Makefiles" -S "${source}" -B "${WORKDIR}/build" "${args[@]}" "${@}"
	echo "${@}"
	"${@}" || die "configure failed"
}

# @FUNCTION: ct_runtimes
# @USAGE: <project;…> [argument…]
# @DESCRIPTION:
# Configures some of LLVM's libraries for the sysroot.
ct_runtimes() {
	local projects=${1}
	shift
	local musl=OFF project
	[[ $(ct_libc) == musl ]] && musl=ON
	local -a args=()
	for project in LIBUNWIND LIBCXXABI LIBCXX; do
		args+=( -D${project}_INCLUDE_DOCS=OFF -D${project}_INCLUDE_TESTS=OFF -D${project}_USE_COMPILER_RT=ON )
	done
	ct_cmake runtimes -DLLVM_ENABLE_RUNTIMES="${projects}" -DLLVM_INCLUDE_DOCS=OFF -DLLVM_INCLUDE_TESTS=OFF \
		-DLLVM_ENABLE_PER_TARGET_RUNTIME_DIR=OFF -DLLVM_DEFAULT_TARGET_TRIPLE="${CTARGET}" \
		-DLIBCXX_HAS_MUSL_LIBC="${musl}" -DLIBCXX_INCLUDE_BENCHMARKS=OFF "${args[@]}" "${@}"
}
