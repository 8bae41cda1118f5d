# SPDX-License-Identifier: GPL-2.0-or-later

# @ECLASS: cross-build.eclass
# @SUPPORTED_EAPIS: 8
# @BLURB: passes the tools for CHOST to make, CMake and Meson
# @DESCRIPTION:
# The functions for cross-compilation of this repository's ebuilds. The tools are those in PATH that begin with the
# tuple: ${CHOST}-gcc, ${CHOST}-ar, ${CHOST}-pkg-config … The functions assume nothing else, so an ebuild finds exactly
# the tools that the wrappers provide. Autoconf needs no function: econf passes --host, and configure searches for the
# tools by the same names. cb_export_tools is for all other build systems.

case ${EAPI} in
	8) ;;
	*) die "${ECLASS}: EAPI ${EAPI:-0} is not supported" ;;
esac

# @FUNCTION: cb_tool
# @USAGE: <variable> <tool>
# @DESCRIPTION:
# Prints the tool for CHOST: the user's value of the variable, else ${CHOST}-<tool>. Only a native build may use the
# bare name as a fallback: in a cross build the bare name is the build machine's tool.
cb_tool() {
	local variable=${1} tool=${2}
	if [[ -n ${!variable} ]]; then
		echo "${!variable}"
	elif type -P "${CHOST}-${tool}" > /dev/null || cb_is_cross; then
		echo "${CHOST}-${tool}"
	else
		echo "${tool}"
	fi
}

# @FUNCTION: cb_build_cc
# @DESCRIPTION:
# Prints the compiler for programs that run during the build. A distribution whose native compiler has another tuple in its
# name than CBUILD (Debian: x86_64-linux-gnu) still has plain gcc.
cb_build_cc() {
	if [[ -n ${BUILD_CC} ]]; then
		echo "${BUILD_CC}"
	elif [[ -n ${CBUILD} ]] && type -P "${CBUILD}-gcc" > /dev/null; then
		echo "${CBUILD}-gcc"
	else
		echo gcc
	fi
}

# @FUNCTION: cb_is_cross
# @DESCRIPTION:
# Succeeds if the package will run on another machine than the build machine. An unset CBUILD means the same machine.
cb_is_cross() {
	[[ ${CBUILD:-${CHOST}} != "${CHOST}" ]]
}

# @FUNCTION: cb_export_tools
# @DESCRIPTION:
# Exports the tools for both machines: CC and others for CHOST, BUILD_CC and CC_FOR_BUILD for CBUILD. CBUILD has separate
# flags, so that -mcpu of the target never applies to a program that the build runs.
cb_export_tools() {
	local pair
	for pair in CC:gcc CXX:g++ AR:ar NM:nm OBJCOPY:objcopy RANLIB:ranlib STRIP:strip PKG_CONFIG:pkg-config; do
		export "${pair%%:*}=$(cb_tool "${pair%%:*}" "${pair#*:}")"
	done

	export BUILD_CC=$(cb_build_cc)
	export BUILD_CFLAGS=${BUILD_CFLAGS--O1 -pipe} BUILD_CPPFLAGS=${BUILD_CPPFLAGS-} BUILD_LDFLAGS=${BUILD_LDFLAGS-}
	export CC_FOR_BUILD=${BUILD_CC} CFLAGS_FOR_BUILD=${BUILD_CFLAGS}
	export CPPFLAGS_FOR_BUILD=${BUILD_CPPFLAGS} LDFLAGS_FOR_BUILD=${BUILD_LDFLAGS}
}

# @FUNCTION: cb_cpu
# @DESCRIPTION:
# Prints the CPU family of CHOST in the spelling that Meson and CMake share for the CPUs named in arch.list.
cb_cpu() {
	case ${CHOST%%-*} in
		arm*) echo arm ;;
		i?86) echo x86 ;;
		hppa*) echo parisc ;;
		loongarch64) echo loongarch64 ;;
		mips64*|mipsisa64*) echo mips64 ;;
		mips*) echo mips ;;
		powerpc64*) echo ppc64 ;;
		powerpc*) echo ppc ;;
		sh4*) echo sh4 ;;
		aarch64_be) echo aarch64 ;;
		*) echo "${CHOST%%-*}" ;;
	esac
}

# @FUNCTION: cb_endian
# @DESCRIPTION:
# Prints "big" or "little". It asks the compiler, because names such as "sh4" or "mips64" show the byte order of some CPUs only.
cb_endian() {
	local order
	order=$(echo __BYTE_ORDER__ | $(cb_tool CC gcc) ${CPPFLAGS} ${CFLAGS} -E -P -x c -) || die "the compiler for ${CHOST} does not work"
	case ${order} in
		4321) echo big ;;
		1234) echo little ;;
		*) die "the compiler for ${CHOST} does not know its byte order: '${order}'" ;;
	esac
}

# @FUNCTION: cb_cmake
# @USAGE: [argument…]
# @DESCRIPTION:
# Configures ${S} into ${WORKDIR}/build with CMake. The toolchain file makes find_* search for libraries and headers in
# the sysroot only, and for programs on the build machine only.
cb_cmake() {
	cb_export_tools
	local toolchain=${T}/toolchain.cmake
	{
		echo "set(CMAKE_C_COMPILER ${CC// /;})"
		echo "set(CMAKE_CXX_COMPILER ${CXX// /;})"
		echo "set(CMAKE_AR $(type -P "${AR}") CACHE FILEPATH \"\")"
		echo "set(CMAKE_RANLIB $(type -P "${RANLIB}") CACHE FILEPATH \"\")"
		if cb_is_cross; then
			# If the name is set, CMake does not run the programs that it builds.
			echo "set(CMAKE_SYSTEM_NAME Linux)"
			echo "set(CMAKE_SYSTEM_PROCESSOR $(cb_cpu))"
			echo "set(CMAKE_SYSROOT ${SYSROOT%/})"
			echo "set(CMAKE_FIND_ROOT_PATH ${ESYSROOT%/})"
			echo "set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)"
			echo "set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)"
			echo "set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)"
			echo "set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)"
		fi
	} > "${toolchain}" || die

	set -- cmake -G Ninja -S "${S}" -B "${WORKDIR}/build" \
		-DCMAKE_TOOLCHAIN_FILE="${toolchain}" \
		-DCMAKE_INSTALL_PREFIX="${EPREFIX}/usr" \
		-DCMAKE_INSTALL_LIBDIR="$(get_libdir)" \
		-DCMAKE_BUILD_TYPE=None "${@}"
	echo "${@}" >&2
	"${@}" || die "cmake failed"
}

# @FUNCTION: cb_meson
# @USAGE: [argument…]
# @DESCRIPTION:
# Configures ${S} into ${WORKDIR}/build with Meson. The cross file names no sysroot, because the compiler and
# ${CHOST}-pkg-config each know their own.
cb_meson() {
	cb_export_tools
	local machine=${T}/meson.machine kind=native
	cb_is_cross && kind=cross
	{
		echo "[binaries]"
		cb_meson_binary c "${CC}"
		cb_meson_binary cpp "${CXX}"
		cb_meson_binary ar "${AR}"
		cb_meson_binary nm "${NM}"
		cb_meson_binary objcopy "${OBJCOPY}"
		cb_meson_binary strip "${STRIP}"
		# Meson 1.3 replaced the name "pkgconfig" by "pkg-config"; write both for older and newer versions.
		cb_meson_binary pkgconfig "${PKG_CONFIG}"
		cb_meson_binary pkg-config "${PKG_CONFIG}"
		if [[ ${kind} == cross ]]; then
			echo "[properties]"
			echo "needs_exe_wrapper = true"
			echo "[host_machine]"
			echo "system = 'linux'"
			echo "cpu_family = '$(cb_cpu)'"
			echo "cpu = '${CHOST%%-*}'"
			echo "endian = '$(cb_endian)'"
		fi
	} > "${machine}" || die

	# With --cross-file, Meson applies CFLAGS of the environment to the host machine, like other build systems. It also takes
	# the build machine's compiler from the environment.
	set -- meson setup "--${kind}-file=${machine}" \
		--prefix="${EPREFIX}/usr" --libdir="$(get_libdir)" --sysconfdir="${EPREFIX}/etc" \
		--buildtype=plain --wrap-mode=nodownload "${@}" "${S}" "${WORKDIR}/build"
	echo "${@}" >&2
	"${@}" || die "meson failed"
}

# @FUNCTION: cb_meson_binary
# @INTERNAL
# @USAGE: <name> <command>
# @DESCRIPTION:
# Prints one line of a machine file. A command of several words becomes a list; otherwise Meson would search for one program
# with spaces in its name.
cb_meson_binary() {
	local name=${1} word list=
	for word in ${2}; do
		list+="${list:+, }'${word}'"
	done
	echo "${name} = [${list}]"
}

# @FUNCTION: cb_ninja
# @USAGE: [argument…]
# @DESCRIPTION:
# Builds a project that cb_cmake or cb_meson configured, with the user's number of jobs, and prints every command.
cb_ninja() {
	set -- ninja -v -C "${WORKDIR}/build" $(grep -oE -- '-j *[0-9]+' <<< "${MAKEOPTS}") "${@}"
	echo "${@}" >&2
	"${@}" || die "ninja failed"
}

# @FUNCTION: cb_drop_archives
# @DESCRIPTION:
# Removes static libraries unless the user has set USE=static-libs, and always removes libtool's .la files: they contain paths
# of the sysroot, and pkg-config provides the same information.
cb_drop_archives() {
	find "${ED}" -name '*.la' -delete || die
	if ! in_iuse static-libs || ! use static-libs; then
		find "${ED}" -name '*.a' -delete || die
	fi
}
