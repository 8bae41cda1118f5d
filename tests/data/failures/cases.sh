# shellcheck shell=bash disable=SC2016,SC2154,SC2034
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The cases of tests/data/failures/make: each makes an ebuild, and then a reason for which it fails.

# The src_unpack to src_compile of upstream's projects, as the ebuilds of a toolchain have them.
binutils='SRC_URI="https://sourceware.org/pub/binutils/releases/binutils-2.40.tar.xz"'
gcc='SRC_URI="https://ftp.gnu.org/gnu/gcc/gcc-12.2.0.tar.gz"'
glibc='SRC_URI="https://ftp.gnu.org/gnu/glibc/glibc-2.36.tar.xz"'
musl='SRC_URI="https://musl.libc.org/releases/musl-1.2.3.tar.gz"'
manual='SRC_URI="https://example.org/manual-1.tar.gz"'
small='SRC_URI="https://example.org/small-1.tar.gz"'

binutils_configure='src_configure() {
	mkdir build && cd build || die
	../configure --prefix="${EPREFIX}/usr" --build="${CHOST}" --host="${CHOST}" --target=armv4tl-softfloat-linux-musleabi \
		--disable-nls --disable-werror --disable-gdb --disable-gprofng --with-system-zlib || die
}'

gcc_configure='src_configure() {
	mkdir build && cd build || die
	../configure --prefix="${EPREFIX}/usr" --build="${CHOST}" --host="${CHOST}" --target=armv4tl-softfloat-linux-musleabi \
		--enable-languages=c --disable-multilib --disable-shared --without-headers || die
}'

# --- resolving, fetching, verifying ----------------------------------------------------------------------------------------------------

ebuild gcc 12.2.0 KEYWORDS=~amd64 < /dev/null
run masked-keyword "$emerge" "$category/gcc"

ebuild gcc 12.2.0 KEYWORDS=arm < /dev/null
run masked-no-keyword "$emerge" "$category/gcc"

ebuild gcc 12.2.0 < /dev/null
mkdir -p "$prefix/etc/portage/package.mask"
echo "$category/gcc" > "$prefix/etc/portage/package.mask/mine"
run masked-package "$emerge" "$category/gcc"
rm "$prefix/etc/portage/package.mask/mine"

ebuild gcc 12.2.0 LICENSE=Closed < /dev/null
run masked-license "$emerge" "$category/gcc"

ebuild gcc 12.2.0 'IUSE="cxx fortran"' 'REQUIRED_USE="fortran? ( cxx )"' < /dev/null
variables="USE=fortran"
run required-use "$emerge" "$category/gcc"

run no-ebuild "$emerge" "$category/newlib"

run no-version "$emerge" "=$category/gcc-15.1.0"

ebuild gcc 12.2.0 "DEPEND=\"$category/musl\"" < /dev/null
ebuild musl 1.2.3 "DEPEND=\"$category/gcc\"" < /dev/null
run circular "$emerge" "$category/gcc"

ebuild musl 1.2.3 < /dev/null
ebuild gcc 12.2.0 "RDEPEND=\"$category/musl !$category/musl\"" < /dev/null
run blocked "$emerge" "$category/gcc"

ebuild gcc 12.2.0 'DEPEND="dev-libs/gmp"' < /dev/null
run no-dependency "$emerge" "$category/gcc"

ebuild musl 1.2.3 "$musl" < /dev/null
cp "$distfiles/musl-1.2.3.tar.gz" "$work/musl.tar.gz"
printf X | dd of="$distfiles/musl-1.2.3.tar.gz" bs=1 seek=1000 conv=notrunc status=none
run checksum "$emerge" "$category/musl"
rm -f "$distfiles"/musl-1.2.3.tar.gz*
mv "$work/musl.tar.gz" "$distfiles/musl-1.2.3.tar.gz"

ebuild musl 1.2.3 'SRC_URI="http://127.0.0.1:9/musl-1.2.4.tar.gz"' < /dev/null
echo "DIST musl-1.2.4.tar.gz 1000 BLAKE2B $(b2sum < /dev/null | cut -d' ' -f1) SHA512 $(sha512sum < /dev/null | cut -d' ' -f1)" \
	> "$repo/$category/musl/Manifest"
run fetch-refused "$emerge" "$category/musl"

ebuild musl 1.2.3 'SRC_URI="http://no-such-host.invalid/musl-1.2.4.tar.gz"' < /dev/null
echo "DIST musl-1.2.4.tar.gz 1000 BLAKE2B $(b2sum < /dev/null | cut -d' ' -f1) SHA512 $(sha512sum < /dev/null | cut -d' ' -f1)" \
	> "$repo/$category/musl/Manifest"
run fetch-no-host "$emerge" "$category/musl"

ebuild gcc 12.2.0 'SRC_URI="https://example.org/gcc-12.2.1.tar.xz"' 'RESTRICT="fetch"' < /dev/null
echo "DIST gcc-12.2.1.tar.xz 1000 BLAKE2B $(b2sum < /dev/null | cut -d' ' -f1) SHA512 $(sha512sum < /dev/null | cut -d' ' -f1)" \
	> "$repo/$category/gcc/Manifest"
run fetch-restricted "$emerge" "$category/gcc"

ebuild musl 1.2.3 "$musl" < /dev/null
rm "$repo/$category/musl/Manifest"
run no-manifest "$emerge" "$category/musl"

# A server whose file is not the one of the Manifest.
mkdir -p "$work/server"
echo "<html>Moved</html>" > "$work/server/musl-1.2.5.tar.gz"
ebuild musl 1.2.3 'SRC_URI="http://127.0.0.1:8937/musl-1.2.5.tar.gz"' < /dev/null
cp "$distfiles/musl-1.2.3.tar.gz" "$distfiles/musl-1.2.5.tar.gz"
manifest "$repo/$category/musl"
rm "$distfiles/musl-1.2.5.tar.gz"
before+="python3 -m http.server --bind 127.0.0.1 --directory $work/server 8937 > /dev/null 2>&1 & server=\$!
sleep 1
"
after='kill $server'
run checksum-fetched "$emerge" "$category/musl"

ebuild musl 1.2.3 'SRC_URI="http://127.0.0.1:8937/musl-1.2.6.tar.gz"' < /dev/null
echo "DIST musl-1.2.6.tar.gz 1000 BLAKE2B $(b2sum < /dev/null | cut -d' ' -f1) SHA512 $(sha512sum < /dev/null | cut -d' ' -f1)" \
	> "$repo/$category/musl/Manifest"
before+="python3 -m http.server --bind 127.0.0.1 --directory $work/server 8937 > /dev/null 2>&1 & server=\$!
sleep 1
"
run fetch-not-found "$emerge" "$category/musl"
after=

# --- unpack and prepare ----------------------------------------------------------------------------------------------------------------

ebuild binutils 2.40 "$binutils" < /dev/null
mounted size=20m
run no-space-unpack "$emerge" "$category/binutils"

ebuild binutils 2.40 "$binutils" <<< 'src_unpack() { :; }; S=${WORKDIR}'
mounted noexec
run noexec "$emerge" "$category/binutils"

mounted ro
run read-only "$emerge" "$category/binutils"

ebuild binutils 2.40 "$binutils" < /dev/null
hide /usr/bin/xz
run missing-xz "$emerge" "$category/binutils"

ebuild small 1 "$small" <<- 'E'
	src_prepare() {
		printf '%s\n' '--- a/main.c' '+++ b/main.c' '@@ -10,3 +10,3 @@' ' int x;' '-int y;' '+int z;' ' int w;' > "${T}/answer.patch"
		eapply "${T}/answer.patch"
		default
	}
E
run patch "$emerge" "$category/small"

# --- configure -------------------------------------------------------------------------------------------------------------------------

ebuild gcc 12.2.0 "$gcc" <<< "$gcc_configure"
hide /usr/include/x86_64-linux-gnu/gmp.h
run missing-gmp "$emerge" "$category/gcc"

hide /usr/include/mpc.h
run missing-mpc "$emerge" "$category/gcc"

ebuild binutils 2.40 "$binutils" <<< "$binutils_configure"
hide /usr/bin/gcc /usr/bin/cc /usr/bin/x86_64-linux-gnu-gcc '/usr/bin/gcc-[0-9]*' '/usr/bin/clang*' '/usr/bin/c[89]9*'
run no-compiler "$emerge" "$category/binutils"

hide '/usr/lib/x86_64-linux-gnu/*crt1.o'
run no-start-files "$emerge" "$category/binutils"

ebuild small 1 "$small" < /dev/null
variables="CFLAGS=-march=armv9.9-z"
run unknown-march "$emerge" "$category/small"

ebuild small 1 "$small" <<< 'src_configure() { CC=arm-linux-gnueabi-gcc econf --host=arm-linux-gnueabi; }'
variables="CFLAGS=-march=skylake"
run march-of-host "$emerge" "$category/small"

ebuild small 1 "$small" <<< 'src_configure() { CC=arm-linux-gnueabi-gcc econf --host=arm-linux-gnueabi; }'
hide /usr/arm-linux-gnueabi/lib/libc.so /usr/arm-linux-gnueabi/lib/libc.a
run missing-libc "$emerge" "$category/small"

hide '/usr/lib/gcc-cross/arm-linux-gnueabi/12/libgcc*'
run missing-libgcc "$emerge" "$category/small"

libstdcxx='src_configure() {
	mkdir -p build/arm-linux-gnueabi/libstdc++-v3 && cd build/arm-linux-gnueabi/libstdc++-v3 || die
	../../../libstdc++-v3/configure --build="${CHOST}" --host=arm-linux-gnueabi --target=arm-linux-gnueabi --with-cross-host="${CHOST}" \
		--disable-multilib --srcdir=../../../libstdc++-v3 CC=arm-linux-gnueabi-gcc CXX="arm-linux-gnueabi-gcc -shared-libgcc" || die
}'
ebuild gcc 12.2.0 "$gcc" <<< "$libstdcxx"
hide '/usr/arm-linux-gnueabi/lib/*crt1.o'
run no-executables "$emerge" "$category/gcc"

# As gcc runs it: from make, in the compile phase.
ebuild gcc 12.2.0 "$gcc" <<- E
	src_configure() { :; }
	src_compile() {
		printf '%s\n' 'all: all-target-libstdc++-v3' 'all-target-libstdc++-v3:' \
			"	mkdir -p t/libstdc++-v3 && cd t/libstdc++-v3 && ../../libstdc++-v3/configure --build=\${CHOST} --host=arm-linux-gnueabi \
			--target=arm-linux-gnueabi --with-cross-host=\${CHOST} --disable-multilib --srcdir=../../libstdc++-v3 \
			CC=arm-linux-gnueabi-gcc CXX='arm-linux-gnueabi-gcc -shared-libgcc'" > Makefile
		emake
	}
E
hide '/usr/arm-linux-gnueabi/lib/crti.o'
run no-executables-make "$emerge" "$category/gcc"

ebuild small 1 "$small" <<< 'src_configure() { ./configure CC=arm-linux-gnueabi-gcc || die; }'
run not-told-cross "$emerge" "$category/small"

ebuild small 1 "$small" <<- 'E'
	src_prepare() {
		default
		touch -d '+2 days' configure
	}
E
run clock "$emerge" "$category/small"

glibc_configure='src_configure() {
	mkdir build && cd build || die
	../configure --prefix=/usr --build="${CHOST}" --host=arm-linux-gnueabi CC=arm-linux-gnueabi-gcc \
		--enable-kernel=3.2.0 ${HEADERS} --disable-werror || die
}'
ebuild glibc 2.36 "$glibc" <<< "$glibc_configure"
hide '/usr/bin/bison'
run glibc-bison "$emerge" "$category/glibc"

ebuild glibc 2.36 "$glibc" "HEADERS=--with-headers=$work/old-headers" <<< "$glibc_configure"
rm -rf "$work/old-headers"
mkdir -p "$work/old-headers/linux"
cp -r /usr/arm-linux-gnueabi/include/{linux,asm,asm-generic} "$work/old-headers/"
echo '#define LINUX_VERSION_CODE 132640' > "$work/old-headers/linux/version.h"
run headers-too-old "$emerge" "$category/glibc"

# --- compile ---------------------------------------------------------------------------------------------------------------------------

ebuild manual 1 "$manual" < /dev/null
hide '/usr/bin/makeinfo' /usr/bin/texi2any
run missing-makeinfo "$emerge" "$category/manual"

ebuild binutils 2.40 "$binutils" <<- E
	src_configure() {
		mkdir -p build/{bfd,libsframe,libiberty,zlib} && cd build/bfd && ../../bfd/configure --with-system-zlib --disable-nls --disable-werror || die
	}
	src_compile() { emake -C build/bfd -j1 bfd.h compress.lo; }
E
hide '/usr/include/zlib.h'
run missing-zlib "$emerge" "$category/binutils"

ebuild binutils 2.40 "$binutils" <<- E
	src_prepare() {
		default
		touch binutils/sysroff.info binutils/deflex.l ; rm -f binutils/deflex.c
	}
	src_configure() {
		mkdir -p build/binutils build/bfd build/libiberty build/opcodes && cd build/bfd && ../../bfd/configure --disable-nls > /dev/null || die
		cd ../binutils && ../../binutils/configure --disable-nls || die
	}
	src_compile() { emake -C build/binutils MAKEINFO=true deflex.o; }
E
hide '/usr/bin/flex' /usr/bin/lex '/usr/bin/flex++' '/etc/alternatives/lex'
run missing-flex "$emerge" "$category/binutils"

# A kernel tree: the demonstration's.
linux=$top/target/demo/kernel
headers='src_unpack() { mkdir -p "${S}" && cd '$linux' && cp -r --parents Makefile Kbuild Kconfig scripts include arch/arm usr tools/include "${S}"; }
src_configure() { :; }
src_compile() { emake ARCH=arm headers_install INSTALL_HDR_PATH="${T}/headers"; }
src_install() { :; }'
if [[ -d $linux ]]; then
	ebuild linux-headers 6.1 <<< "$headers"
	hide /usr/bin/rsync
	run missing-rsync "$emerge" "$category/linux-headers"

	ebuild linux-headers 6.1 <<< "${headers/headers_install*headers\"/defconfig}"
	hide /usr/bin/bison
	run missing-bison "$emerge" "$category/linux-headers"
fi

ebuild small 1 "$small" <<- 'E'
	src_compile() {
		# A file that needs some 300 MB to compile.
		{
			echo 'template<int N, int M> struct A { static const int v = (A<N-1, M>::v + A<N-1, M+1>::v) % 7; };'
			echo 'template<int M> struct A<0, M> { static const int v = M % 7; };'
			echo 'int x = A<890, 0>::v;'
		} > big.cc
		printf '%s\n' 'all: error.o big.o' 'big.o: big.cc' '	g++ -ftemplate-depth=1000 -c big.cc -o big.o' >> GNUmakefile
		emake -f GNUmakefile
	}
E
cgroup=/sys/fs/cgroup/memory
[[ -d $cgroup ]] || cgroup=/sys/fs/cgroup
before+="mkdir -p $cgroup/failures
for file in memory.limit_in_bytes memory.max; do
	[ ! -e $cgroup/failures/\$file ] || echo 150M > $cgroup/failures/\$file
done
echo \$\$ > $cgroup/failures/cgroup.procs
"
run oom "$emerge" "$category/small"

variables="bash -c 'ulimit -v 200000; exec \"\$@\"' sh"
ebuild small 1 "$small" <<- 'E'
	src_compile() {
		{
			echo 'template<int N, int M> struct A { static const int v = (A<N-1, M>::v + A<N-1, M+1>::v) % 7; };'
			echo 'template<int M> struct A<0, M> { static const int v = M % 7; };'
			echo 'int x = A<890, 0>::v;'
		} > big.cc
		printf '%s\n' 'all: big.o' 'big.o: big.cc' '	ulimit -v 120000; g++ -ftemplate-depth=1000 -c big.cc -o big.o' >> GNUmakefile
		emake -f GNUmakefile
	}
E
variables=
run virtual-memory "$emerge" "$category/small"

ebuild small 1 "$small" <<- 'E'
	src_compile() {
		{ printf 'int x = '; printf '(%.0s' {1..60000}; printf 1; printf ')%.0s' {1..60000}; echo ';'; } > deep.c
		printf '%s\n' 'all: error.o deep.o' 'deep.o: deep.c' '	ulimit -s 1024; gcc -c deep.c -o deep.o' > GNUmakefile
		emake -f GNUmakefile
	}
E
run internal-error "$emerge" "$category/small"

ebuild musl 1.2.3 "$musl" <<- 'E'
	src_configure() { ./configure --target=arm-linux-gnueabi --disable-shared CROSS_COMPILE=arm-linux-gnueabi- || die; }
	src_compile() { emake; }
E
hide /usr/arm-linux-gnueabi/bin/as
before+="ln -s ../../bin/as /usr/arm-linux-gnueabi/bin/as
"
run host-assembler "$emerge" "$category/musl"

ebuild small 1 "$small" <<- 'E'
	src_compile() {
		printf '%s\n' 'all: small' 'small: main.c error.c strerror.c' '	arm-linux-gnueabi-gcc $^ -o $@' > GNUmakefile
		emake -f GNUmakefile
	}
E
hide '/usr/arm-linux-gnueabi/bin/ld*'
before+="ln -s ../../bin/ld /usr/arm-linux-gnueabi/bin/ld
"
run host-linker "$emerge" "$category/small"

ebuild small 1 "$small" <<- 'E'
	src_configure() { CC=arm-linux-gnueabi-gcc econf --host=arm-linux-gnueabi; }
	src_prepare() { default; sed -i '1i #include <linux/limits.h>\n#include <sys/types.h>' error.c; }
E
hide /usr/arm-linux-gnueabi/include/linux/limits.h /usr/include/linux/limits.h
run missing-kernel-headers "$emerge" "$category/small"

ebuild musl 1.2.3 "$musl" <<- 'E'
	src_configure() { ./configure --target=arm-linux-gnueabi --disable-shared CROSS_COMPILE=arm-linux-gnueabi- || die; }
	src_compile() { emake lib/libm.a lib/libcrypt.a lib/libutil.a lib/libxnet.a; }
E
hide /usr/bin/arm-linux-gnueabi-ar
run missing-cross-tools "$emerge" "$category/musl"

ebuild small 1 "$small" <<- 'E'
	src_compile() {
		mkdir objects && cd objects || die
		printf '%s\n' 'FILES := $(shell seq -f "/a/long/name/of/a/directory/of/objects/%.0f.o" 1 60000)' 'all:' '	ar r liball.a $(FILES)' > Makefile
		emake
	}
E
run arguments "$emerge" "$category/small"

ebuild small 1 "$small" <<< 'src_compile() { dd if=/dev/zero of=fill bs=1M 2> /dev/null; emake; }'
mounted size=8m
run no-space-compile "$emerge" "$category/small"

ebuild small 1 "$small" <<< 'src_compile() { sleep 60 & emake; wait; }'
run interrupted timeout --signal=TERM 8 "$emerge" "$category/small"

if [[ -n ${SANDBOX-} ]]; then
	mkdir -p "$prefix/etc/sandbox.d" "$prefix/usr/bin"
	ebuild small 1 "$small" <<< 'src_compile() { emake; touch /usr/share/small || die "cannot write"; }'
	before+="mkdir -p $prefix/sandbox
mount -t tmpfs overlay $work/overlay; mkdir $work/overlay/u $work/overlay/w
mount -t overlay o -o lowerdir=/usr,upperdir=$work/overlay/u,workdir=$work/overlay/w /usr
make -C $SANDBOX install > /dev/null 2>&1
"
	run sandbox-violation env "'FEATURES=sandbox usersandbox'" "$emerge" "$category/small"

	before+="mount -t tmpfs overlay $work/overlay; mkdir $work/overlay/u $work/overlay/w
mount -t overlay o -o lowerdir=/usr,upperdir=$work/overlay/u,workdir=$work/overlay/w /usr
make -C $SANDBOX install > /dev/null 2>&1
"
	ebuild small 1 "$small" < /dev/null
	run works-sandbox env "'FEATURES=sandbox usersandbox'" "$emerge" "$category/small"
fi

# --- install and merge -----------------------------------------------------------------------------------------------------------------

ebuild small 1 "$small" <<- 'E'
	src_install() { default; insinto /usr/share; echo one > shared; doins shared; }
E
rm -rf "$prefix/usr/bin/small" "$prefix/usr/share/shared" "$prefix/var/db/pkg/$category"
mkdir -p "$prefix/usr/share"
echo another > "$prefix/usr/share/shared"
run collision env "'FEATURES=collision-protect'" "$emerge" "$category/small"
rm -f "$prefix/usr/share/shared" "$prefix/usr/bin/small"

ebuild small 1 "$small" <<- 'E'
	src_install() { default; dodir /usr/lib; echo 'int f(void) { return 1; }' > f.c; gcc -shared -fPIC f.c -o "${ED}/usr/lib/libf.so" || die; }
E
run multilib-strict env "'FEATURES=multilib-strict'" "$emerge" "$category/small"

if [[ -n ${PROFILE_BASHRC-} ]]; then
	mkdir -p "$repo/profiles/default/linux/amd64/23.0"
	cp "$PROFILE_BASHRC" "$repo/profiles/default/linux/amd64/23.0/profile.bashrc"
	echo ../../../../amd64 > "$repo/profiles/default/linux/amd64/23.0/parent"
	echo 8 > "$repo/profiles/default/linux/amd64/23.0/eapi"
	ln -sfn "$repo/profiles/default/linux/amd64/23.0" "$prefix/etc/portage/make.profile"
	ebuild small 1 "$small" < /dev/null
	run merged-usr "$emerge" "$category/small"
	ln -sfn "$repo/profiles/amd64" "$prefix/etc/portage/make.profile"
fi

# A second emerge waits for the lock of the first.
ebuild small 1 "$small" < /dev/null
before+="mkdir -p $prefix/var/tmp/portage/$category; touch $prefix/var/tmp/portage/$category/.small-1.portage_lockfile
$prefix/bin/python -c 'import fcntl, time; f = open(\"$prefix/var/tmp/portage/$category/.small-1.portage_lockfile\", \"w\"); fcntl.lockf(f, fcntl.LOCK_EX); time.sleep(12)' &
"
run locked timeout --signal=INT 8 "$emerge" "$category/small"

# The user who runs Portage may not write into another user's PORTAGE_TMPDIR.
ebuild small 1 "$small" < /dev/null
mounted uid=65534,mode=755
run not-writable setpriv --bounding-set=-dac_override,-dac_read_search "$emerge" "$category/small"

# --- failures without a known cause ----------------------------------------------------------------------------------------------------

ebuild small 1 "$small" <<< 'src_prepare() { default; sed -i "s/return 42/return answe/" error.c; }'
run compile-error "$emerge" "$category/small"

ebuild small 1 "$small" <<< 'src_prepare() { default; sed -i "s/int answer(void)/int question(void)/" error.c; }'
run undefined-reference "$emerge" "$category/small"

ebuild small 1 "$small" <<< 'src_compile() { emake no-such-target; }'
run no-rule "$emerge" "$category/small"

ebuild small 1 "$small" <<< 'pkg_setup() { die "this package needs a larger answer"; }'
run die-setup "$emerge" "$category/small"

ebuild small 1 "$small" <<< 'src_install() { dobin no-such-program; }'
run dobin "$emerge" "$category/small"

# With -Werror a warning is an error, and other jobs of make go on.
ebuild small 1 "$small" <<- 'E'
	src_compile() {
		for n in {1..40}; do echo "int f$n(void) { return $n; }" > "f$n.c"; done
		echo 'int f20(void) { int error = 20; }' > f20.c
		printf '%s\n' 'all: $(patsubst %,f%.o,$(shell seq 40)) error.o' '%.o: %.c' \
			'	gcc -Wall -Wextra -Werror -c $< -o $@' > GNUmakefile
		emake -f GNUmakefile -j2
	}
E
run werror "$emerge" "$category/small"

ebuild small 1 "$small" <<- 'E'
	src_prepare() { default; sed -i '1i #include "no-such-header.h"' strerror.c; }
E
run missing-header-of-own "$emerge" "$category/small"

ebuild small 1 "$small" <<- 'E'
	src_prepare() {
		default
		printf '%s\n' 'checking for strerror... failed' 'error: this is only a word in a text' > notes
	}
	src_configure() { econf; cat notes; }
	src_compile() {
		# A failure that the Makefile tolerates precedes the real one.
		printf '%s\n' 'all: probe real' 'probe:' '	-gcc -c no-such-file.c' '	$(MAKE) -f GNUmakefile try || true' 'try:' '	gcc -c missing.c' \
			'real:' '	gcc -c broken.c' > GNUmakefile
		echo 'int broken(void) { return missing_name; }' > broken.c
		emake -j1 -f GNUmakefile
	}
E
run tolerated "$emerge" "$category/small"

ebuild small 1 "$small" <<- 'E'
	src_compile() {
		printf '%s\n' '.text' 'nosuchinstruction %eax' > a.s
		printf '%s\n' 'all: a.o' > GNUmakefile
		emake -f GNUmakefile
	}
E
run assembler "$emerge" "$category/small"

# A traceback of Portage itself: the repository's file is a directory.
ebuild small 1 "$small" < /dev/null
before+="mount -t tmpfs -o ro x $prefix/var/db
"
run portage-database "$emerge" "$category/small"

# --- successful builds -----------------------------------------------------------------------------------------------------------------

ebuild small 1 "$small" < /dev/null
run works-small "$emerge" "$category/small"

ebuild small 1 "$small" <<- 'E'
	src_compile() {
		printf '%s\n' 'all: probe real' 'probe:' '	-gcc -c no-such-file.c' '	-no-such-program' '	-cat /no/such/file' 'real: error.o strerror.o' > GNUmakefile
		emake -f GNUmakefile
		echo 'error: "No space left on device" is a message that this program can print'
	}
	src_install() { :; }
E
run works-tolerated "$emerge" "$category/small"

ebuild binutils 2.40 "$binutils" <<< "$binutils_configure
src_compile() { emake -C build MAKEINFO=true all-libiberty; }
src_install() { :; }"
run works-binutils "$emerge" "$category/binutils"

ebuild musl 1.2.3 "$musl" <<- 'E'
	src_configure() { ./configure --prefix=/usr --target=arm-linux-gnueabi --disable-shared CROSS_COMPILE=arm-linux-gnueabi- || die; }
	src_compile() { emake lib/crt1.o lib/libm.a lib/libcrypt.a obj/src/string/memcpy.o obj/src/errno/strerror.o; }
	src_install() { :; }
E
run works-musl "$emerge" "$category/musl"
