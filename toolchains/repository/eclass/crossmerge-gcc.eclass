# SPDX-License-Identifier: GPL-2.0-or-later

# @ECLASS: crossmerge-gcc.eclass
# @SUPPORTED_EAPIS: 8
# @BLURB: the phases of sys-devel/gcc
# @DESCRIPTION:
# The installed libc decides what is built. Without one, the compiler makes object files and has no shared libgcc. With the
# headers, it also knows the sysroot. With the whole libc, it builds the libraries of every language in USE.

inherit crossmerge-toolchain

DESCRIPTION="The compilers of a target"
HOMEPAGE="https://gcc.gnu.org/"
LICENSE="GPL-3+ LGPL-3+"
SLOT="$(ver_cut 1)"
# crossdev's plans switch all of these off or on. `ct_gcc_languages` lists those that choose a language.
IUSE="ada cet +cxx d default-stack-clash-protection fixed-point fortran go graphite hardened jit modula2 multilib nls
	nopie nossp objc objc++ objc-gc +openmp +pie rust sanitize ssp systemtap vtv zlib zstd"
[[ ${CATEGORY} == cross-* ]] && BDEPEND="${CATEGORY}/binutils"

# @FUNCTION: ct_gcc_languages
# @DESCRIPTION:
# Prints the languages to build, as a list for --enable-languages.
ct_gcc_languages() {
	local languages=c flag
	for flag in cxx:c++ fortran:fortran objc:objc objc++:obj-c++ d:d go:go modula2:m2; do
		use "${flag%%:*}" && languages+=,${flag#*:}
	done
	echo "${languages}"
}

# @FUNCTION: ct_gcc_cpu
# @DESCRIPTION:
# Prints the configure arguments for the CPU and the ABI in the tuple, one on each line.
ct_gcc_cpu() {
	local cpu=${CTARGET%%-*} name
	case ${CTARGET} in
		arm*)
			# armv4tl is ARMv4T in little-endian mode.
			name=${cpu/%eb/}
			name=${name/%el/}
			case ${name} in
				armv[4-7]*l) name=${name%l} ;;
				armv[4-7]*b) name=${name%b} ;;
			esac
			case ${name} in
				armv6m) name=armv6-m ;;
				armv7a|armv7r|armv7m|armv8a|armv8r) name=${name::5}-${name:5} ;;
				armv7em) name=armv7e-m ;;
			esac
			[[ ${name} == armv* ]] && echo "--with-arch=${name}"
			case ${CTARGET} in
				*softfloat*) echo "--with-float=soft" ;;
				armv6*hf*) printf '%s\n' --with-float=hard --with-fpu=vfp ;;
				armv7*hf*) printf '%s\n' --with-float=hard --with-fpu=vfpv3-d16 ;;
				*hf) echo "--with-float=hard" ;;
			esac
			[[ ${name} == *-m ]] && echo "--with-mode=thumb"
			;;
		i[3-6]86*) echo "--with-arch=${cpu}" ;;
		mips*gnuabi64|mips64*musl) echo "--with-abi=64" ;;
		mips*gnuabin32|mips*muslabin32) echo "--with-abi=n32" ;;
		powerpc64le*|powerpc64*musl*) echo "--with-abi=elfv2" ;;
	esac
	case ${CTARGET} in
		powerpc*musl*) echo "--with-long-double-64" ;;
		powerpc*gnu*|sparc*gnu*|s390*gnu*|alpha*gnu*) echo "--with-long-double-128" ;;
	esac
}

# @FUNCTION: ct_gcc_variants
# @DESCRIPTION:
# Prints GCC's names of the ABIs for --with-multilib-list, on the CPUs whose list crossmerge sets: "m64,m32". Other CPUs have a fixed
# list.
ct_gcc_variants() {
	[[ ${CTARGET} == x86_64-* ]] || return
	local abi variants=
	for abi in ${TARGET_MULTILIB_ABIS}; do
		case ${abi} in
			amd64) variants+=,m64 ;;
			x86) variants+=,m32 ;;
			x32) variants+=,mx32 ;;
		esac
	done
	echo "${variants#,}"
}

# Tests, and libraries of languages that are not built, are half of the files.
crossmerge-gcc_src_unpack() {
	local archive=${DISTDIR}/${A} inner
	# The compilers test themselves with gcc/testsuite/selftests.
	local -a exclude=( --exclude='*/gcc/testsuite/*.*/*' --exclude='*/gcc/testsuite/ada/*' --exclude='*/gcc/testsuite/c-c++-common/*' )
	for inner in libstdc++-v3 libgomp libphobos libffi libitm libatomic libgfortran; do
		# configure needs the Makefile.in in each.
		exclude+=( --exclude="*/${inner}/testsuite/*/*" )
	done
	# Other parts of GCC need files of gcc/d and gcc/go.
	use ada || exclude+=( --exclude='*/gcc/ada/*' )
	use d || exclude+=( --exclude='*/libphobos/*' )
	use go || exclude+=( --exclude='*/libgo/*' --exclude='*/gotools/*' )

	# Debian's archive contains the archive of a tree without manuals, and others. tar is stopped by the end of its reader.
	inner=$(tar -tf "${archive}" 2> /dev/null | head -n 20 | grep -m 1 '/gcc-[^/]*\.tar\.xz$')
	if [[ -n ${inner} ]]; then
		mkdir -p "${S}" || die
		tar -xOf "${archive}" "${inner}" |
			tar -xJ --no-same-owner --strip-components=1 -C "${S}" "${exclude[@]}"
		[[ ${PIPESTATUS[*]} == "0 0" ]] || die "cannot unpack ${inner} of ${archive}"
	else
		ct_untar "${archive}" "${exclude[@]}"
	fi
}

crossmerge-gcc_src_configure() {
	ct_needs_target
	local state=$(ct_libc_state) languages=$(ct_gcc_languages)
	# Portage saves it in the package.
	CT_GCC_LIBC=${state}
	einfo "${CATEGORY}/$(ct_libc) is installed: ${state}. Languages: ${languages}"
	local data=/usr/share/gcc-data/${CTARGET}/${SLOT} libraries=/usr/lib/gcc/${CTARGET}/${SLOT}
	local -a args=(
		--bindir="${EPREFIX}/usr/${CHOST}/${CTARGET}/gcc-bin/${SLOT}"
		--includedir="${EPREFIX}${libraries}/include"
		--datadir="${EPREFIX}${data}" --mandir="${EPREFIX}${data}/man" --infodir="${EPREFIX}${data}/info"
		--with-gxx-include-dir="${EPREFIX}${libraries}/include/g++-v${SLOT}"
		--with-gcc-major-version-only --with-pkgversion="crossmerge ${PVR}"
		--enable-languages="${languages}"
		# The libraries of the compiler stay in its own directory: the sysroot belongs to the target's packages.
		--enable-version-specific-runtime-libs
		# GCC searches its prefix for these only if they exist when it is configured.
		--with-as="${EPREFIX}/usr/bin/${CTARGET}-as" --with-ld="${EPREFIX}/usr/bin/${CTARGET}-ld"
		--enable-checking=release --enable-lto --enable-poison-system-directories
		--disable-bootstrap --disable-werror --disable-libstdcxx-pch --disable-libunwind-exceptions
		# A library of the build machine for GDB.
		--disable-libcc1
		# Every libc here has its own.
		--disable-libssp
		--without-isl --without-zstd
		$(use_enable cet)
		$(use_enable fixed-point)
		$(use_enable multilib)
		$(use_enable nls)
		$(use_enable openmp libgomp)
		$(use_enable fortran libquadmath)
		--disable-objc-gc
		$(use_enable sanitize libsanitizer)
		$(use_enable vtv libvtv)
	)
	if ! ct_is_bare; then
		args+=( $(use_enable pie default-pie) $(use_enable ssp default-ssp) )
	fi
	local variants=$(ct_gcc_variants)
	use multilib && [[ -n ${variants} ]] && args+=( --with-multilib-list="${variants}" )
	# Without its sources, configure does not know that Ada is off.
	use ada || args+=( --disable-libada )
	local arg
	while read -r arg; do
		args+=( "${arg}" )
	done < <(ct_gcc_cpu)

	[[ ${state} == none ]] || args+=( --with-sysroot="${EPREFIX}$(ct_sysroot)" )
	case ${state} in
		none|headers)
			args+=( --disable-shared --disable-threads --disable-libatomic --disable-libquadmath --disable-libgomp --disable-libstdcxx )
			;;
		full)
			case ${CTARGET} in
				# Windows has its own threads, and runs destructors itself. crossmerge sets other threads with EXTRA_ECONF.
				*-mingw*) args+=( --enable-shared --enable-threads=win32 --disable-win32-registry ) ;;
				*) ct_is_bare || args+=( --enable-shared --enable-threads=posix --enable-__cxa_atexit ) ;;
			esac
			;;
	esac
	[[ ${state} == none ]] && args+=( --without-headers )
	[[ $(ct_libc) == newlib ]] && args+=( --with-newlib )
	case ${CTARGET} in
		*-musl*) args+=( --disable-symvers --disable-gnu-indirect-function ) ;;
	esac

	# The flags of the build machine are not for the target's libraries.
	local -x CFLAGS_FOR_TARGET="${CFLAGS_FOR_TARGET:--O2 -pipe}" CXXFLAGS_FOR_TARGET="${CXXFLAGS_FOR_TARGET:--O2 -pipe}"
	ct_configure "${args[@]}"
}

# The package of the first compiler has the same name as that of the complete one. This decides if Portage takes it from a
# binary package.
crossmerge-gcc_pkg_setup() {
	[[ ${MERGE_TYPE} == binary && -n ${CT_GCC_LIBC} && ${CT_GCC_LIBC} != full && $(ct_libc_state) == full ]] || return 0
	die "this binary package was built without a libc, and ${CATEGORY}/$(ct_libc) is installed: use another one, or --usepkg-exclude"
}

crossmerge-gcc_src_compile() { ct_make all; }

# GCC installs the shared libgcc into ../lib64, or another directory beside its own, in which it does not search for it.
crossmerge-gcc_move_libgcc() {
	local libraries=${ED}/usr/lib/gcc/${CTARGET}/${SLOT} variant flags from to
	local -a gcc=( "${WORKDIR}/build/gcc/xgcc" -B"${WORKDIR}/build/gcc" )
	while IFS=';' read -r variant flags; do
		# "@m32" is -m32.
		from=${libraries}/$("${gcc[@]}" ${flags//@/ -} -print-multi-os-directory)
		to=${libraries}/${variant}
		compgen -G "${from}/libgcc_s*" > /dev/null && [[ ! ${from} -ef ${to} ]] || continue
		mkdir -p "${to}" || die
		mv "${from}"/libgcc_s* "${to}/" || die
		rmdir --ignore-fail-on-non-empty "${from}" || die
	done < <("${gcc[@]}" -print-multi-lib)
}

crossmerge-gcc_src_install() {
	local libraries=/usr/lib/gcc/${CTARGET}/${SLOT} bin=/usr/${CHOST}/${CTARGET}/gcc-bin/${SLOT} file
	# make would compare the documentation with its sources, which a tree without manuals does not have.
	touch "${WORKDIR}/build/gcc/s-tm-texi" || die
	ct_make -j1 DESTDIR="${D}" install

	crossmerge-gcc_move_libgcc
	find "${ED}" -name '*.la' -delete || die
	rm -rf "${ED}/usr/share/gcc-data/${CTARGET}/${SLOT}/info" "${ED}${libraries}/install-tools" || die
	# Copies of the libc's headers, which would hide the headers of a newer libc.
	for file in $(grep -rlsF 'auto-edited by fixincludes' "${ED}${libraries}/include-fixed"); do
		rm "${file}" || die
	done
	# Second names of the same program.
	rm -f "${ED}${bin}/${CTARGET}-gcc-${SLOT}" "${ED}${bin}/${CTARGET}-gcc-${PV}" || die
	ct_strip "/usr/${CHOST}" "/usr/libexec/gcc/${CTARGET}"

	insinto /etc/env.d/gcc
	newins - "${CTARGET}-${SLOT}" <<-EOT
		CTARGET="${CTARGET}"
		GCC_PATH="${EPREFIX}${bin}"
		LDPATH="${EPREFIX}${libraries}"
	EOT
}

crossmerge-gcc_pkg_postinst() { ct_select gcc "${SLOT}"; }

crossmerge-gcc_pkg_postrm() { ct_deselect gcc; }

EXPORT_FUNCTIONS pkg_setup src_unpack src_configure src_compile src_install pkg_postinst pkg_postrm
