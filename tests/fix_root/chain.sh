#!/bin/sh
# Builds a chain of two libraries with libtool for another machine, and installs it: chain.sh DIR HOST SYSROOT. DIR
# then contains a libtool for that machine. HOST-gcc must be in PATH.
set -eu
mkdir -p "$1"
cd "$1"
host=$2 sysroot=$3
# aclocal would write this file, but is in a separate package.
for name in libtool ltoptions ltsugar ltversion lt~obsolete; do
	echo "m4_include([/usr/share/aclocal/$name.m4])"
done > aclocal.m4
printf '%s\n' 'AC_INIT([chain], [1])' 'LT_INIT([disable-static])' 'AC_OUTPUT' > configure.ac
libtoolize --quiet --install --copy
autoconf
./configure --quiet --host="$host" --prefix=/usr
# Debian's libtool omits the dependencies of libraries. GNU's and Gentoo's do not.
sed -i 's/^link_all_deplibs=no$/link_all_deplibs=unknown/' libtool

echo 'int below(void) { return 41; }' > below.c
echo 'int below(void); int above(void) { return below() + 1; }' > above.c
echo 'int above(void); int main(void) { return above(); }' > program.c
for name in below above program; do
	./libtool --silent --mode=compile "$host-gcc" -c "$name.c"
done
./libtool --silent --mode=link "$host-gcc" -rpath /usr/lib -o libbelow.la below.lo
./libtool --silent --mode=link "$host-gcc" -rpath /usr/lib -o libabove.la above.lo libbelow.la
mkdir -p "$sysroot/usr/lib"
for name in below above; do
	# `make install DESTDIR=…` relinks against the installed library in the same way.
	./libtool --silent --mode=install install -c "lib$name.la" "$sysroot/usr/lib/lib$name.la" 
done
