#!/bin/sh
# Makes a small toolchain from Debian's cross compiler: sdk.sh DIR. Except for its place it is the real one. A test
# can remove any part of it. Its libc has only the files that a C program needs, so that copying is quick.
set -eu
sdk=$1
tuple=arm-linux-gnueabi
own=$(dirname "$($tuple-gcc -print-libgcc-file-name)")
libc=/usr/$tuple

mkdir -p "$sdk/bin" "$sdk/lib/gcc-cross/$tuple" "$sdk/$tuple/lib"
# GCC finds its parts beside the file that was started, so a symlink does not work.
cp -L "/usr/bin/$tuple-gcc" "$sdk/bin/"
cp -rs "$own" "$sdk/lib/gcc-cross/$tuple/"
mkdir "$sdk/$tuple/bin"
for tool in as ld; do
	ln -s "/usr/bin/$tuple-$tool" "$sdk/$tuple/bin/$tool"
done

for header in $(echo '#include <stdio.h>' | $tuple-gcc -M -x c - | tr ' ' '\n' | grep "^$libc/include/"); do
	to=$sdk/$tuple/${header#"$libc/"}
	mkdir -p "${to%/*}"
	cp "$header" "$to"
done
for file in Scrt1.o crt1.o crti.o crtn.o ld-linux.so.3 libc.so.6 libc_nonshared.a libgcc_s.so.1; do
	cp "$libc/lib/$file" "$sdk/$tuple/lib/"
done
sed "s@$libc/@$sdk/$tuple/@g" "$libc/lib/libc.so" > "$sdk/$tuple/lib/libc.so"
